"""Whether this machine's clock is right: the end of a token is told by it."""

from __future__ import annotations

import logging
from datetime import datetime

from rpa_bridge.clock import Clock

from .base import Request, Response, Transport
from .classify import http_date

LOG = logging.getLogger("rpa_bridge.http")
TOLERATED = 60.0
"""Seconds by which two clocks may differ without a word."""


class ClockCheck:
    """Compares the Date of answers to log-ins with our time of day, and warns once when they are far apart."""

    def __init__(self, inner: Transport, connection: str, clock: Clock) -> None:
        self._inner, self._connection, self._clock = inner, connection, clock
        self._said = False

    async def send(self, request: Request) -> Response:
        asked_at = self._clock.now()
        response = await self._inner.send(request)
        if not self._said:
            self._compare(http_date(response.headers.get("date", "")), asked_at)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _compare(self, theirs: datetime | None, asked_at: datetime) -> None:
        if theirs is None:
            return
        ahead = (asked_at - theirs).total_seconds()
        behind = (theirs - self._clock.now()).total_seconds()
        if max(ahead, behind) <= TOLERATED:
            return
        self._said = True
        LOG.warning(
            "%s: this machine's clock is %.0f seconds %s the platform's; set it right, or log-ins may be asked for too "
            "often",
            self._connection,
            max(ahead, behind),
            "ahead of" if ahead > behind else "behind",
        )
