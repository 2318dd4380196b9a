"""What all nouns send through, and pages as Spring makes them."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from rpa_bridge.clock import Clock
from rpa_bridge.errors import Delivery, NotFoundError, ProtocolError, RemoteError, UnsupportedError
from rpa_bridge.helpers import paging
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.transport.addresses import path_segment
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.content import Content, form_with_file
from rpa_bridge.transport.decode import WireModel, decode, json_of
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.exclusive import Exclusive

from .wire.auth import VERSION_PATH, VersionAnswer
from .wire.lists import Page

PAGE = 100
"""Rows a page."""
MOST_REPEATED = 20
"""Pages in a row without anything new: small ones may all hold what has moved on from the page before."""
STOP_A_RUN = "jobs.stop of a running task"
CHANGE_A_FIELD = "credentials.put of a field that is there"
SINCE = {
    "credentials": "2.0.0",
    "incidents": "2.0.0",
    STOP_A_RUN: "2.0.0",
    "credentials.delete": "3.0.0",
    CHANGE_A_FIELD: "3.0.0",
    "queues": "3.0.2",
}
"""The server's version from which there is a noun, a verb, or a part of one. docs: botmaestro.md 2 "Gates"

The official SDK checks where it gets a datapool or a credential; whoever gets none can do nothing with one.
"""
LONGEST_VERSION = 40
"""Characters of it that are passed on."""
VERSION_TIMEOUT = 5.0
"""Seconds for one attempt: nothing that depends on the version may wait long for it."""
_VERSION = re.compile(r"v?([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:\.([0-9]{1,6}))?(?![0-9])", re.ASCII)
_REFUSED_IN_LABELS = frozenset("/?#%\\")
"""No official client escapes labels, so these cannot be in one. docs: botmaestro.md 1"""

NEWEST_FIRST = {"sort": "dateCreation,desc"}
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)

M = TypeVar("M", bound=WireModel)


class ServerVersion:
    """How old the server is: asked once, when the first call depends on it. What cannot be read is no hindrance."""

    def __init__(self, transport: Transport, told: str | None = None) -> None:
        self._transport = transport
        self._asked = told is not None
        self._asking = asyncio.Lock()
        self.told = told
        """As the server says it; None while nobody asked, and where it does not say."""

    async def ask(self) -> str | None:
        """Asks anew. Raises RemoteError."""
        operation = "server.version"
        request = Request(
            "GET", VERSION_PATH, effect=Effect.READ, operation=operation, signed=False, timeout=VERSION_TIMEOUT
        )
        response = await self._transport.send(request)
        self._asked = True
        try:
            self.told = " ".join(decode(VersionAnswer, request, response).version.split())[:LONGEST_VERSION]
        except ProtocolError:  # it answered, and that is all that matters
            self.told = None
        return self.told

    async def lacks(self, what: str) -> str | None:
        """The version that a noun or verb needs where the server is older, else None."""
        if wanted_for(what) is None:
            return None
        if not self._asked:
            await self._ask_once()
        return self.known_to_lack(what)

    def known_to_lack(self, what: str) -> str | None:
        """The same by what is known now: nothing is sent."""
        wanted = wanted_for(what)
        here = _numbers(self.told or "")
        return wanted if wanted and here and here < _numbers(wanted) else None

    async def _ask_once(self) -> None:
        async with self._asking:
            if self._asked:
                return
            try:
                await self.ask()
            except RemoteError as error:  # a server that cannot be reached yet is asked again
                self._asked = error.delivery is not Delivery.NOT_SENT


def wanted_for(what: str) -> str | None:
    """The version that a noun, or a verb as "noun.verb", needs; None where any will do."""
    return SINCE.get(what) or SINCE.get(what.partition(".")[0])


@lru_cache(maxsize=32)
def _numbers(version: str) -> tuple[int, ...]:
    """The three numbers of a version, such as 3.0.2; empty for what is none."""
    found = _VERSION.match(version)
    return tuple(int(one or 0) for one in found.groups()) if found else ()


@dataclass(frozen=True, slots=True)
class Client:
    """One connection's way to send, and what its nouns share."""

    transport: Transport
    clock: Clock
    exclusive: Exclusive
    new_id: Callable[[], str]
    effects: Effects
    version: ServerVersion

    async def needs(self, what: str) -> None:
        """Raises UnsupportedError when the server is too old for this verb, or part of one. All calls ask this first.

        Where the version cannot be read nothing is refused: the server then has its own word on it.
        """
        wanted = await self.version.lacks(what)
        if wanted is not None:
            hint = f"it needs a server of version {wanted}, and this one has {self.version.told}: have it updated"
            raise UnsupportedError(what, adapter="botmaestro", hint=hint)

    async def call(
        self,
        method: str,
        path: str,
        *,
        effect: Effect,
        operation: str,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        mark: str = "",
    ) -> Any:
        """The answer's JSON; None for 204 only: an empty 200 may be an entry that got lost on the way.

        `mark` as in `Request`.
        """
        await self.needs(operation)
        request = Request(method, path, effect=effect, operation=operation, params=params or {}, json=json, mark=mark)
        response = await self.transport.send(request)
        return None if response.status == 204 else json_of(request, response)

    async def tell(self, method: str, path: str, *, effect: Effect, operation: str, json: Any = None) -> None:
        """Sends what is answered by a text, or by nothing."""
        await self.needs(operation)
        await self.transport.send(Request(method, path, effect=effect, operation=operation, json=json))

    async def upload(self, path: str, file_name: str, content: Content, *, effect: Effect, operation: str) -> None:
        """Sends a file as the part "file" of a form. docs: botmaestro.md 6 and 7"""
        form = form_with_file("file", file_name, content, self.new_id(), operation)
        await self.transport.send(Request("POST", path, effect=effect, operation=operation, content=form))

    async def read_list(
        self, model: type[M], path: str, *, operation: str, params: Mapping[str, str] | None = None
    ) -> list[M]:
        """What is answered as a bare array."""
        answer = await self.call("GET", path, effect=Effect.READ, operation=operation, params=params)
        if not isinstance(answer, list):
            raise ProtocolError(f"{operation}: the platform's answer is not a list", operation=operation)
        return model.many(answer, operation)

    async def read(self, model: type[M], path: str, *, operation: str) -> M:
        """One object."""
        return model.of(await self.call("GET", path, effect=Effect.READ, operation=operation), operation)

    async def all_rows(
        self, model: type[M], path: str, *, operation: str, params: Mapping[str, str] | None = None
    ) -> AsyncIterator[M]:
        """All rows, a page at a time; what moves from one page to the next meanwhile is not repeated.

        Raises ProtocolError when page after page only repeats what came before and none is the last: it would never
        end.
        """
        repeated = 0

        async def fetch(number: int) -> paging.Page[dict[str, Any]]:
            query = {**(params or {}), "page": str(number), "size": str(PAGE)}
            answer = await self.call("GET", path, effect=Effect.READ, operation=operation, params=query)
            page = Page.of(answer, operation)
            last = page.last or (page.totalPages is not None and number + 1 >= page.totalPages) or not page.content
            nonlocal repeated
            repeated = repeated + 1 if recent and all(_identity(row) in recent for row in page.content) else 0
            if not last and repeated > MOST_REPEATED:
                raise ProtocolError(
                    f"{operation}: page {number} repeats those before; try again, or tell the platform's operator",
                    operation=operation,
                )
            return paging.Page(page.content, last=bool(last))

        recent: deque[Any] = deque(maxlen=PAGE)
        async for row in paging.pages(fetch, operation=operation):
            identity = _identity(row)
            if identity is None or identity not in recent:
                recent.append(identity)
                yield model.of(row, operation)


def _identity(row: Mapping[str, Any]) -> Any:
    """What tells a row from others; None where nothing does."""
    return row.get("label") if row.get("id") is None else row["id"]


def label_segment(operation: str, what: str, label: str) -> str:
    """A label as one part of a path. Raises InvalidError for one that no path can carry."""
    if not label.strip():
        raise refuse(operation, f"the {what}'s label is empty; give one")
    bad = sorted(_REFUSED_IN_LABELS.intersection(label))
    if bad:
        raise refuse(operation, f"the {what}'s label {label!r} holds {bad[0]!r}, which no address can; use one without")
    return path_segment(label)


def number_of(operation: str, what: str, given: str) -> int:
    """The number that an id of the platform is. Raises NotFoundError for any other text."""
    if not _NUMBER.fullmatch(given):
        raise NotFoundError(f"{operation}: there is no {what} {given!r}; ids are numbers", operation=operation)
    return int(given)
