"""What every request to a face passes through: it is noted down, and the fault on order for it is played."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from fnmatch import fnmatchcase

from aiohttp import StreamReader, web
from aiohttp.typedefs import Handler

from rpa_bridge.redaction import MASK

from .face import Face
from .faults import Fault, FaultKind, When
from .world import Exchange, Late, World

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 64 * 1024
"""More of a request's body is not kept."""

_PRIVATE_HEADERS = {"authorization", "proxy-authorization", "cookie", "token", "x-api-key", "x-robot-license"}
_KEPT = ("json", "x-www-form-urlencoded")
"""How the types of bodies end that are kept; any other is an upload."""


class Stage:
    """The middleware of one face."""

    def __init__(self, world: World, face: Face, closing: asyncio.Event) -> None:
        self._world = world
        self._face = face
        self._closing = closing

    @web.middleware
    async def play(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The face's answer, or what a fault makes of it."""
        await self._world.deliver()
        exchange = self._note(request)
        exchange.body = await self._body(request)
        fault = self._world.faults.take(f"{request.method} {request.raw_path}")
        answer = None
        if fault is None or fault.when is When.AFTER:
            answer = await self._carry_out(exchange, request, handler)
        elif fault.when is When.LATE:
            await self._hold_back(fault, exchange, request, handler)
        if fault is not None:
            answer = await self._spoil(fault, request, answer)
        if answer is None:
            return _cut(request)
        exchange.status = answer.status
        return answer

    def _note(self, request: web.Request) -> Exchange:
        headers = {
            name.lower(): MASK if name.lower() in _PRIVATE_HEADERS else value for name, value in request.headers.items()
        }
        exchange = Exchange(
            number=self._world.next_id("exchange"),
            at=self._world.clock.now(),
            face=self._face.name,
            method=request.method,
            path=self._face.private_values.sub(MASK, request.raw_path),
            headers=headers,
        )
        self._world.note(exchange)
        return exchange

    async def _body(self, request: web.Request) -> str:
        """What is kept of the body. An upload stays in the stream, for the face to read piece by piece."""
        if not request.can_read_body or not request.content_type.endswith(_KEPT):
            return ""
        body = await request.read()
        private = any(fnmatchcase(request.path.lower(), pattern) for pattern in self._face.private_paths)
        if private or self._face.private_values.search(request.raw_path):
            return MASK
        return body[:MOST_BODY_BYTES].decode("utf-8", "replace")

    async def _carry_out(self, exchange: Exchange, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await self._answer(request, handler)
        if answer.status < 400:
            exchange.executed, exchange.executed_at = True, self._world.clock.now()
        return answer

    async def _hold_back(self, fault: Fault, exchange: Exchange, request: web.Request, handler: Handler) -> None:
        """Lets the request be carried out later, whole, though its connection is gone by then."""
        body = await request.read()

        async def carry_out() -> None:
            stream = StreamReader(request.protocol, limit=len(body) + 1, loop=asyncio.get_running_loop())
            stream.feed_data(body)
            stream.feed_eof()
            request._payload = stream  # noqa: SLF001 - a form with files is read from it; the old one ended when cut
            await self._carry_out(exchange, request, handler)

        self._world.late.append(Late(self._world.clock.now() + timedelta(seconds=fault.delay), carry_out))

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if isinstance(request.match_info.http_exception, web.HTTPNotFound):
            return self._face.not_found(request)
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            return _as_response(refusal)
        except Exception:
            log.exception("the sandbox's face %s crashed on %s %s", self._face.name, request.method, request.path)
            return web.Response(status=500, text="the sandbox's face crashed; its log tells more")

    async def _spoil(
        self, fault: Fault, request: web.Request, answer: web.StreamResponse | None
    ) -> web.StreamResponse | None:
        """What the client gets instead; None when the connection is to be cut."""
        match fault.kind:
            case FaultKind.STATUS:
                return _plain(fault)
            case FaultKind.HTML:
                return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")
            case FaultKind.TRUNCATE:
                return await _half(request, answer or _plain(fault))
            case FaultKind.HANG:
                await self._hang(fault.seconds)
        return None

    async def _hang(self, seconds: float) -> None:
        """Waits in real time; a client that gives up, or the end of the sandbox, ends it early."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


def _as_response(refusal: web.HTTPException) -> web.Response:
    """aiohttp wants its exceptions raised, not returned; a fault may have to come after one."""
    return web.Response(status=refusal.status, reason=refusal.reason, headers=refusal.headers, body=refusal.body)


def _plain(fault: Fault) -> web.Response:
    headers = {"Content-Type": "text/plain; charset=utf-8"} | fault.headers
    return web.Response(status=fault.status, headers=headers, body=fault.body.encode())


async def _half(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse | None:
    """The head of the answer and half of its body; None when there is no body to halve."""
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes) or not body:
        return None
    torn = web.StreamResponse(status=answer.status, headers=answer.headers)
    torn.content_length = len(body)
    await torn.prepare(request)
    await torn.write(body[: len(body) // 2])
    _close(request)
    return torn


def _cut(request: web.Request) -> web.Response:
    """Closes the connection; aiohttp then finds nobody to send the response to."""
    _close(request)
    return web.Response()


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
