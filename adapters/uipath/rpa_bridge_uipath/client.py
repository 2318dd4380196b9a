"""What all nouns send through: the folder's header on every request, and pages by growing ids."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rpa_bridge.clock import Clock
from rpa_bridge.helpers import paging
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.decode import WireModel, json_of
from rpa_bridge.transport.exclusive import Exclusive

from . import odata
from .settings import UiPathSettings
from .wire.lists import Numbered, Page

PAGE = 100
"""Rows a page: the most that queue items allow. docs: uipath.md 4"""


M = TypeVar("M", bound=WireModel)
R = TypeVar("R", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Client:
    """One connection's way to send, and what its nouns share."""

    transport: Transport
    headers: Mapping[str, str]
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
        may_be_empty: bool = True,
    ) -> Any:
        """The answer's JSON; None for an empty body. docs: many writes answer 200 or 204 without one, uipath.md 7

        Raises ProtocolError for a body that is missing where only a 204 may come without.
        """
        request = Request(
            method,
            path,
            effect=effect,
            operation=operation,
            params=params or {},
            headers=self.headers,
            json=json,
        )
        response = await self.transport.send(request)
        empty = response.status == 204 or (may_be_empty and not response.body.strip())
        return None if empty else json_of(request, response)

    async def read(self, model: type[M], path: str, *, operation: str, expand: str = "") -> M:
        """One entity."""
        params = {"$expand": expand} if expand else {}
        return model.of(await self.call("GET", path, effect=Effect.READ, operation=operation, params=params), operation)

    async def rows(self, model: type[M], collection: str, *, operation: str, params: Mapping[str, str]) -> list[M]:
        """What is on the first page of a collection."""
        return [model.of(row, operation) for row in (await self._page(collection, operation, params)).value]

    def all_rows(
        self,
        model: type[R],
        collection: str,
        *,
        operation: str,
        condition: str = "",
        newest_first: bool = False,
        expand: str = "",
    ) -> AsyncIterator[R]:
        """All rows by id, a page at a time: `Id gt last` stays right while rows come and go. docs: uipath.md 4"""
        sign, operator, order = (-1, "lt", "Id desc") if newest_first else (1, "gt", "Id")

        async def fetch(last: int | None) -> paging.Page[R]:
            bound = None if last is None else odata.where("Id", operator, sign * last)
            limited = odata.all_of(f"({condition})" if condition and bound else condition, bound)
            params = {"$orderby": order, "$top": str(PAGE)}
            params |= {"$filter": limited} if limited else {}
            params |= {"$expand": expand} if expand else {}
            page = await self._page(collection, operation, params)
            last_page = len(page.value) < PAGE and page.next_link is None  # a server may give fewer than we ask for
            return paging.Page([model.of(row, operation) for row in page.value], last=last_page)

        return paging.keyset(fetch, lambda row: sign * row.Id, operation=operation)

    async def _page(self, collection: str, operation: str, params: Mapping[str, str]) -> Page:
        path = f"/odata/{collection}"
        return Page.of(await self.call("GET", path, effect=Effect.READ, operation=operation, params=params), operation)


def folder_headers(settings: UiPathSettings) -> dict[str, str]:
    """The headers that say which tenant and folder is meant. docs: uipath.md 1.2 and 1.3"""
    headers = {"X-UIPATH-TenantName": settings.tenant} if settings.tenant else {}
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
