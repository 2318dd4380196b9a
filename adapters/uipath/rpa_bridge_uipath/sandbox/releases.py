"""Releases, which the vendor's screens call processes. docs: uipath.md 3.7"""

from __future__ import annotations

from aiohttp import web

from .bodies import bind, body_of, text
from .entities import RELEASE, Row
from .errors import invalid_argument, not_found
from .gate import Call, Route
from .odata import read_query
from .packages import Packages
from .state import State

SCOPE = "OR.Execution"
ACTION = "UiPath.Server.Configuration.OData."


class Releases:
    """The releases of a folder."""

    def __init__(self, state: State, packages: Packages) -> None:
        self._state, self._packages = state, packages

    def routes(self) -> list[Route]:
        """Its operations."""
        return [
            Route("GET", "/odata/Releases", self.find, SCOPE),
            Route("GET", r"/odata/Releases({id:\d+})", self.get, SCOPE),
            Route("POST", rf"/odata/Releases({{id:\d+}})/{ACTION}UpdateToSpecificPackageVersion", self.use, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), RELEASE)
        return web.json_response(query.answer(query.run(self._state.in_folder(self._state.releases, call.folder))))

    async def get(self, call: Call) -> web.Response:
        return web.json_response(read_query(call.request.query.items(), RELEASE).view(self._release(call)))

    async def use(self, call: Call) -> web.Response:
        """Makes the release run another version of its package."""
        given = bind(await body_of(call.request), {"packageVersion": text()}, "packageVersion")
        if not given.get("packageVersion"):
            raise invalid_argument("packageVersion", "It is required.")
        release = self._release(call)
        package = self._packages.get(release["ProcessKey"], given["packageVersion"])
        if package is None:
            raise not_found("The package version")
        self._packages.use(release, package)
        return web.json_response({"value": release["Id"]})

    def _release(self, call: Call) -> Row:
        release = self._state.releases.get(call.id)
        if release is None or release["OrganizationUnitId"] != call.folder["Id"]:
            raise not_found("The release")
        return release
