"""Where tokens are kept between calls and shared between processes. No trouble with a store ever reaches a caller."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Literal, Protocol

from .keys import TokenKey
from .private_files import SECRET_LENGTH
from .records import EMPTY, Record

LOG = logging.getLogger("rpa_bridge.auth")

Place = Literal["memory", "file", "redis"]


@dataclass(frozen=True, slots=True)
class Waits:
    """How to wait for a lock, in seconds."""

    first: float
    """The pause after the first attempt; they grow."""
    longest: float
    patience: float
    """After this the platform is asked without the lock: whoever holds it is neither done nor dead."""


class KeyLock(Protocol):
    """Held by whoever asks the platform for this key's token."""

    @property
    def waits(self) -> Waits:
        """How to wait for it."""

    async def acquire(self) -> bool:
        """Whether it is ours now. Never waits for its holder."""

    async def release(self) -> None:
        """Gives it to the next."""


class TokenStore(Protocol):
    """Keeps one record for each key, under the name that it gives the key. Raises nothing."""

    async def name(self, key: TokenKey) -> str:
        """What the key is called here."""

    async def load(self, name: str, *, locked: bool = False) -> Record:
        """What is known; an empty record where that is nothing, or is in any doubt.

        `locked` says that the caller holds the lock, so that a doubtful record may be set aside.
        """

    async def save(self, name: str, record: Record) -> None:
        """Keeps it in place of what was known."""

    async def remove(self, name: str) -> None:
        """Forgets what was known."""

    def lock(self, name: str) -> KeyLock:
        """The lock of this name, not yet held."""

    def place(self, name: str) -> Place:
        """Where its record is, or would be, kept."""

    async def aclose(self) -> None:
        """Ends connections that the store holds open."""


class Says:
    """Warns once for each subject, so that what goes on failing does not fill the log."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, subject: str, text: str, *details: object) -> None:
        """Logs a warning, unless there was one on this subject."""
        if subject not in self._said:
            self._said.add(subject)
            LOG.warning(text, *details)


class MemoryStore:
    """Keeps records as long as the process lives."""

    def __init__(self) -> None:
        self._installation_key = secrets.token_bytes(SECRET_LENGTH)
        self._records: dict[str, Record] = {}
        self._held: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._records

    async def name(self, key: TokenKey) -> str:
        return key.digest(self._installation_key)

    async def load(self, name: str, *, locked: bool = False) -> Record:  # noqa: ARG002 - nothing here can be damaged
        return self._records.get(name, EMPTY)

    async def save(self, name: str, record: Record) -> None:
        self._records[name] = record

    async def remove(self, name: str) -> None:
        self._records.pop(name, None)

    def lock(self, name: str) -> KeyLock:
        return _MemoryLock(name, self._held)

    def place(self, name: str) -> Place:  # noqa: ARG002 - there is only one
        return "memory"

    async def aclose(self) -> None:
        """Nothing is held open."""


class _MemoryLock:
    waits = Waits(first=0.005, longest=0.1, patience=25.0)

    def __init__(self, name: str, held: set[str]) -> None:
        self._name, self._held = name, held

    async def acquire(self) -> bool:
        if self._name in self._held:
            return False
        self._held.add(self._name)
        return True

    async def release(self) -> None:
        self._held.discard(self._name)
