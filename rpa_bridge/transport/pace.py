"""How many requests at once, and when each may go: its class has a budget."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from rpa_bridge.clock import Clock

from .base import Request, Response, Transport
from .budgets import Budget
from .call import in_time
from .classify import retry_after


class Pace:
    """Lets requests through at the rate of their class; after a 429 all of the class wait as long as was asked."""

    def __init__(self, inner: Transport, clock: Clock, budgets: Mapping[str, Budget], *, in_flight: int) -> None:
        """`budgets` by class; the one called "" is for requests of no class that is known."""
        self._inner, self._clock, self._budgets = inner, clock, budgets
        self._free = in_flight
        self._waiting: deque[asyncio.Future[None]] = deque()
        """Callers without a slot: one that becomes free is the first one's."""

    async def send(self, request: Request) -> Response:
        budget = self._budgets.get(request.budget) or self._budgets[""]
        if self._free:
            self._free -= 1
        else:
            await self._wait_for_slot(request.operation)
        try:
            if not budget.is_open:
                await budget.turn(request.operation)
            response = await self._inner.send(request)
        finally:
            if self._waiting:
                self._pass_on()
            else:
                self._free += 1
        if response.status == 429:
            await budget.refused(retry_after(response.headers, self._clock.now()))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _wait_for_slot(self, operation: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with in_time(operation, "too many other requests were under way"):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it got the slot as it gave up
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Gives a slot to the first who still waits, else back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
