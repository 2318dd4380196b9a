"""A cancelled call: what has not left never leaves; what has left may still be answered for a moment.

Reads are given up at once. What became of anything else is told, since nobody is left to hear the answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.errors import Delivery, RemoteError

from .base import Effect, Request, Response, Transport
from .call import CURRENT, Call

LOG = logging.getLogger("rpa_bridge.cancelled")
PATIENCE = 2.0
"""Seconds in which an answer may still come; a second cancellation ends them."""
PERHAPS = "it may have happened; look before you repeat it"


class SeeOut:
    """Sends what has an effect in a task of its own, which outlives its caller's cancellation for a moment."""

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self._inner, self._clock = inner, clock

    def send(self, request: Request) -> Coroutine[Any, Any, Response]:
        return self._inner.send(request) if request.effect is Effect.READ else self._send_apart(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _send_apart(self, request: Request) -> Response:
        call = CURRENT.get() or Call(self._clock, math.inf)
        call.departed = False
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        exchange = loop.create_task(self._carry_out(request, over))
        try:
            await over  # not the task, which would be cancelled with us; and no shield, which reports its failure
        except asyncio.CancelledError:
            exchange.add_done_callback(_retrieve)
            await self._see_out(exchange, call, request.operation)
            raise
        return exchange.result()

    async def _carry_out(self, request: Request, over: asyncio.Future[None]) -> Response:
        try:
            return await self._inner.send(request)
        finally:
            if not over.done():
                over.set_result(None)

    async def _see_out(self, exchange: asyncio.Task[Response], call: Call, operation: str) -> None:
        if not call.departed:
            exchange.cancel()
        patience = asyncio.ensure_future(self._clock.sleep(PATIENCE))
        try:
            await asyncio.wait({exchange, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:  # after a second cancellation too
            patience.cancel()
            self._tell(exchange, call, operation)
            exchange.cancel()
        await asyncio.wait({exchange, patience})

    def _tell(self, exchange: asyncio.Task[Response], call: Call, operation: str) -> None:
        if exchange.done() and not exchange.cancelled():
            ending = _ending(exchange)
        else:
            ending = f"no answer came: {PERHAPS}" if call.departed else ""
        if ending:
            call.told = True
            LOG.warning("%s: cancelled after it had left; %s", operation, ending)


def _retrieve(exchange: asyncio.Task[Response]) -> None:
    if not exchange.cancelled():
        exchange.exception()  # else asyncio would report it, where nobody waits for it any more


def _ending(exchange: asyncio.Task[Response]) -> str:
    """What the exchange came to; empty when nothing was sent after all."""
    error = exchange.exception()
    if error is None:
        response = exchange.result()
        if response.pieces is not None:
            response.pieces.close()
        return f"the platform answered {response.status}; look before you repeat it"
    if isinstance(error, RemoteError) and error.delivery is Delivery.NOT_SENT:
        return ""
    return f"no usable answer came ({type(error).__name__}): {PERHAPS}"
