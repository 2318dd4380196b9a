"""Where tokens are kept between calls and shared between processes. No trouble with a disk ever reaches a caller."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal, Protocol

from filelock import FileLock, Timeout

from rpa_bridge.clock import Clock

from .keys import TokenKey
from .private_files import (
    SECRET_LENGTH,
    DoubtfulFileError,
    make_private_directory,
    read_private,
    set_aside,
    shared_secret,
    write_private,
)
from .records import EMPTY, LARGEST, Record, decode, encode

LOG = logging.getLogger("rpa_bridge.auth")
KEPT_AFTER_END = timedelta(days=1)
SECONDS_BETWEEN_CLEANINGS = 3600.0
INSTALLATION_KEY = Path("installation.key")
"""What names are made with: without it, a name tells nothing of the secret behind it."""

Place = Literal["memory", "file"]


class KeyLock(Protocol):
    """Held by whoever asks the platform for this key's token."""

    def acquire(self) -> bool:
        """Whether it is ours now. Never waits."""

    def release(self) -> None:
        """Gives it to the next."""


class TokenStore(Protocol):
    """Keeps one record for each key, under the name that it gives the key. Raises nothing."""

    def name(self, key: TokenKey) -> str:
        """What the key is called here."""

    def load(self, name: str, *, locked: bool = False) -> Record:
        """What is known; an empty record where that is nothing, or is in any doubt.

        `locked` says that the caller holds the lock, so that a doubtful record may be set aside.
        """

    async def save(self, name: str, record: Record) -> None:
        """Keeps it in place of what was known."""

    def remove(self, name: str) -> None:
        """Forgets what was known."""

    def lock(self, name: str) -> KeyLock:
        """The lock of this name, not yet held."""

    def place(self, name: str) -> Place:
        """Where its record is, or would be, kept."""


def open_store(cache_dir: Path | None, clock: Clock) -> TokenStore:
    """The store in a cache folder, which is made when first needed; None keeps everything in memory."""
    return MemoryStore() if cache_dir is None else FileStore(cache_dir / "tokens", clock)


class MemoryStore:
    """Keeps records as long as the process lives."""

    def __init__(self) -> None:
        self._installation_key = secrets.token_bytes(SECRET_LENGTH)
        self._records: dict[str, Record] = {}
        self._held: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def name(self, key: TokenKey) -> str:
        return key.digest(self._installation_key)

    def load(self, name: str, *, locked: bool = False) -> Record:  # noqa: ARG002 - nothing here can be damaged
        return self._records.get(name, EMPTY)

    async def save(self, name: str, record: Record) -> None:
        self.keep(name, record)

    def keep(self, name: str, record: Record) -> None:
        """What `save` does, at once."""
        self._records[name] = record

    def remove(self, name: str) -> None:
        self._records.pop(name, None)

    def lock(self, name: str) -> KeyLock:
        return _MemoryLock(name, self._held)

    def place(self, name: str) -> Place:  # noqa: ARG002 - there is only one
        return "memory"


