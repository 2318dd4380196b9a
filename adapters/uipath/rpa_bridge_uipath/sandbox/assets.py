"""Assets, as people manage them: their secrets go in and never come out. docs: uipath.md 3.11"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .asset_rows import AssetRows
from .asset_values import ASSET, ID, VALUE_SCOPES, VALUE_TYPES
from .bodies import bind, body_of, flag, many
from .entities import Entity, Row, enums, members
from .errors import invalid_argument, not_found, wrong_state
from .gate import Call, Route, Scoped
from .odata import Query, number_parameter, read_query
from .state import State

SCOPE = "OR.Assets"
ACTION = "UiPath.Server.Configuration.OData."
SHARE = {name: many(ID) for name in ("AssetIds", "ToAddFolderIds", "ToRemoveFolderIds")}


class Assets:
    """The assets of a folder; one may be in several."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state
        self._rows = AssetRows(world, state)
        self._entity = Entity(
            "Assets",
            members(
                number="Id IntValue CredentialStoreId FoldersCount LastModifierUserId CreatorUserId",
                guid="Key",
                text="Name Value StringValue CredentialUsername ExternalName Description",
                bool="BoolValue HasDefaultValue CanBeDeleted",
                date="CreationTime LastModificationTime",
            )
            | enums(ValueScope=VALUE_SCOPES, ValueType=VALUE_TYPES),
            collections={"UserValues": self._rows.user_values, "RobotValues": lambda _: []},
        )

    def routes(self) -> list[Route]:
        """Its operations."""
        one, action = r"/odata/Assets({id:\d+})", f"/odata/Assets/{ACTION}"
        return [
            Route("GET", "/odata/Assets", self.find, SCOPE),
            Route("GET", f"{action}GetFiltered", self.find_filtered, SCOPE),
            Route("GET", one, self.get, SCOPE),
            Route("POST", "/odata/Assets", self.create, SCOPE),
            Route("PUT", one, self.replace, SCOPE),
            Route("DELETE", one, self.delete, SCOPE),
            Route("GET", f"{action}GetAssetsAcrossFolders", self.find_everywhere, SCOPE, Scoped.IF_GIVEN),
            Route("GET", rf"{action}GetFoldersForAsset(id={{id:\d+}})", self.folders, SCOPE, Scoped.IF_GIVEN),
            Route("POST", f"{action}ShareToFolders", self.share, SCOPE, Scoped.IF_GIVEN),
        ]

    async def find(self, call: Call) -> web.Response:
        """docs: uipath.md 3.11: this list drops secrets without a word"""
        rows = [row for row in self._rows.in_folder(call.folder) if row["ValueType"] != "Secret"]
        return self._page(call, map(self._rows.public, rows))

    async def find_filtered(self, call: Call) -> web.Response:
        """docs: uipath.md 3.11: this list has secrets, and no usernames"""
        rows = self._rows.in_folder(call.folder)
        return self._page(call, (self._rows.public(row) | {"CredentialUsername": ""} for row in rows))

    async def find_everywhere(self, call: Call) -> web.Response:
        excluded = number_parameter(call.request.query, "excludeFolderId")
        return self._page(
            call, (self._rows.public(row) for row in self._rows.all() if excluded not in row["FolderIds"])
        )

    async def get(self, call: Call) -> web.Response:
        row = self._rows.get_in(call.folder, call.id)
        return web.json_response(self._query(call).view(self._rows.public(row)))

    async def create(self, call: Call) -> web.Response:
        row = self._rows.add(call.folder, await self._given(call))
        return web.json_response(self._rows.public(row), status=201)

    async def replace(self, call: Call) -> web.Response:
        """200 with nothing in it; what the body leaves out is gone. docs: uipath.md 3.11"""
        row = self._rows.get_in(call.folder, call.id)
        self._rows.replace(row, await self._given(call))
        return web.Response()

    async def delete(self, call: Call) -> web.Response:
        self._rows.remove(self._rows.get_in(call.folder, call.id))
        return web.Response(status=204)

    async def folders(self, call: Call) -> web.Response:
        found = [self._state.folders[one] for one in self._rows.get(call.id)["FolderIds"]]
        short = [{name: row[name] for name in ("DisplayName", "FullyQualifiedName", "Id")} for row in found]
        return web.json_response({"AccessibleFolders": short, "TotalFoldersCount": len(short)})

    async def share(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), SHARE, "AssetIds")
        added, removed = given.get("ToAddFolderIds", []), given.get("ToRemoveFolderIds", [])
        if not set(added + removed) <= set(self._state.folders):
            raise not_found("The folder")
        rows = [self._rows.get(one) for one in given.get("AssetIds", [])]
        after = [self._shared(row, added, set(removed)) for row in rows]
        for row, folder_ids in zip(rows, after, strict=True):
            row["FolderIds"] = folder_ids
        return web.Response(status=204)

    def _shared(self, row: Row, added: list[int], removed: set[int]) -> list[int]:
        """The folders in which the asset would be. Raises a 409."""
        new = [one for one in dict.fromkeys(added) if one not in row["FolderIds"]]
        self._rows.check_name(row["Name"], new, row)
        kept = [one for one in row["FolderIds"] + new if one not in removed]
        if not kept:
            raise wrong_state("The asset must stay in a folder.")
        return kept

    async def _given(self, call: Call) -> Row:
        known = {**ASSET, "AllowDirectApiAccess": flag} if self._rows.direct_access else ASSET
        given = bind(await body_of(call.request), known, "assetDto")
        for name in ("Name", "ValueScope", "ValueType"):
            if not given.get(name):
                raise invalid_argument(name, f"The {name} field is required.")
        return given

    def _query(self, call: Call) -> Query:
        ignore_case = self._world.switch("uipath.ignore_case", True)
        return read_query(call.request.query.items(), self._entity, ignore_case=ignore_case)

    def _page(self, call: Call, rows: Iterable[Row]) -> web.Response:
        query = self._query(call)
        shuffle = self._world.random if self._world.switch("uipath.unordered_is_shuffled", False) else None
        return web.json_response(query.answer(query.run(rows, shuffle)))
