"""Releases, which the vendor's screens call processes. docs: uipath.md 3.7"""

from __future__ import annotations

from aiohttp import web

from .entities import RELEASE
from .errors import not_found
from .gate import Call, Route
from .odata import read_query
from .state import State

SCOPE = "OR.Execution"


class Releases:
    """The releases of a folder."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Its operations."""
        return [
            Route("GET", "/odata/Releases", self.find, SCOPE),
            Route("GET", r"/odata/Releases({id:\d+})", self.get, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), RELEASE)
        return web.json_response(query.answer(query.run(self._state.in_folder(self._state.releases, call.folder))))

    async def get(self, call: Call) -> web.Response:
        release = self._state.releases.get(call.id)
        if release is None or release["OrganizationUnitId"] != call.folder["Id"]:
            raise not_found("The release")
        return web.json_response(release)
