"""Tokens in files that only we may read, sealed where there is a key to do so. No trouble with a disk is raised."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
from .sealing import NoKeyError, Seal, is_sealed
from .stores import KeyLock, MemoryStore, Place, Says, Waits

LOG = logging.getLogger("rpa_bridge.auth")
KEPT_AFTER_END = timedelta(days=1)
BETWEEN_CLEANINGS = timedelta(hours=1)
INSTALLATION_KEY = Path("installation.key")
"""What names are made with: without it, a name tells nothing of the secret behind it."""
CLEANED = "cleaned"
"""An empty file, as old as the last cleaning by any process."""

Unlock = Callable[[Path], Awaitable[Seal]]
"""Gets the seal of the records in a folder. Raises NoKeyError."""


class _ForeignSealError(DoubtfulFileError):
    """A record that a process with a keyring has sealed: nothing is wrong with it, but we cannot read it."""


class FileStore:
    """Keeps one file for each key in a folder that only we may enter.

    Where the folder cannot be used, records are kept in memory instead; that is said once.
    """

    def __init__(
        self, directory: Path, clock: Clock, unlock: Unlock | None = None, *, sealed_only: bool = False
    ) -> None:
        """Without `unlock` nothing is sealed; with `sealed_only` nothing is written, or believed, that is not.

        `unlock` is called once, and not before a record is written or a sealed one is met: a keyring takes its time.
        """
        self._directory, self._clock = directory, clock
        self._unlock, self._sealed_only = unlock, sealed_only
        self._seal: Seal | None = None
        self._unlocking = asyncio.Lock()
        self._memory = MemoryStore()
        self._installation_key: bytes | None = None
        self._opening = asyncio.Lock()
        self._usable = True
        self._says = Says()

    async def name(self, key: TokenKey) -> str:
        async with self._opening:
            if self._installation_key is None:
                self._installation_key = await self._open()
        return key.digest(self._installation_key)

    async def load(self, name: str, *, locked: bool = False) -> Record:
        if not self._usable or name in self._memory:
            return await self._memory.load(name)
        try:
            if locked or self._is_kept_sealed(name):  # a lock is taken to write: no new token then waits for a keyring
                await self._get_seal()
            return self._read(name)
        except DoubtfulFileError as doubt:
            path = self._path(name)
            self._says.warn(name, "the token record %s is not used: %s; a new token is asked for", path, doubt)
            if locked and not isinstance(doubt, _ForeignSealError):
                self._put_away(path)
        except OSError as error:
            self._say_memory_only(error)
        return EMPTY

    async def save(self, name: str, record: Record) -> None:
        await self._get_seal()
        if not self._usable:
            await self._memory.save(name, record)
            return
        try:
            await asyncio.to_thread(self._write, name, record)
        except OSError as error:
            await self._memory.save(name, record)
            self._say_memory_only(error)
        else:
            await self._memory.remove(name)

    async def remove(self, name: str) -> None:
        await self._memory.remove(name)
        if not self._usable:
            return
        try:
            for path in (self._path(name), self._directory / f"{name}.bad"):
                path.unlink(missing_ok=True)
        except OSError as error:
            await self._memory.save(name, EMPTY)  # hides what could not be removed
            self._say_memory_only(error)

    def lock(self, name: str) -> KeyLock:
        spare = self._memory.lock(name)
        return _FileKeyLock(self._kernel_lock(name), spare, self._say_memory_only) if self._usable else spare

    def place(self, name: str) -> Place:
        return "file" if self._usable and name not in self._memory else "memory"

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _open(self) -> bytes:
        try:
            make_private_directory(self._directory)
            key = shared_secret(self._directory / INSTALLATION_KEY)
        except (OSError, DoubtfulFileError) as error:
            self._usable = False
            self._say_memory_only(error)
            return secrets.token_bytes(SECRET_LENGTH)
        if self._sealed_only:  # without a key, records are in memory from the beginning
            await self._get_seal()
        return key

    async def _get_seal(self) -> None:
        """Gets the seal that there is to be had, once; whoever comes meanwhile waits for it too."""
        async with self._unlocking:
            if self._usable and self._unlock is not None:
                await self._ask_for_seal(self._unlock)
                self._unlock = None

    async def _ask_for_seal(self, unlock: Unlock) -> None:
        try:
            self._seal = await unlock(self._directory)
        except NoKeyError as reason:
            if not self._sealed_only:
                LOG.info("tokens are kept in files that only this user may read, and not sealed: %s", reason)
                return
            self._usable = False
            self._says.warn(
                "memory",
                "tokens are kept in memory only, so that every process logs in for itself: cache.encryption is "
                "'required' and %s; unlock or install a keyring, or set cache.encryption to 'auto'",
                reason,
            )

    def _put_away(self, path: Path) -> None:
        """Keeps a doubtful file for who wants to look at it, unless it may hold a token in clear and must not."""
        if not self._sealed_only:
            set_aside(path, f"{path.stem}.bad")
            return
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _is_kept_sealed(self, name: str) -> bool:
        return is_sealed(read_private(self._path(name), LARGEST) or b"")

    def _read(self, name: str) -> Record:
        content = read_private(self._path(name), LARGEST)
        if content is None:
            return EMPTY
        return decode(self._opened(content, name), name, self._clock.now(), self._clock.monotonic())

    def _opened(self, content: bytes, name: str) -> bytes:
        if not (self._sealed_only or is_sealed(content)):
            return content
        if self._seal is None:
            raise _ForeignSealError("it is sealed with a key that this process cannot get")
        return self._seal.open(content, name)

    def _write(self, name: str, record: Record) -> None:
        content = encode(record, name)
        write_private(self._path(name), content if self._seal is None else self._seal.seal(content, name))
        with suppress(OSError, NotImplementedError):  # what cannot be removed now is removed another time
            self._clean_if_due()

    def _clean_if_due(self) -> None:
        """Cleans, unless any process did so within the hour."""
        stamp, now = self._directory / CLEANED, self._clock.now()
        if stamp.exists() and timedelta(0) <= now - _changed_at(stamp) < BETWEEN_CLEANINGS:
            return
        stamp.touch(mode=0o600)
        os.utime(stamp, (now.timestamp(), now.timestamp()))
        self._clean(now - KEPT_AFTER_END)

    def _clean(self, before: datetime) -> None:
        """Removes records that are long over or were set aside, and what killed processes were about to write."""
        for path in self._directory.iterdir():
            if path.suffix == ".json" and self._is_over(path.stem, before):
                self._remove_locked(path, path.stem, before)
            elif path.suffix == ".tmp" and not path.stem.startswith(INSTALLATION_KEY.stem):
                self._remove_locked(path, path.stem.partition("-")[0], before)
            elif path.suffix == ".bad" and _changed_at(path) < before:
                path.unlink(missing_ok=True)

    def _is_over(self, name: str, moment: datetime) -> bool:
        try:
            return self._read(name).is_over(moment)
        except DoubtfulFileError:
            return False

    def _remove_locked(self, path: Path, name: str, before: datetime) -> None:
        """Removes a file of this name, unless somebody is at work on it."""
        lock = self._kernel_lock(name)
        with suppress(Timeout), lock.acquire(blocking=False):
            if path.suffix == ".tmp" or self._is_over(name, before):
                path.unlink(missing_ok=True)

    def _kernel_lock(self, name: str) -> FileLock:
        """A lock that the system takes back when its holder dies; its file stays: removing it would split waiters."""
        return FileLock(self._directory / f"{name}.lock", mode=0o600, thread_local=False)

    def _say_memory_only(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else error
        self._says.warn(
            "memory",
            "tokens are kept in memory only, so that every process logs in for itself: %s cannot be used (%s); "
            "make it a folder that belongs to this user, may be written to and has room, or remove it",
            self._directory,
            reason,
        )


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)


class _FileKeyLock:
    """The kernel's lock; where a disk has none, or may not be written to, one within this process."""

    waits = Waits(first=0.005, longest=0.1, patience=25.0)

    def __init__(self, lock: FileLock, spare: KeyLock, say: Callable[[Exception], None]) -> None:
        self._lock, self._spare, self._say = lock, spare, say

    async def acquire(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            self._say(error)
            return await self._spare.acquire()
        return True

    async def release(self) -> None:
        if self._lock.is_locked:
            self._lock.release()
        else:
            await self._spare.release()
