"""How many requests at once, and when each may go: its class has a budget."""

from __future__ import annotations

import asyncio
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
        self._slots = asyncio.Semaphore(in_flight)

    async def send(self, request: Request) -> Response:
        budget = self._budgets.get(request.budget) or self._budgets[""]
        if self._slots.locked():
            await self._wait_for_slot(request.operation)
        else:
            await self._slots.acquire()
        try:
            if not budget.is_open:
                await budget.turn(request.operation)
            response = await self._inner.send(request)
        finally:
            self._slots.release()
        if response.status == 429:
            await budget.refused(retry_after(response.headers, self._clock.now()))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _wait_for_slot(self, operation: str) -> None:
        async with in_time(operation, "too many other requests were under way"):
            await self._slots.acquire()
