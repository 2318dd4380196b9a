"""Budgets: how many requests of a class may go, and a rest after a 429. Processes that share a folder share them."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from rpa_bridge.clock import Clock, boot_id
from rpa_bridge.errors import Delivery, RateLimitedError

from .call import seconds_left

LOG = logging.getLogger("rpa_bridge.budgets")
REST_WITHOUT_WORD = 1.0
"""Seconds of rest after a 429 that does not say how long."""
LONGEST_REST = 60.0
"""Seconds of rest that a call waits for; while more remain it fails at once and says so."""
JITTER = 0.1
"""Waits are stretched by up to this share, so that callers do not all come back at once."""
SLOWEST = 16.0
"""How many times slower than its rate a budget becomes at most: twice as slow with each 429."""
RECOVERY = 10.0
"""Seconds in which a slowed budget becomes a tenth faster again."""
LONGEST_QUEUE = 3600.0
"""Seconds: turns further ahead than this were not given by us; the file is damaged."""
LONGEST_ASKED = 86_400.0
"""Seconds: a platform that asks for a longer rest is not believed."""
LONGEST_LOCK = 2.0
"""Seconds to wait for a file that others keep for a thousandth of one: a process that was stopped may have it."""
SHARE_FOR_LOCK = 0.25
"""How much of the time that is left is spent on it at most."""
BOOT_BYTES = 36
"""As many as a GUID has characters."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second; `burst` of them may come at once, after a quiet time."""

    per_second: float
    burst: int = 1


@dataclass(frozen=True, slots=True)
class State:
    """Moments in seconds on one clock: when the next turn is due on average, and until when to rest."""

    due: float = 0.0
    rest_until: float = 0.0
    slowed: float = 1.0
    slowed_at: float = 0.0


class Keeper(Protocol):
    """Where a budget's state is kept."""

    def now(self) -> float:
        """The moment, on the clock of the state."""

    async def change(self, change: Callable[[State], State]) -> State:
        """Replaces the state by what the function makes of it, in one step; gives the new one."""

    async def read(self) -> State:
        """The state as it is."""


class Memory:
    """The state of this process alone; best on a clock that nobody can set."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._state = now, State()

    def now(self) -> float:
        return self._now()

    async def change(self, change: Callable[[State], State]) -> State:
        self._state = change(self._state)
        return self._state

    async def read(self) -> State:
        return self._state


class Shared:
    """The state in a file, for all processes that know it; in memory where, or while, it cannot be shared.

    Its moments are those of the machine's monotonic clock: setting the time of day does not move them.
    """

    _FORMAT = struct.Struct(f"<6d{BOOT_BYTES}s")

    def __init__(self, path: Path, clock: Clock, rng: random.Random) -> None:
        self._path, self._clock, self._random = path, clock, rng
        self._own: State | None = None
        """What stands in for the file while it cannot be shared."""
        self._is_broken = self._is_told = False

    def now(self) -> float:
        return self._clock.monotonic()

    async def change(self, change: Callable[[State], State]) -> State:
        try:
            lock = None if self._is_broken else await self._locked()
            if lock is not None:
                return self._change_file(change, lock)
        except OSError as error:
            self._is_broken = True
            self._tell(error.strerror or type(error).__name__)
        self._own = self._own or self._load()
        self._own = change(self._own)
        return self._own

    async def read(self) -> State:
        return self._own or self._load()

    def _change_file(self, change: Callable[[State], State], lock: FileLock) -> State:
        try:
            state = change(self._load() if self._own is None else _later(self._load(), self._own))
            self._save(state)
        finally:
            lock.release()
        self._own = None
        return state

    async def _locked(self) -> FileLock | None:
        """The lock; None when others keep it for too long, and then with every turn until it is free at once."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self._path.with_suffix(".lock"), mode=0o600)
        ends = self._clock.monotonic() + min(LONGEST_LOCK, seconds_left() * SHARE_FOR_LOCK)
        while True:
            try:
                lock.acquire(blocking=False)
            except Timeout:
                if self._own is not None or self._clock.monotonic() >= ends:
                    self._tell("another process keeps the lock, as one does that was stopped")
                    return None
                await self._clock.sleep(self._random.uniform(0.001, 0.01))
            else:
                return lock

    def _load(self) -> State:
        """The state in the file; a new one where there is none, or nothing that makes sense."""
        try:
            *numbers, boot = self._FORMAT.unpack(self._path.read_bytes())
        except (OSError, struct.error):
            return State()
        due, rest_until, slowed, slowed_at, monotonic, at = numbers
        if not all(map(math.isfinite, numbers)) or not 1 <= slowed <= SLOWEST or slowed_at > monotonic:
            return State()
        now = self._clock.monotonic()
        if boot == _boot() and monotonic <= now:
            return State(due, rest_until, slowed, slowed_at)
        passed = max(0.0, self._clock.now().timestamp() - at)  # after a restart only the time of day can tell
        ahead = now - passed - monotonic
        return State(due + ahead, rest_until + ahead, slowed, slowed_at + ahead)

    def _save(self, state: State) -> None:
        moments = (state.due, state.rest_until, state.slowed, state.slowed_at)
        content = self._FORMAT.pack(*moments, self._clock.monotonic(), self._clock.now().timestamp(), _boot())
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            os.write(file, content)
            os.ftruncate(file, self._FORMAT.size)
        finally:
            os.close(file)

    def _tell(self, reason: str) -> None:
        if not self._is_told:
            LOG.warning("budgets cannot be shared in %s (%s); this process keeps its own", self._path.parent, reason)
        self._is_told = True


