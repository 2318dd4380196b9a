"""What all nouns send through: the folder's header on every request, and pages by growing ids."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, TypeVar, Unpack

from rpa_bridge.clock import Clock
from rpa_bridge.errors import ProtocolError
from rpa_bridge.helpers import paging
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.content import Content
from rpa_bridge.transport.decode import WireModel, json_of
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.exclusive import Exclusive

from . import odata
from .settings import UiPathSettings
from .wire.lists import Numbered, Page

PAGE = 100
"""Rows a page: the most that queue items allow. docs: uipath.md 4"""
TENANT_HEADER = "X-UIPATH-TenantName"


M = TypeVar("M", bound=WireModel)
R = TypeVar("R", bound=Numbered)


class Wish(TypedDict, total=False):
    """What is wanted of a collection."""

    condition: str
    newest_first: bool
    expand: str
    select: str


@dataclass(frozen=True, slots=True)
class Client:
    """One connection's way to send, and what its nouns share."""

    transport: Transport
    headers: Mapping[str, str]
    clock: Clock
    exclusive: Exclusive
    new_id: Callable[[], str]
    effects: Effects
    own_storage: tuple[str, ...] = ()
    """Hosts, as shell patterns, that files are moved to and from wherever they are; those of known clouds besides."""

    @property
    def for_tenant(self) -> Client:
        """The same without a folder, for what belongs to the whole tenant. docs: uipath.md 1.3"""
        return replace(self, headers={name: value for name, value in self.headers.items() if name == TENANT_HEADER})

    async def call(
        self,
        method: str,
        path: str,
        *,
        effect: Effect,
        operation: str,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        content: Content | None = None,
        budget: str = "",
        mark: str = "",
        may_be_empty: bool = True,
    ) -> Any:
        """The answer's JSON; None for an empty body. docs: many writes answer 200 or 204 without one, uipath.md 7

        `mark` as in `Request`. Raises ProtocolError for a body that is missing where only a 204 may come without.
        """
        request = Request(
            method,
            path,
            effect=effect,
            operation=operation,
            params=params or {},
            headers=self.headers,
            json=json,
            content=content,
            budget=budget,
            mark=mark,
        )
        response = await self.transport.send(request)
        empty = response.status == 204 or (may_be_empty and (not response.body or response.body.isspace()))
        return None if empty else json_of(request, response)

    async def read(self, model: type[M], path: str, *, operation: str, expand: str = "") -> M:
        """One entity."""
        params = {"$expand": expand} if expand else {}
        return model.of(await self.call("GET", path, effect=Effect.READ, operation=operation, params=params), operation)

    async def rows(self, model: type[M], collection: str, *, operation: str, params: Mapping[str, str]) -> list[M]:
        """What is on the first page of a collection."""
        return model.many((await self._page(collection, operation, params)).value, operation)

    async def all_rows(
        self, model: type[R], collection: str, *, operation: str, **wish: Unpack[Wish]
    ) -> AsyncIterator[R]:
        """What stands on `all_pages`."""
        async for page in self.all_pages(model, collection, operation=operation, **wish):
            for row in page:
                yield row

    def all_pages(
        self, model: type[R], collection: str, *, operation: str, **wish: Unpack[Wish]
    ) -> AsyncIterator[Sequence[R]]:
        """All rows by id, a page at a time: `Id gt last` stays right while rows come and go. docs: uipath.md 4"""
        sign, operator, order = (-1, "lt", "Id desc") if wish.get("newest_first") else (1, "gt", "Id")
        condition, expand, select = wish.get("condition", ""), wish.get("expand", ""), wish.get("select", "")

        async def fetch(last: int | None) -> paging.Page[R]:
            bound = None if last is None else odata.where("Id", operator, sign * last)
            limited = odata.all_of(f"({condition})" if condition and bound else condition, bound)
            params = {"$orderby": order, "$top": str(PAGE)}
            params |= {"$filter": limited} if limited else {}
            params |= {"$expand": expand} if expand else {}
            params |= {"$select": select} if select else {}
            page = await self._page(collection, operation, params)
            last_page = len(page.value) < PAGE and page.next_link is None  # a server may give fewer than we ask for
            return paging.Page(model.many(page.value, operation), last=last_page)

        return paging.keyset_pages(fetch, lambda row: sign * row.Id, operation=operation)

    async def count(self, collection: str, *, operation: str, condition: str) -> int:
        """How many rows there are, without fetching one. docs: totals come only when asked for, uipath.md 4"""
        params = {"$filter": condition, "$count": "true", "$top": "0"}
        page = await self._page(collection, operation, params)
        if page.count is None:
            raise ProtocolError(f"{operation}: the platform was asked to count and did not", operation=operation)
        return page.count

    async def _page(self, collection: str, operation: str, params: Mapping[str, str]) -> Page:
        path = f"/odata/{collection}"
        answer = await self.call("GET", path, effect=Effect.READ, operation=operation, params=params, budget=collection)
        return Page.of(answer, operation)


def folder_headers(settings: UiPathSettings) -> dict[str, str]:
    """The headers that say which tenant and folder is meant. docs: uipath.md 1.2 and 1.3"""
    headers = {TENANT_HEADER: settings.tenant} if settings.tenant else {}
    folder = "" if settings.folder is None else str(settings.folder).strip()
    if not folder:
        return headers
    if odata.number(folder) is not None:
        return headers | {"X-UIPATH-OrganizationUnitId": folder}
    if odata.guid(folder) is not None:
        return headers | {"X-UIPATH-FolderKey": folder}
    if folder.isascii():
        return headers | {"X-UIPATH-FolderPath": folder}
    encoded = base64.b64encode(folder.encode("utf-16-le")).decode("ascii")
    return headers | {"X-UIPATH-FolderPath-Encoded": encoded}