class FileStore:
    """Keeps one file for each key in a folder that only we may enter.

    Where the folder cannot be used, records are kept in memory instead; that is said once.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory, self._clock = directory, clock
        self._memory = MemoryStore()
        self._installation_key: bytes | None = None
        self._usable = True
        self._said: set[str] = set()
        self._cleaned_at: float | None = None

    def name(self, key: TokenKey) -> str:
        if self._installation_key is None:
            self._installation_key = self._open()
        return key.digest(self._installation_key)

    def load(self, name: str, *, locked: bool = False) -> Record:
        if not self._usable or name in self._memory:
            return self._memory.load(name)
        try:
            return self._read(name)
        except DoubtfulFileError as doubt:
            self._say(name, "the token record %s is not used: %s; a new token is asked for", self._path(name), doubt)
            if locked:
                set_aside(self._path(name), f"{name}.bad")
        except OSError as error:
            self._say_memory_only(error)
        return EMPTY

    async def save(self, name: str, record: Record) -> None:
        if not self._usable:
            self._memory.keep(name, record)
            return
        try:
            await asyncio.to_thread(self._write, name, record)
        except OSError as error:
            self._memory.keep(name, record)
            self._say_memory_only(error)
        else:
            self._memory.remove(name)

    def remove(self, name: str) -> None:
        self._memory.remove(name)
        if not self._usable:
            return
        try:
            for path in (self._path(name), self._directory / f"{name}.bad"):
                path.unlink(missing_ok=True)
        except OSError as error:
            self._memory.keep(name, EMPTY)  # hides what could not be removed
            self._say_memory_only(error)

    def lock(self, name: str) -> KeyLock:
        spare = self._memory.lock(name)
        return _FileKeyLock(self._directory / f"{name}.lock", spare, self._say_memory_only) if self._usable else spare

    def place(self, name: str) -> Place:
        return "file" if self._usable and name not in self._memory else "memory"

    def _open(self) -> bytes:
        try:
            make_private_directory(self._directory)
            return shared_secret(self._directory / INSTALLATION_KEY)
        except (OSError, DoubtfulFileError) as error:
            self._usable = False
            self._say_memory_only(error)
            return secrets.token_bytes(SECRET_LENGTH)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _read(self, name: str) -> Record:
        content = read_private(self._path(name), LARGEST)
        return EMPTY if content is None else decode(content, name, self._clock.now(), self._clock.monotonic())

    def _write(self, name: str, record: Record) -> None:
        write_private(self._path(name), encode(record, name))
        now = self._clock.monotonic()
        if self._cleaned_at is None or now - self._cleaned_at > SECONDS_BETWEEN_CLEANINGS:
            self._cleaned_at = now
            with suppress(OSError):  # what cannot be removed now is removed another time
                self._clean()

    def _clean(self) -> None:
        """Removes records that are long over, and what killed processes were about to write."""
        for path in self._directory.iterdir():
            if path.suffix == ".json" and self._is_long_over(path.stem):
                self._remove_locked(path, path.stem)
            elif path.suffix == ".tmp" and not path.stem.startswith(INSTALLATION_KEY.stem):
                self._remove_locked(path, path.stem.partition("-")[0])

    def _is_long_over(self, name: str) -> bool:
        try:
            return self._read(name).is_over(self._clock.now() - KEPT_AFTER_END)
        except DoubtfulFileError:
            return False

    def _remove_locked(self, path: Path, name: str) -> None:
        """Removes a file of this name, unless somebody is at work on it."""
        lock = self.lock(name)
        if lock.acquire():
            try:
                if path.suffix == ".tmp" or self._is_long_over(name):
                    path.unlink(missing_ok=True)
            finally:
                lock.release()

    def _say_memory_only(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else error
        self._say(
            "memory",
            "tokens are kept in memory only, so that every process logs in for itself: %s cannot be used (%s); "
            "make it a folder that belongs to this user, may be written to and has room, or remove it",
            self._directory,
            reason,
        )

    def _say(self, subject: str, text: str, *details: object) -> None:
        if subject not in self._said:
            self._said.add(subject)
            LOG.warning(text, *details)


class _MemoryLock:
    def __init__(self, name: str, held: set[str]) -> None:
        self._name, self._held = name, held

    def acquire(self) -> bool:
        if self._name in self._held:
            return False
        self._held.add(self._name)
        return True

    def release(self) -> None:
        self._held.discard(self._name)


class _FileKeyLock:
    """A lock that the system takes back when its holder dies; its file stays: removing it would split the waiters."""

    def __init__(self, path: Path, spare: KeyLock, say: Callable[[Exception], None]) -> None:
        self._lock = FileLock(path, mode=0o600, thread_local=False)
        self._spare, self._say = spare, say

    def acquire(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:  # a disk without locks, or one that may not be written to
            self._say(error)
            return self._spare.acquire()
        return True

    def release(self) -> None:
        if self._lock.is_locked:
            self._lock.release()
        else:
            self._spare.release()
