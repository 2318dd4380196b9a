"""One budget for each connection: how many requests a second, how many at once, and a rest after a 429."""

from __future__ import annotations

import asyncio
import random

from rpa_bridge.clock import Clock
from rpa_bridge.errors import Delivery, RateLimitedError

from .base import Request, Response, Transport
from .classify import retry_after

REST_WITHOUT_WORD = 1.0
"""Seconds of rest after a 429 that does not say how long."""
LONGEST_REST = 60.0
"""Seconds of rest that a call waits for; while more remain it fails at once and says so."""
JITTER = 0.1
"""Waits are stretched by up to this share, so that callers do not all come back at once."""


class Pace:
    """Lets requests through at the connection's rate; after a 429 everyone waits as long as the platform asked."""

    def __init__(
        self, inner: Transport, clock: Clock, rng: random.Random, *, rate: float | None, in_flight: int
    ) -> None:
        self._inner, self._clock, self._random = inner, clock, rng
        self._interval = 1 / rate if rate else 0.0
        self._slots = asyncio.Semaphore(in_flight)
        self._next = 0.0
        self._rest_until = 0.0

    async def send(self, request: Request) -> Response:
        async with self._slots:
            await self._turn(request)
            response = await self._inner.send(request)
        if response.status == 429:
            self._rest(retry_after(response.headers, self._clock.now()))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _turn(self, request: Request) -> None:
        while True:
            now = self._clock.monotonic()
            if self._rest_until - now > LONGEST_REST:
                raise _resting(request, self._rest_until - now)
            turn = max(self._next, now)
            self._next = turn + self._interval
            if turn > now:
                await self._clock.sleep(turn - now)
            if turn >= self._rest_until:  # else a 429 came while this one waited: its turn is void
                return

    def _rest(self, seconds: float | None) -> None:
        rest = (REST_WITHOUT_WORD if seconds is None else seconds) * (1 + self._random.uniform(0, JITTER))
        self._rest_until = max(self._rest_until, self._clock.monotonic() + rest)
        self._next = max(self._next, self._rest_until)


def _resting(request: Request, seconds: float) -> RateLimitedError:
    return RateLimitedError(
        f"{request.operation}: the platform asked for a rest that has {seconds:.0f} seconds to go; try again then",
        operation=request.operation,
        retry_after=seconds,
        delivery=Delivery.NOT_SENT,
    )
