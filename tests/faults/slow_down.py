"""Rows 19 and 20: after a 429 nobody comes back early, and not all come back at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import random
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from unittest.mock import patch

from rpa_bridge.errors import RateLimitedError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import budgets, classify, pace, retry
from rpa_bridge.transport.base import Effect, Request, Response, Transport

from .whole_stack import Asked, Server, whole_stack

LONGEST_REST = 45
"""Seconds that the platform asks for, at most."""
SKEW = 600.0
"""Seconds by which its clock is wrong, at most."""
BIN = 0.1
"""Seconds in which clients are counted together."""
REST = 10.0
"""Seconds that many clients are told to wait."""


@dataclass
class Repeats:
    """What the platform saw after its refusals."""

    refused: int = 0
    early: int = 0
    on_time: int = 0


class Strict:
    """Refuses every second request, says how long to stay away, and counts who does not."""

    def __init__(self, clock: ManualClock, rng: random.Random) -> None:
        self._clock, self._random = clock, rng
        self._not_before: float | None = None
        self.found = Repeats()

    async def answer(self, asked: Asked) -> None:
        if self._not_before is None:
            self.found.refused += 1
            asked.reply(429, self._refusal())
            return
        early = self._clock.monotonic() < self._not_before - 1e-6
        self.found.early += early
        self.found.on_time += not early
        self._not_before = None
        asked.reply()

    def _refusal(self) -> str:
        seconds = self._random.randint(0, LONGEST_REST)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if self._random.random() < 0.5:
            self._not_before = monotonic + seconds
            return f"Retry-After: {seconds}\r\n"
        now += timedelta(seconds=self._random.uniform(-SKEW, SKEW))
        until = now.replace(microsecond=0) + timedelta(seconds=seconds)
        self._not_before = monotonic + (until - now).total_seconds()
        return f"Date: {format_datetime(now, usegmt=True)}\r\nRetry-After: {format_datetime(until, usegmt=True)}\r\n"


async def repeats(refusals: int = 2_000, *, seed: int = 19, guard: bool = True) -> Repeats:
    """Who comes back when, over real sockets. Without `guard` nobody reads Retry-After."""
    rng = random.Random(seed)  # noqa: S311 - a seed repeats it
    clock = ManualClock()
    strict = Strict(clock, rng)
    with ExitStack() as changed:
        if not guard:
            for reader in (classify, pace):
                changed.enter_context(patch.object(reader, "retry_after", lambda *_: None))
        async with Server(strict.answer) as server:
            while strict.found.refused < refusals:
                transport = whole_stack(clock, rng, url=server.url)  # anew: the retry budget would soon be empty
                for _ in range(min(20, refusals - strict.found.refused)):
                    clock.advance(rng.uniform(0, 1))
                    await _calling(transport, rng.choice(list(Effect)))
                await transport.aclose()
    return strict.found


class EventClock(ManualClock):
    """Time that moves on when nobody has anything else to do; sleepers wake in order."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic() + seconds, next(self._numbers), woken))
        await woken

    async def run(self, tasks: list[asyncio.Task[None]]) -> None:
        """Returns when the tasks are done."""
        while not all(task.done() for task in tasks):
            for _ in range(50):
                await asyncio.sleep(0)
            if self._sleepers:
                moment, _, woken = heapq.heappop(self._sleepers)
                self.advance(max(0.0, moment - self.monotonic()))
                if not woken.done():
                    woken.set_result(None)


class Rush:
    """Refuses whoever comes before its rest is over, and notes when the others come."""

    def __init__(self, clock: EventClock) -> None:
        self._clock, self._began = clock, clock.monotonic()
        self.came: list[float] = []

    async def send(self, request: Request) -> Response:
        passed = self._clock.monotonic() - self._began
        if passed < REST:
            return Response(429, {"retry-after": f"{REST:.0f}"}, b"{}")
        self.came.append(passed)
        return Response(200, {}, b"{}")

    async def aclose(self) -> None:
        """Nothing is open."""


async def rush(clients: int = 200, *, together: bool, seed: int = 20, guard: bool = True) -> float:
    """How full the fullest moment after a refusal is, as a multiple of the mean.

    `together`: all callers in one process, at the rate that its adapter keeps; else each is a process of its own, and
    the mean is over the tenth of the rest by which they may come later. Without `guard` nothing spreads them.
    """
    rng = random.Random(seed)  # noqa: S311 - a seed repeats it
    clock = EventClock()
    platform = Rush(clock)
    with ExitStack() as changed:
        if not guard:
            for spreader in (budgets, retry):
                changed.enter_context(patch.object(spreader, "JITTER", 0.0))
        rate = 10.0 if together and guard else None
        stacks = [whole_stack(clock, rng, network=platform, rate=rate) for _ in range(1 if together else clients)]
        calls = [asyncio.create_task(_calling(stacks[number % len(stacks)], Effect.READ)) for number in range(clients)]
        await clock.run(calls)
        for one in stacks:
            await one.aclose()
    fullest = max(Counter(int(moment / BIN) for moment in platform.came).values())
    span = max(platform.came[-1] - platform.came[0], REST * 0.1)
    return fullest / (len(platform.came) / math.ceil(span / BIN))


async def _calling(transport: Transport, effect: Effect) -> None:
    """Calls until it is answered: a call that has no budget left is the caller's to repeat."""
    while True:
        try:
            await transport.send(Request("GET", "/", effect=effect, operation="harness.call"))
        except RateLimitedError:
            continue
        return
