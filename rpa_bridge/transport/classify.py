"""Answers that are failures: which error, and whether anything may have happened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic_core import from_json

from rpa_bridge.clock import Clock
from rpa_bridge.errors import (
    AuthError,
    ConflictError,
    Delivery,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)

from .base import Request, Response, Transport

KIND_OF_STATUS: dict[int, type[RemoteError]] = {
    400: InvalidError,
    401: AuthError,
    403: DeniedError,
    404: NotFoundError,
    405: InvalidError,
    408: UnavailableError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    413: InvalidError,
    414: InvalidError,
    415: InvalidError,
    421: InvalidError,
    422: InvalidError,
    425: UnavailableError,
    429: RateLimitedError,
    431: InvalidError,
}
"""What a status means where the adapter knows nothing better; 5xx is UnavailableError, the rest ProtocolError."""

REQUEST_ID_HEADERS = ("x-request-id", "x-correlation-id", "request-id", "x-uipath-correlation-id")

Explain = Callable[[Request, Response, Any], "Explanation | None"]
"""An adapter's word on a status of 400 or more; None where it has none.

The third argument is the body parsed as JSON, or None where it is not JSON.
"""

_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


class Explanation:
    """What an adapter reads in a failure: the platform's sentence and code, and a better type than the status's."""

    __slots__ = ("code", "kind", "message")

    def __init__(self, message: str, *, code: str | None = None, kind: type[RemoteError] | None = None) -> None:
        self.message, self.code, self.kind = message, code, kind


class Classify:
    """Raises the typed error for every answer that is not a success."""

    def __init__(self, inner: Transport, explain: Explain, clock: Clock) -> None:
        self._inner, self._explain, self._clock = inner, explain, clock

    async def send(self, request: Request) -> Response:
        response = await self._inner.send(request)
        error = self.error_of(request, response)
        if error is not None:
            raise error
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def error_of(self, request: Request, response: Response) -> RemoteError | None:
        """The error that this answer is; None for a success."""
        if 300 <= response.status < 400:
            return self._error(request, response, _redirected(response), ProtocolError, delivery=Delivery.MAYBE)
        if response.media_type == "text/html" and response.pieces is None:  # a file may well be a web page
            return self._web_page(request, response)
        if response.status < 300:
            return None
        told = self._explain(request, response, _json_or_none(response))
        kind = (told.kind if told else None) or _kind(response.status)
        sentence = told.message if told else f"the platform answered {response.status} without a reason"
        code = told.code if told else None
        return self._error(request, response, sentence, kind, delivery=_delivery(response.status, kind), code=code)

    def _web_page(self, request: Request, response: Response) -> RemoteError:
        if response.status in (401, 404, 429) or response.status >= 500:
            kind = _kind(response.status)
            sentence = f"the platform answered {response.status} with a web page; check the address in the settings"
            return self._error(request, response, sentence, kind, delivery=_delivery(response.status, kind))
        sentence = (
            "the address answered with a web page instead of data; check the address in the settings "
            "(a part of its path may be missing, or a proxy wants a login)"
        )
        return self._error(request, response, sentence, ProtocolError, delivery=Delivery.MAYBE)

    def _error(
        self,
        request: Request,
        response: Response,
        sentence: str,
        kind: type[RemoteError],
        *,
        delivery: Delivery,
        code: str | None = None,
    ) -> RemoteError:
        return kind(
            f"{request.operation}: {sentence}",
            status=response.status,
            code=code,
            operation=request.operation,
            request_id=next((response.headers[h] for h in REQUEST_ID_HEADERS if h in response.headers), None),
            retry_after=retry_after(response.headers, self._clock.now()),
            delivery=delivery,
        )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the answer asks to wait; None when it does not say, or says nonsense.

    A date is compared with the answer's own Date header if there is one, so that a wrong clock here does not matter.
    """
    said = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    until = http_date(said)
    if until is None:
        return None
    return max(0.0, (until - (http_date(headers.get("date", "")) or now)).total_seconds())


def http_date(text: str) -> datetime | None:
    """The moment that a header names; None when it names none."""
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)  # the asctime form comes without a zone


def _kind(status: int) -> type[RemoteError]:
    if status >= 500:
        return UnavailableError
    return KIND_OF_STATUS.get(status, ProtocolError)


def _delivery(status: int, kind: type[RemoteError]) -> Delivery:
    """A refusal is decided before anything is done; whatever else left us may have been carried out."""
    if status in (408, 425) or status >= 500 or kind in (UnavailableError, ProtocolError):
        return Delivery.MAYBE
    return Delivery.REFUSED


def _redirected(response: Response) -> str:
    return f"the address redirects ({response.status}); put the final address into the settings"


def _json_or_none(response: Response) -> Any:
    try:
        return from_json(response.body, allow_inf_nan=False) if response.body else None
    except ValueError:
        return None