def _later(one: State, other: State) -> State:
    """What both ask for."""
    return State(
        max(one.due, other.due),
        max(one.rest_until, other.rest_until),
        max(one.slowed, other.slowed),
        max(one.slowed_at, other.slowed_at),
    )


def _boot() -> bytes:
    """The machine's start as the file holds it."""
    return boot_id().encode()[:BOOT_BYTES].ljust(BOOT_BYTES, b"\0")


def shared_or_own(folder: Path | None, name: str, clock: Clock, rng: random.Random) -> Keeper:
    """Where the budget of this name is kept: in the folder, or without one in memory."""
    if folder is None:
        return Memory(clock.monotonic)
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Shared(folder / "budgets" / f"{digest}.budget", clock, rng)


class Budget:
    """One class of requests: its rate, if it has one, and its rest after a 429."""

    def __init__(self, rate: Rate | None, keeper: Keeper, clock: Clock, rng: random.Random) -> None:
        self._rate, self._keeper, self._clock, self._random = rate, keeper, clock, rng
        self.is_open = rate is None
        """Whether nobody has to wait for a turn: there is no rate, and no 429 was seen."""

    async def turn(self, operation: str) -> None:
        """Returns when a request may go. Raises RateLimitedError for a turn after the deadline, or too long a rest."""
        while True:
            turn = await self._reserve(operation)
            wait = turn - self._keeper.now()
            if wait <= 0:
                return
            await self._clock.sleep(wait)
            if (await self._keeper.read()).rest_until <= turn:  # else a 429 came while this one waited
                return

    async def refused(self, seconds: float | None) -> None:
        """Notes a 429: everyone rests as long as the platform asked, and then goes more slowly for a while."""
        now = self._keeper.now()
        asked = REST_WITHOUT_WORD if seconds is None else min(seconds, LONGEST_ASKED)
        rest = asked * (1 + self._random.uniform(0, JITTER))

        def slow_down(state: State) -> State:
            until = max(state.rest_until, now + rest)
            slowed = min(_slowness(state, now) * 2, SLOWEST)
            return State(max(state.due, until), until, slowed, now)

        self.is_open = False
        await self._keeper.change(slow_down)

    async def _reserve(self, operation: str) -> float:
        """The moment of this request's turn."""
        turn = 0.0

        def take(state: State) -> State:
            nonlocal turn
            now = self._keeper.now()
            rest = _believed(state.rest_until, now, LONGEST_ASKED * (1 + JITTER))
            if rest - now > min(LONGEST_REST, seconds_left()):
                raise _resting(operation, rest - now)
            if self._rate is None:
                turn = max(now, rest)
                return state
            interval = _slowness(state, now) / self._rate.per_second
            due = max(_believed(state.due, now, LONGEST_QUEUE), now, rest)
            turn = max(now, rest, due - (self._rate.burst - 1) * interval)
            if turn - now > seconds_left():
                raise _queued(operation, turn - now)
            return State(due + interval, rest, state.slowed, state.slowed_at)

        await self._keeper.change(take)
        return turn


def _believed(moment: float, now: float, longest: float) -> float:
    """The moment, unless it is too far ahead to have been set by us."""
    return moment if moment - now <= longest else now


def _slowness(state: State, now: float) -> float:
    """How many times slower than its rate the budget is now."""
    return max(1.0, state.slowed * math.pow(1.1, -max(0.0, now - state.slowed_at) / RECOVERY))


def _queued(operation: str, seconds: float) -> RateLimitedError:
    return RateLimitedError(
        f"{operation}: so many requests wait for their turn that this one's is in {seconds:.0f} seconds, after its "
        f"deadline; ask for less at once, or give it more time",
        operation=operation,
        retry_after=seconds,
        delivery=Delivery.NOT_SENT,
    )


def _resting(operation: str, seconds: float) -> RateLimitedError:
    return RateLimitedError(
        f"{operation}: the platform asked for a rest that has {seconds:.0f} seconds to go; try again then",
        operation=operation,
        retry_after=seconds,
        delivery=Delivery.NOT_SENT,
    )
