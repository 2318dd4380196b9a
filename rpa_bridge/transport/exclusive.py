"""One at a time under a name: in this process, and across the processes that share a cache folder."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rpa_bridge.clock import Clock
from rpa_bridge.errors import ConflictError, Delivery

from .call import in_time, seconds_left

LOG = logging.getLogger("rpa_bridge.exclusive")
STRIPES = 256
"""Names share this many locks, so that a year of names does not leave a year of files."""
PATIENCE = 200.0
"""Seconds: longer than one holder may need to settle an uncertain answer."""


class Exclusive:
    """Locks by name. A process that dies gives its lock back; the files are never removed."""

    def __init__(self, cache_dir: Path | None, clock: Clock, rng: random.Random) -> None:
        self._directory = cache_dir / "locks" if cache_dir else None
        self._clock, self._random = clock, rng
        self._locks: dict[int, asyncio.Lock] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Holds the name's lock for the length of a block. Raises ConflictError when it is not free in time."""
        stripe = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4], "big") % STRIPES
        own = self._locks.setdefault(stripe, asyncio.Lock())
        async with in_time(name, "another call was busy with it"):
            await own.acquire()
        try:
            lock = await self._acquired(stripe, name)
            try:
                yield
            finally:
                if lock is not None:
                    lock.release()
        finally:
            own.release()

    async def _acquired(self, stripe: int, name: str) -> FileLock | None:
        """The lock, taken; None where the folder cannot hold locks."""
        if self._directory is None:
            return None
        deadline = self._clock.monotonic() + min(PATIENCE, seconds_left())
        while True:
            try:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = FileLock(self._directory / f"{stripe:03d}.lock", mode=0o600)
                lock.acquire(blocking=False)
            except Timeout:
                await self._pause(name, deadline)
            except OSError as error:
                LOG.warning("no locks in %s (%s); only this process is kept apart", self._directory, error.strerror)
                self._directory = None
                return None
            else:
                return lock

    async def _pause(self, name: str, deadline: float) -> None:
        if self._clock.monotonic() > deadline:
            raise ConflictError(
                f"another process is still busy with {name!r}; wait for it, or end it", delivery=Delivery.NOT_SENT
            )
        await self._clock.sleep(self._random.uniform(0.02, 0.2))
