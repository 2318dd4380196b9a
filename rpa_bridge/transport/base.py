"""What a request is, and the one method behind which the network stands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from rpa_bridge.errors import ProtocolError

from .addresses import origin
from .content import Content


class Effect(StrEnum):
    """What sending a request twice would do. Known to whoever writes the call, never to the HTTP verb."""

    READ = "read"
    """Changes nothing."""
    SET = "set"
    """Leads to the same end when repeated: replace a whole object, delete by id."""
    KEYED = "keyed"
    """The platform itself refuses a second one with our key."""
    FINDABLE = "findable"
    """The platform keeps our key, so that a look-up can tell whether it happened."""
    BLIND = "blind"
    """Cannot be found again: never repeated after an uncertain end."""


_PLAIN = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass
class Request:
    """What is to be sent. Nobody changes one that is made; that it is not frozen saves a hundredth of a call's time.

    `effect` has no default: BotMaestro's "pull" is a GET that reserves an item.
    """

    method: str
    path: str = field(repr=False)
    """Percent-encoded path below the connection's base, or an absolute address: signed only on the same origin."""
    _: KW_ONLY
    effect: Effect
    operation: str
    """A name for logs and errors, such as "jobs.start"."""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    content: Content | None = field(default=None, repr=False)
    """A body that is sent piece by piece; time limits then hold for each piece."""
    streamed: bool = False
    """Whether the answer's body is wanted piece by piece, as `Response.pieces`; use `opened`."""
    signed: bool = True
    """False for log-in calls: no token is fetched or attached."""
    foreign: bool = False
    """Whether the platform has named the server: then it must not be in a private network, unless the platform is."""
    budget: str = ""
    """The class of requests that it is counted among, where the platform counts some by themselves."""
    timeout: float | None = None
    """Seconds for one attempt; None takes the connection's."""
    mark: str = ""
    """A text of ours, not given to any other request, that stands in the JSON of its answer and of no other.

    With it the request may go over a connection that others like it were answered on a moment ago. A text that JSON
    may write in several ways is no mark.
    """

    def __post_init__(self) -> None:
        if self.mark and not _PLAIN.fullmatch(self.mark):
            self.mark = ""

    @property
    def server(self) -> str:
        """The origin it goes to; empty for the connection's own."""
        return "" if self.path.startswith("/") else origin(self.path)

    @property
    def spent(self) -> bool:
        """Whether its body was a stream that has been read and cannot be read again: then it cannot be repeated."""
        return self.content is not None and self.content.spent

    def is_named_in(self, body: bytes) -> bool:
        """Whether its mark stands in the body as a text of its own."""
        return bool(self.mark) and f'"{self.mark}"'.encode() in body

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The same request with these headers added or replaced."""
        changed = object.__new__(Request)  # `replace` takes five times as long, and this is done for every call
        vars(changed).update(vars(self), headers={**self.headers, **headers})
        return changed


class Pieces(Protocol):
    """A body that is read while it arrives. Raises RemoteError when it breaks off: it never just ends early."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def close(self) -> None:
        """Gives the connection back; what has not been read is lost."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: read to its end, or for a streamed request in `pieces`."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Asked for in lower case."""
    body: bytes = field(repr=False)
    pieces: Pieces | None = field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty when not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport(Protocol):
    """Anything that can send a request: the network, a layer round it, or a test."""

    async def send(self, request: Request) -> Response:
        """The answer. Raises RemoteError when there is none that can be used."""

    async def aclose(self) -> None:
        """Give back what is held open."""


@asynccontextmanager
async def opened(
    transport: Transport, request: Request, *, refuse_pages: bool = False
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The answer's body piece by piece, for the length of a block. Raises what `send` raises, on entry.

    `refuse_pages` where a web page can only be a gateway's, and not the file: then it is a ProtocolError.
    """
    response = await transport.send(replace(request, streamed=True))
    if refuse_pages and response.media_type == "text/html":
        if response.pieces is not None:
            response.pieces.close()
        raise ProtocolError(
            f"{request.operation}: a web page came instead of the file; check the address in the settings "
            f"(a proxy may want a login)",
            status=response.status,
            operation=request.operation,
        )
    if response.pieces is None:  # a layer, or a transport of a test, that has read it already
        yield Content(response.body, len(response.body)).read(request.operation, lambda: None)
        return
    try:
        yield aiter(response.pieces)
    finally:
        response.pieces.close()
