"""Folders. docs: uipath.md 3.1"""

from __future__ import annotations

from aiohttp import web

from .entities import FOLDER
from .errors import not_found
from .gate import Call, Route, Scoped
from .odata import read_query
from .state import State

SCOPE = "OR.Folders"
_SHORT = ("Key", "DisplayName", "FullyQualifiedName", "Description", "FolderType", "ParentId", "ParentKey", "Id")


class Folders:
    """All folders of the tenant; no header wanted."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Its operations."""
        by_key = "/odata/Folders/UiPath.Server.Configuration.OData.GetByKey(identifier={key})"
        return [
            Route("GET", "/odata/Folders", self.find, SCOPE, Scoped.NEVER),
            Route("GET", r"/odata/Folders({id:\d+})", self.get, SCOPE, Scoped.NEVER),
            Route("GET", by_key, self.get_by_key, SCOPE, Scoped.NEVER),
            Route("GET", "/api/Folders/GetAllForCurrentUser", self.mine, SCOPE, Scoped.NEVER),
        ]

    async def find(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), FOLDER)
        return web.json_response(query.answer(query.run(self._state.folders.values())))

    async def get(self, call: Call) -> web.Response:
        if call.id not in self._state.folders:
            raise not_found("The folder")
        return web.json_response(self._state.folders[call.id])

    async def get_by_key(self, call: Call) -> web.Response:
        wanted = call.request.match_info["key"].lower()
        for folder in self._state.folders.values():
            if folder["Key"] == wanted:
                return web.json_response(folder)
        raise not_found("The folder")

    async def mine(self, call: Call) -> web.Response:
        query = read_query(
            [
                (f"${ours}", call.request.query[theirs])
                for ours, theirs in _PAGING.items()
                if theirs in call.request.query
            ],
            FOLDER,
        )
        page = query.run(self._state.folders.values())
        short = [{name: row[name] for name in _SHORT} for row in page.rows]
        return web.json_response({"PageItems": short, "Count": page.total})


_PAGING = {"top": "take", "skip": "skip"}
