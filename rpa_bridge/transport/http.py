"""The network: aiohttp's client, with its traps closed. Few files know it: besides this one `connections`, `resolving`
and `http_failures`.

- aiohttp repeats GET, PUT and DELETE by itself after a cut connection; a middleware stops that.
- A second answer on a pooled connection would be taken as the next request's. Calls with an effect, and the looks on
  which effects depend, therefore get a connection of their own, unless their answer must bear their mark; and pooled
  ones are looked at before they are used again.
- Its time-outs do not end every read; each attempt has one of ours round it.
- It follows redirects with custom credential headers attached; none is followed.
"""

from __future__ import annotations

import asyncio
import io
import json
import math
import re
import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from rpa_bridge.errors import ConfigError, Delivery, InvalidError, OutcomeUnknownError, ProtocolError

from .addresses import check_absolute, names_user, origin, query_string
from .base import Effect, Request, Response
from .call import seconds_given, time_for_attempt
from .connections import LINE, Kind, Line, TranslatedError, kind_for, open_session
from .http_failures import addressed, translate
from .options import HttpOptions

ERROR_BODY = 64 * 1024
"""Bytes kept of an error's body."""
LARGE_BODY = 1024 * 1024
"""Bytes beyond which a body is written piece by piece, so that other calls are not held up meanwhile."""

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_REPEATABLE = frozenset({Effect.READ, Effect.SET, Effect.KEYED})
_FORBIDDEN_IN_PATH = re.compile(r"[^\x21-\x7e]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


class Http:
    """Sends to one base address, and to absolute ones for requests that are not signed."""

    def __init__(self, base_url: str, options: HttpOptions) -> None:
        self._base = base_url.rstrip("/")
        self._options = options
        self._sessions: dict[tuple[Kind, str], aiohttp.ClientSession] = {}
        self._limits = aiohttp.ClientTimeout(total=None, connect=options.connect_timeout)
        self._closed = False

    def send(self, request: Request) -> Coroutine[Any, Any, Response]:
        kind = kind_for(request)
        return self._exchange_in_burst(request) if kind is Kind.BURST else self._exchange(request, kind)

    async def _exchange_in_burst(self, request: Request) -> Response:
        line = Line()
        before = LINE.set(line)
        try:
            response = await self._exchange(request, Kind.BURST)
        finally:
            LINE.reset(before)
        line.settle(request, response)
        return response

    async def _exchange(self, request: Request, kind: Kind) -> Response:
        url = self._url(request)
        headers, body = _encoded(request)
        limit = self._time_limit(request)
        patience = self._patience(request, limit)
        session = self._session(kind, request)
        try:
            begun = asyncio.get_running_loop().time()
            async with asyncio.timeout_at(begun + patience) as attempt:
                answer = await session.request(
                    request.method,
                    URL(url, encoded=True),
                    data=_sent(request, body, attempt, limit),
                    headers=headers,
                    allow_redirects=False,
                    timeout=self._limits_in_pieces(patience) if request.streamed else self._limits,
                    ssl=self._tls if url[:6].lower() == "https:" else True,
                    proxy=self._options.proxy.get_secret_value() if self._options.proxy else None,
                )
                if patience < limit and not answer.content.is_eof():
                    _allow(attempt, begun + limit)
                    patience = limit
                response = await self._response(answer, request, url)
        except TranslatedError as translated:
            failure = translated.error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = translate(error, patience)
        else:
            if request.content is not None and not request.content.complete and response.status < 300:
                raise _before_its_end(request, response) from request.content.failure
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

    def _patience(self, request: Request, limit: float) -> float:
        """Seconds in which the answer must begin."""
        if request.effect not in _REPEATABLE or request.timeout is not None or request.content is not None:
            return limit
        return min(self._options.first_byte_timeout, limit)

    def _limits_in_pieces(self, patience: float) -> aiohttp.ClientTimeout:
        """The library's own for a body that is read when the attempt is over."""
        return aiohttp.ClientTimeout(total=None, connect=self._options.connect_timeout, sock_read=patience)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return _tls(self._options)

    def _session(self, kind: Kind, request: Request) -> aiohttp.ClientSession:
        if self._closed:
            raise _refused(request, "the connection has been closed; open it again")
        key = kind, request.operation if kind is Kind.BURST else ""  # other operations may be answered without a mark
        return self._sessions.get(key) or self._sessions.setdefault(key, self._open(kind))

    def _open(self, kind: Kind) -> aiohttp.ClientSession:
        return open_session(kind, URL(self._base, encoded=True).host or "")

    async def _response(self, answer: aiohttp.ClientResponse, request: Request, url: str) -> Response:
        if request.streamed and answer.status < 300:
            return Response(answer.status, answer.headers, b"", _Arriving(answer, request, url))
        async with answer:
            return Response(answer.status, answer.headers, await self._read(answer, request))

    async def _read(self, answer: aiohttp.ClientResponse, request: Request) -> bytes:
        most = ERROR_BODY if answer.status >= 400 else self._options.max_body
        content = answer.content
        pieces = [content.read_nowait()] if content.is_eof() else await _up_to(most, content)
        size = sum(map(len, pieces))
        if size > most and answer.status < 400:
            raise ProtocolError(
                f"{request.operation}: the answer is larger than {most} bytes; ask for less at once, "
                f"or raise http.max_body",
                status=answer.status,
                operation=request.operation,
            )
        return b"".join(pieces)[:most]


async def _up_to(most: int, content: aiohttp.StreamReader) -> list[bytes]:
    """All of it, or a little more than the most."""
    pieces: list[bytes] = []
    size = 0
    async for piece in content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            break
    return pieces


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
) -> bytes | io.BytesIO | aiohttp.BytesPayload | AsyncIterator[bytes] | None:
    """The body as aiohttp takes it. Each piece of streamed content that gets away gives the attempt its time anew."""
    if request.content is not None:
        now = asyncio.get_running_loop().time
        return request.content.read(request.operation, lambda: _allow(attempt, now() + min(limit, seconds_given())))
    if body and len(body) > LARGE_BODY:
        return io.BytesIO(body)
    return _InTime(body) if body and seconds_given() < math.inf else body


