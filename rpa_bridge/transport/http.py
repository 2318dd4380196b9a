"""The network: aiohttp's client, with its traps closed. The only file that knows it.

- aiohttp repeats GET, PUT and DELETE by itself after a cut connection; a middleware stops that.
- A second answer on a pooled connection would be taken as the next request's; calls with an effect, and the looks on
  which effects depend, therefore get a connection of their own, and pooled ones are looked at before they are used
  again.
- Its time-outs do not end every read; each attempt has one of ours round it.
- It follows redirects with custom credential headers attached; none is followed.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from rpa_bridge.errors import ConfigError, Delivery, InvalidError, ProtocolError

from .addresses import check_absolute, names_user, origin, query_string
from .base import Effect, Request, Response
from .call import CURRENT, is_apart, seconds_given, time_for_attempt
from .http_failures import addressed, translate
from .options import HttpOptions

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

USER_AGENT = "rpa-bridge"
KEEP_ALIVE = 15.0
"""Seconds; shorter than any server's own, so that a pooled connection is not closed under a request."""
ERROR_BODY = 64 * 1024
"""Bytes kept of an error's body."""
LARGE_BODY = 1024 * 1024
"""Bytes beyond which a body is written piece by piece, so that other calls are not held up meanwhile."""
STALE_CONNECTIONS = 16
"""Pooled connections thrown away in a row before giving up."""

_REPEATABLE = frozenset({Effect.READ, Effect.SET, Effect.KEYED})
_FORBIDDEN_IN_PATH = re.compile(r"[^\x21-\x7e]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


class _TranslatedError(Exception):
    """What aiohttp raised, as something that aiohttp does not act upon. Carries no request, header or body."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.error = translate(cause)


async def _no_hidden_repetition(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _TranslatedError(error) from None


class _CleanConnector(aiohttp.TCPConnector):
    """A pool that never hands out a connection on which something already lies unasked."""

    async def connect(self, req: Any, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        for _ in range(STALE_CONNECTIONS):
            connection = await super().connect(req, traces, timeout)
            try:
                await _notice_what_has_arrived()
            except BaseException:
                connection.close()
                raise
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            connection.close()
        raise aiohttp.ServerDisconnectedError


class _TellingConnector(aiohttp.TCPConnector):
    """Tells when there is a connection, on which the request leaves at once."""

    async def connect(self, req: Any, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        if (call := CURRENT.get()) is not None:
            call.departed = True
        return connection


async def _notice_what_has_arrived() -> None:
    """Lets the event loop look at the sockets, and then handle what it saw: two rounds of it."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class Http:
    """Sends to one base address, and to absolute ones for requests that are not signed."""

    def __init__(self, base_url: str, options: HttpOptions) -> None:
        self._base = base_url.rstrip("/")
        self._options = options
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._closed = False

    async def send(self, request: Request) -> Response:
        url = self._url(request)
        headers, body = _encoded(request)
        limit = self._time_limit(request)
        session = self._session(request)
        try:
            async with asyncio.timeout(limit) as attempt:
                answer = await session.request(
                    request.method,
                    URL(url, encoded=True),
                    data=_sent(request, body, attempt, limit),
                    headers=headers,
                    allow_redirects=False,
                    timeout=self._inner_limits(request, limit),
                    ssl=self._tls if url.lower().startswith("https:") else True,
                    proxy=self._options.proxy.get_secret_value() if self._options.proxy else None,
                )
                response = await self._response(answer, request, url)
        except _TranslatedError as translated:
            failure = translated.error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = translate(error, limit)
        else:
            return response
        if request.content is not None and request.content.failure is not None:
            raise request.content.failure
        raise addressed(failure, request, url)  # here, since `from None` would keep the library's error as context

    async def aclose(self) -> None:
        self._closed = True
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    def _url(self, request: Request) -> str:
        if _FORBIDDEN_IN_PATH.search(request.path):
            raise _refused(request, "a path must be percent-encoded; build it with path_segment")
        if request.path.startswith("/"):
            url = self._base + request.path
        else:
            url = request.path
            check_absolute(url, request.operation)
            if names_user(url):
                raise ConfigError(f"{request.operation}: the address to send to holds a user; it must not")
            if request.signed and origin(url) != origin(self._base):
                raise ConfigError(f"{request.operation}: a signed request goes only to the connection's own address")
        if not request.params:
            return url
        return f"{url}{'&' if '?' in url else '?'}{query_string(request.params)}"

    def _time_limit(self, request: Request) -> float:
        usual = self._options.timeout if request.effect in _REPEATABLE else self._options.effect_timeout
        return min(request.timeout or usual, time_for_attempt(request.operation))

    def _inner_limits(self, request: Request, limit: float) -> aiohttp.ClientTimeout:
        impatient = request.effect in _REPEATABLE and request.timeout is None
        first_byte = self._options.first_byte_timeout if impatient else limit
        return aiohttp.ClientTimeout(total=None, connect=self._options.connect_timeout, sock_read=first_byte)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return _tls(self._options)

    def _session(self, request: Request) -> aiohttp.ClientSession:
        if self._closed:
            raise _refused(request, "the connection has been closed; open it again")
        pooled = request.effect is Effect.READ and not is_apart()
        if pooled not in self._sessions:
            self._sessions[pooled] = self._open(pooled)
        return self._sessions[pooled]

    def _open(self, pooled: bool) -> aiohttp.ClientSession:
        connector = (
            _CleanConnector(limit=0, keepalive_timeout=KEEP_ALIVE)
            if pooled
            else _TellingConnector(limit=0, force_close=True)
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_no_hidden_repetition,),
            trust_env=False,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        )

    async def _response(self, answer: aiohttp.ClientResponse, request: Request, url: str) -> Response:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if request.streamed and answer.status < 300:
            return Response(answer.status, headers, b"", _Arriving(answer, request, url))
        async with answer:
            return Response(answer.status, headers, await self._read(answer, request))

    async def _read(self, answer: aiohttp.ClientResponse, request: Request) -> bytes:
        pieces: list[bytes] = []
        size, limit = 0, self._options.max_body
        async for piece in answer.content.iter_any():
            size += len(piece)
            if answer.status >= 400 and size > ERROR_BODY:
                pieces.append(piece)
                return b"".join(pieces)[:ERROR_BODY]
            if size > limit:
                raise ProtocolError(
                    f"{request.operation}: the answer is larger than {limit} bytes; ask for less at once, "
                    f"or raise http.max_body",
                    status=answer.status,
                    operation=request.operation,
                )
            pieces.append(piece)
        return b"".join(pieces)


