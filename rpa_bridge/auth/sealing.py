"""Records that nobody can read without a key which lies elsewhere: AES-256-GCM, bound to the record's name.

The key of files is kept by the operating system's keyring. The tokens themselves are not: Windows keeps no secret of
more than 2,560 bytes there, and a keyring may ask its owner for leave each time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from filelock import FileLock

from rpa_bridge.redaction import REDACTOR

from .private_files import SECRET_LENGTH, DoubtfulFileError

T = TypeVar("T")

KEYRING_PATIENCE = 3.0
"""Seconds: a keyring may wait for a person who is not there."""
SERVICE, USER = "rpa-bridge", "token-cache"
"""Where the key lies in the keyring."""

_HEAD = b"rpa-bridge sealed 1\n"
"""The format's version is part of it, and of what is bound."""
_NONCE = 12


class NoKeyError(Exception):
    """There is no key to seal with; the text says why."""


class Seal:
    """Seals and opens records with one key of 32 bytes. Raises NoKeyError when the library for it is missing."""

    def __init__(self, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise NoKeyError("the cryptography package is not installed (rpa-bridge[sealed])") from None
        self._cipher, self._invalid = AESGCM(key), InvalidTag

    def seal(self, content: bytes, name: str) -> bytes:
        """The content, sealed for the record of this name."""
        nonce = secrets.token_bytes(_NONCE)
        return _HEAD + nonce + self._cipher.encrypt(nonce, content, _HEAD + name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """What was sealed under this name. Raises DoubtfulFileError unless it is whole, and was."""
        if not is_sealed(sealed) or len(sealed) < len(_HEAD) + _NONCE:
            raise DoubtfulFileError("it is not sealed")
        nonce, content = sealed[len(_HEAD) : len(_HEAD) + _NONCE], sealed[len(_HEAD) + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, content, _HEAD + name.encode())
        except self._invalid:
            raise DoubtfulFileError("it is damaged, belongs to another log-in, or has another key") from None


def is_sealed(content: bytes) -> bool:
    """Whether this was sealed, with whichever key."""
    return content.startswith(_HEAD)


@dataclass(frozen=True, slots=True)
class KeyringKey:
    """The key of this user's files, in the operating system's keyring; the first of several processes makes it."""

    backend: str | None = None
    """The keyring's class, such as `keyring.backends.SecretService.Keyring`; None leaves it to the keyring package."""

    async def seal(self, directory: Path) -> Seal:
        """A seal with that key; `directory` holds the lock for making it. Raises NoKeyError within three seconds."""
        try:
            async with asyncio.timeout(KEYRING_PATIENCE):
                return Seal(await _aside(lambda: self._key(directory)))
        except TimeoutError:
            raise NoKeyError(f"the keyring did not answer within {KEYRING_PATIENCE:.0f} seconds") from None

    def _key(self, directory: Path) -> bytes:
        try:
            keyring = self._keyring()
            kept = keyring.get_password(SERVICE, USER) or _made(keyring, directory)
        except NoKeyError:
            raise
        except Exception as error:  # noqa: BLE001 - keyrings are plug-ins and fail in any way
            raise NoKeyError(f"the keyring does not work ({type(error).__name__})") from None
        REDACTOR.add(kept, lasting=True)
        try:
            key = base64.b64decode(kept, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != SECRET_LENGTH:
            raise NoKeyError(f"the keyring holds something else under {SERVICE}/{USER}; delete it there")
        return key

    def _keyring(self) -> Any:
        """The keyring to use, if it keeps what it is given safe."""
        try:
            from keyring import core
        except ImportError:
            raise NoKeyError("the keyring package is not installed (rpa-bridge[sealed])") from None
        keyring = core.get_keyring() if self.backend is None else core.load_keyring(self.backend)
        if any(one.priority < 1 for one in getattr(keyring, "backends", None) or [keyring]):
            raise NoKeyError(f"this system has no keyring that keeps secrets safe ({type(keyring).__module__})")
        return keyring


def _made(keyring: Any, directory: Path) -> str:
    with FileLock(directory / "sealing.lock", mode=0o600, timeout=KEYRING_PATIENCE):
        if not keyring.get_password(SERVICE, USER):
            keyring.set_password(SERVICE, USER, base64.b64encode(secrets.token_bytes(SECRET_LENGTH)).decode())
        return str(keyring.get_password(SERVICE, USER))


async def _aside(work: Callable[[], T]) -> T:
    """What the work returns, in a thread that no end waits for: `to_thread` would keep a program from its own."""
    promised: Future[T] = Future()

    def run() -> None:
        promised.set_running_or_notify_cancel()
        try:
            promised.set_result(work())
        except NoKeyError as error:
            promised.set_exception(error)

    Thread(target=run, name="rpa-bridge-keyring", daemon=True).start()
    return await asyncio.wrap_future(promised)
