"""One line for each exchange, without a header or a body."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.errors import BridgeError
from rpa_bridge.redaction import REDACTOR

from .base import Request, Response, Transport

LOG = logging.getLogger("rpa_bridge.http")


class Trace:
    """Logs at DEBUG what was sent where, what came back and how long it took."""

    def __init__(self, inner: Transport, connection: str, clock: Clock) -> None:
        self._inner, self._connection, self._clock = inner, connection, clock

    def send(self, request: Request) -> Coroutine[Any, Any, Response]:
        return self._traced(request) if LOG.isEnabledFor(logging.DEBUG) else self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _traced(self, request: Request) -> Response:
        started = self._clock.monotonic()
        try:
            response = await self._inner.send(request)
        except BridgeError as error:
            self._log(request, f"{type(error).__name__}: {error}", started)
            raise
        self._log(request, str(response.status), started)
        return response

    def _log(self, request: Request, end: str, started: float) -> None:
        took = (self._clock.monotonic() - started) * 1000
        path = request.path.partition("?")[0]
        line = f"{self._connection} {request.operation}: {request.method} {path} -> {end} ({took:.0f} ms)"
        LOG.debug("%s", REDACTOR.line(line))