class _InTime(aiohttp.BytesPayload):
    """A body that does not leave when the caller's deadline is over: a process that was stopped may go on just here."""

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if seconds_given() <= 0:
            raise TimeoutError
        await super().write_with_length(writer, content_length)


def _allow(attempt: asyncio.Timeout, until: float) -> None:
    """Moves the end of its time, by the event loop's clock, unless that has just come."""
    if not attempt.expired():
        attempt.reschedule(until)


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


def _encoded(request: Request) -> tuple[Mapping[str, str], bytes | None]:
    for name, value in request.headers.items():
        if not _is_header_name(name) or not _is_header_value(value):
            raise _refused(request, f"header {name!r} must not hold a line break or another control character")
    media_type, body = _body(request)
    added = {"Content-Type": media_type} if media_type else {}
    if request.content is not None:
        added |= {"Content-Length": str(request.content.size)}
    if request.streamed:  # a file is wanted as it lies there
        added |= {"Accept": "*/*", "Accept-Encoding": "identity"}
    if not added:
        return request.headers, body
    given = {name.lower() for name in request.headers}
    return {**request.headers, **{name: value for name, value in added.items() if name.lower() not in given}}, body


@lru_cache(maxsize=256)
def _is_header_name(name: str) -> bool:
    return _HEADER_NAME.fullmatch(name) is not None


def _is_header_value(value: str) -> bool:
    return (value.isascii() and value.isprintable()) or _FORBIDDEN_IN_HEADER.search(value) is None


def _body(request: Request) -> tuple[str | None, bytes | None]:
    """The media type, and the body unless it is streamed."""
    if request.content is not None:
        return request.content.media_type, None
    if request.form is None and request.json is None:
        return None, None
    with suppress(TypeError, ValueError, RecursionError):  # these keep the whole text: never a context of ours
        if request.form is not None:
            return "application/x-www-form-urlencoded", urlencode(request.form).encode()
        return "application/json", _JSON.encode(request.json).encode()
    raise _refused(request, "a value cannot be sent; use text, numbers, booleans, lists and objects")


def _refused(request: Request, sentence: str) -> InvalidError:
    return InvalidError(f"{request.operation}: {sentence}", delivery=Delivery.NOT_SENT, operation=request.operation)


def _before_its_end(request: Request, response: Response) -> OutcomeUnknownError:
    """The error for a success told before the platform had all of the content: it may keep a part as the whole."""
    return OutcomeUnknownError(
        f"{request.operation}: the platform reported success before it had the whole content; look at what it keeps "
        f"before you rely on it",
        status=response.status,
        operation=request.operation,
    )