class _Arriving:
    """A body on its way. The session's `sock_read` is how long one piece may take."""

    def __init__(self, answer: aiohttp.ClientResponse, request: Request, url: str) -> None:
        self._answer, self._request, self._url = answer, request, url

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = translate(error)
        else:
            return
        raise addressed(failure, self._request, self._url)

    def close(self) -> None:
        self._answer.close()


def _sent(
    request: Request, body: bytes | None, attempt: asyncio.Timeout, limit: float
) -> bytes | io.BytesIO | AsyncIterator[bytes] | None:
    """The body as aiohttp takes it. Each piece of streamed content that gets away gives the attempt its time anew."""
    if request.content is not None:
        loop = asyncio.get_running_loop()
        return request.content.read(
            request.operation, lambda: attempt.reschedule(loop.time() + min(limit, seconds_given()))
        )
    return io.BytesIO(body) if body and len(body) > LARGE_BODY else body


def _tls(options: HttpOptions) -> ssl.SSLContext:
    """A context that verifies. Built by hand: Python's default one would honour SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.ca_file is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=options.ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigError(f"http.ca_file {options.ca_file} cannot be read as PEM certificates") from None
    return context


def _encoded(request: Request) -> tuple[dict[str, str], bytes | None]:
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name) or _FORBIDDEN_IN_HEADER.search(value):
            raise _refused(request, f"header {name!r} must not hold a line break or another control character")
    media_type, body = _body(request)
    added = {"Content-Type": media_type} if media_type else {}
    if request.content is not None:
        added |= {"Content-Length": str(request.content.size)}
    if request.streamed:  # a file is wanted as it lies there
        added |= {"Accept": "*/*", "Accept-Encoding": "identity"}
    given = {name.lower() for name in request.headers}
    return {**request.headers, **{name: value for name, value in added.items() if name.lower() not in given}}, body


def _body(request: Request) -> tuple[str | None, bytes | None]:
    """The media type, and the body unless it is streamed."""
    if request.content is not None:
        return request.content.media_type, None
    if request.form is None and request.json is None:
        return None, None
    with suppress(TypeError, ValueError, RecursionError):  # these keep the whole text: never a context of ours
        if request.form is not None:
            return "application/x-www-form-urlencoded", urlencode(request.form).encode()
        return "application/json", json.dumps(request.json, ensure_ascii=False, allow_nan=False).encode()
    raise _refused(request, "a value cannot be sent; use text, numbers, booleans, lists and objects")


def _refused(request: Request, sentence: str) -> InvalidError:
    return InvalidError(f"{request.operation}: {sentence}", delivery=Delivery.NOT_SENT, operation=request.operation)
