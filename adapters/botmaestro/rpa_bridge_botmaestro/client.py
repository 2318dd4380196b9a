"""What all nouns send through, and pages as Spring makes them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rpa_bridge.clock import Clock
from rpa_bridge.helpers import paging
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.transport.addresses import path_segment
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.decode import WireModel, json_of
from rpa_bridge.transport.exclusive import Exclusive

from .wire.lists import Page

PAGE = 100
"""Rows a page."""
_REFUSED_IN_LABELS = frozenset("/?#%\\")
"""No official client escapes labels, so these cannot be in one. docs: botmaestro.md 1"""

M = TypeVar("M", bound=WireModel)


@dataclass(frozen=True, slots=True)
class Client:
    """One connection's way to send, and what its nouns share."""

    transport: Transport
    clock: Clock
    exclusive: Exclusive
    new_id: Callable[[], str]
    settle_window: float

    async def call(
        self,
        method: str,
        path: str,
        *,
        effect: Effect,
        operation: str,
        params: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Any:
        """The answer's JSON; None for 204 only: an empty 200 may be an entry that got lost on the way."""
        request = Request(method, path, effect=effect, operation=operation, params=params or {}, json=json)
        response = await self.transport.send(request)
        return None if response.status == 204 else json_of(request, response)

    async def read(self, model: type[M], path: str, *, operation: str) -> M:
        """One object."""
        return model.of(await self.call("GET", path, effect=Effect.READ, operation=operation), operation)

    async def all_rows(
        self, model: type[M], path: str, *, operation: str, params: Mapping[str, str] | None = None
    ) -> AsyncIterator[M]:
        """All rows, a page at a time; what moves from one page to the next meanwhile is not repeated."""

        async def fetch(number: int) -> paging.Page[dict[str, Any]]:
            query = {**(params or {}), "page": str(number), "size": str(PAGE)}
            answer = await self.call("GET", path, effect=Effect.READ, operation=operation, params=query)
            page = Page.of(answer, operation)
            last = page.last or (page.totalPages is not None and number + 1 >= page.totalPages)
            return paging.Page(page.content, last=bool(last) or not page.content)

        recent: deque[Any] = deque(maxlen=PAGE)
        async for row in paging.pages(fetch, operation=operation):
            identity = row.get("label") if row.get("id") is None else row["id"]
            if identity not in recent:
                recent.append(identity)
                yield model.of(row, operation)


def label_segment(operation: str, what: str, label: str) -> str:
    """A label as one part of a path. Raises InvalidError for one that no path can carry."""
    if not label.strip():
        raise refuse(operation, f"the {what}'s label is empty; give one")
    bad = sorted(_REFUSED_IN_LABELS.intersection(label))
    if bad:
        raise refuse(operation, f"the {what}'s label {label!r} holds {bad[0]!r}, which no address can; use one without")
    return path_segment(label)
