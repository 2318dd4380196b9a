"""Folders; on older servers, organisation units. docs: uipath.md 3.1 and 3.2"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.folders import Folder, FolderService
from rpa_bridge.errors import NotFoundError
from rpa_bridge.helpers.checks import check_name

from . import odata
from .client import Client
from .mapping import folders as mapping
from .wire.folders import FolderDto

MODERN, CLASSIC = "Folders", "OrganizationUnits"


class UiPathFolders(FolderService):
    """The folders of the tenant that this identity may see. Personal workspaces may be missing."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("uipath", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Folder]:
        operation = "folders.find"
        seen = False
        try:
            async for row in self._client.all_rows(FolderDto, MODERN, operation=operation):
                seen = True
                yield mapping.folder(row)
            return
        except NotFoundError:
            if seen:
                raise
        async for row in self._client.all_rows(FolderDto, CLASSIC, operation=operation):
            yield mapping.folder(row)

    async def get(self, folder: str) -> Folder:
        """The folder, by path, id or key; a classic one by name or id. Raises NotFoundError."""
        operation = "folders.get"
        check_name(operation, "folder", folder, Limits())
        number, guid = odata.number(folder), odata.guid(folder)
        if number is not None:
            condition = odata.where("Id", "eq", number)
        elif guid is not None:
            condition = odata.where("Key", "eq", guid)
        else:
            condition = odata.where("FullyQualifiedName", "eq", folder)
        params = {"$filter": condition, "$top": "2"}
        try:
            rows = await self._client.rows(FolderDto, MODERN, operation=operation, params=params)
        except NotFoundError:
            classic = odata.where("DisplayName", "eq", folder) if number is None else condition
            params = {"$filter": classic, "$top": "2"}
            rows = await self._client.rows(FolderDto, CLASSIC, operation=operation, params=params)
        if not rows:
            raise NotFoundError(
                f"{operation}: there is no folder {folder!r}, or this identity may not see it; "
                f"`rpa-bridge folders list` shows what there is",
                operation=operation,
            )
        return mapping.folder(rows[0])
