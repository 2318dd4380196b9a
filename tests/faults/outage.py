"""Row 18: what a platform that is down costs in requests."""

from __future__ import annotations

import random
from contextlib import ExitStack
from unittest.mock import patch

from rpa_bridge.errors import Delivery, UnavailableError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import stack
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.retry_budget import RetryBudget

from .whole_stack import whole_stack


class Down:
    """A platform that does not answer, or cannot even be reached."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self.requests = 0

    async def send(self, request: Request) -> Response:
        self.requests += 1
        raise UnavailableError("down", delivery=self._random.choice((Delivery.NOT_SENT, Delivery.MAYBE)))

    async def aclose(self) -> None:
        """Nothing is open."""


async def total_outage(calls: int = 10_000, *, seed: int = 18, guard: bool = True, breaker: bool = False) -> int:
    """Requests that so many calls come to, about ten a second. Without `guard` nobody counts repetitions."""
    rng = random.Random(seed)  # noqa: S311 - a seed repeats it
    clock, down = ManualClock(), Down(rng)
    with ExitStack() as changed:
        if not guard:
            changed.enter_context(patch.object(RetryBudget, "spend", lambda _self, *, after_429: True))
        if not breaker:
            changed.enter_context(patch.object(stack, "Breaker", lambda inner, *_: inner))
        transport = whole_stack(clock, rng, network=down)
        for _ in range(calls):
            clock.advance(rng.uniform(0, 0.2))
            try:
                await transport.send(Request("GET", "/", effect=rng.choice(list(Effect)), operation="harness.call"))
            except UnavailableError:
                continue
            raise AssertionError(f"a platform that is down has answered; seed {seed}")
        await transport.aclose()
    return down.requests
