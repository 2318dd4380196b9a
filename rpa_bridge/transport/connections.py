"""Which connection a request goes over: one that all reads share, one that was used a moment ago, or one of its own."""

from __future__ import annotations

import asyncio
import select
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Any

import aiohttp

from rpa_bridge.errors import ProtocolError

from .base import Effect, Request, Response
from .call import CURRENT, is_apart
from .http_failures import StaleConnectionsError, translate
from .resolving import PublicResolver

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

USER_AGENT = "rpa-bridge"
KEEP_ALIVE = 15.0
"""Seconds; shorter than any server's own, so that a pooled connection is not closed under a request."""
BURST = 1.0
"""Seconds in which marked requests follow one another on a connection: no server closes an idle one so soon."""
STALE_CONNECTIONS = 16
"""Connections thrown away in a row before giving up."""


class Kind(Enum):
    """How a connection is used."""

    SHARED = "shared"
    """For one read after another."""
    BURST = "burst"
    """For one marked request after another, while each is answered as it must be."""
    OWN = "own"
    """Once."""
    FOREIGN = "foreign"
    """Once, to a server that the platform has named."""


def kind_for(request: Request) -> Kind:
    """The connection that a request may go over."""
    if request.foreign:
        return Kind.FOREIGN
    if request.effect is Effect.READ:
        return Kind.OWN if is_apart() else Kind.SHARED
    return Kind.BURST if request.mark and not request.streamed else Kind.OWN


class Line:
    """The connection of one marked request."""

    __slots__ = ("_connector", "_protocol", "_used")

    def __init__(self) -> None:
        self._connector: _BurstConnector | None = None
        self._protocol: ResponseHandler | None = None
        self._used = False

    def lead_over(self, connector: _BurstConnector, protocol: ResponseHandler, *, used: bool) -> None:
        """Notes the connection, and whether others were answered on it before."""
        self._connector, self._protocol, self._used = connector, protocol, used

    def settle(self, request: Request, response: Response) -> None:
        """Lets the next one have the connection if the request succeeded and its answer bears its mark; else closes it.

        Raises ProtocolError for a success without the mark on a connection that was used before: that may be the
        answer to another, doubled on the way. A failure cannot be: all answers before were successes.
        """
        if self._connector is None or self._protocol is None:
            return
        if response.status < 300 and request.is_named_in(response.body):
            self._connector.approve(self._protocol)
            return
        self._protocol.close()
        if self._used and response.status < 300:
            self._connector.distrust()
            raise ProtocolError(
                f"{request.operation}: the answer is not to our request",
                status=response.status,
                operation=request.operation,
            )


LINE: ContextVar[Line | None] = ContextVar("rpa_bridge_line", default=None)
"""That of the marked request which is being sent."""


class TranslatedError(Exception):
    """What aiohttp raised, as something that aiohttp does not act upon. Carries no request, header or body."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.error = translate(cause)


def open_session(kind: Kind, platform: str) -> aiohttp.ClientSession:
    """A session with connections of this kind; `platform` is the host of the connection's own address."""
    return aiohttp.ClientSession(
        connector=_connector(kind, platform),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_no_hidden_repetition,),
        trust_env=False,
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
    )


def _connector(kind: Kind, platform: str) -> aiohttp.TCPConnector:
    if kind is Kind.SHARED:
        return _CleanConnector(limit=0, keepalive_timeout=KEEP_ALIVE)
    if kind is Kind.BURST:
        return _BurstConnector(limit=0, keepalive_timeout=BURST)
    if kind is Kind.FOREIGN:
        return _TellingConnector(limit=0, force_close=True, resolver=PublicResolver(platform))
    return _TellingConnector(limit=0, force_close=True)


async def _no_hidden_repetition(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise TranslatedError(error) from None


class _TellingConnector(aiohttp.TCPConnector):
    """Tells when there is a connection, on which the request leaves at once."""

    async def connect(self, req: Any, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _tell()
        return connection


class _CleanConnector(aiohttp.TCPConnector):
    """A pool that never hands out a connection on which something already lies unasked."""

    async def connect(self, req: Any, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        for _ in range(STALE_CONNECTIONS):
            connection = await super().connect(req, traces, timeout)
            try:
                is_clean = await _is_clean(connection)
            except BaseException:
                connection.close()
                raise
            if is_clean:
                return connection
            connection.close()
        raise StaleConnectionsError


class _BurstConnector(_CleanConnector):
    """A pool that hands out again only what was approved since: the answer before was the right one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._approved: dict[ResponseHandler, bool] = {}
        """Of what was handed out, whether it was approved since."""
        self._trusts = True

    def approve(self, protocol: ResponseHandler) -> None:
        """The last answer on this connection was the right one."""
        self._approved[protocol] = self._trusts

    def distrust(self) -> None:
        """Answers get mixed up on the way: no connection is used again from now on."""
        self._trusts = False
        self._approved = dict.fromkeys(self._approved, False)

    async def connect(self, req: Any, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is not None and self._approved.get(protocol, True):
                break
            connection.close()  # its last answer has not been looked at yet
        used = protocol in self._approved
        if not used:
            self._approved = {one: approved for one, approved in self._approved.items() if one.is_connected()}
        self._approved[protocol] = False
        if (line := LINE.get()) is not None:
            line.lead_over(self, protocol, used=used)
        _tell()
        return connection


def _tell() -> None:
    if (call := CURRENT.get()) is not None:
        call.departed = True


async def _is_clean(connection: Connection) -> bool:
    """Whether nothing has arrived that nobody asked for, nor the connection's end."""
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or protocol.should_close:
        return False
    if not _has_something_arrived(transport):
        return True
    await asyncio.sleep(0)  # the event loop looks at the socket, and then handles what it saw, which may be TLS's own
    await asyncio.sleep(0)
    return protocol.is_connected() and not protocol.should_close


def _has_something_arrived(transport: asyncio.Transport) -> bool:
    """Whether the system holds something that the event loop has not seen; True where it cannot be asked."""
    if not hasattr(select, "poll"):  # Windows
        return True
    arrivals = select.poll()
    arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(arrivals.poll(0))
