"""The face itself: its parts put together."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.face import Face
from rpa_bridge.sandbox.world import World

from .errors import refusal
from .folders import Folders
from .gate import Gate
from .identity import CLIENT_ID, CLIENT_SECRET, DEFAULT_SCOPE, Identity
from .items import Items
from .jobs import Jobs
from .queues import Queues
from .releases import Releases
from .routes import BASE, below_all_bases, is_api
from .state import State
from .status import status_routes
from .work import Work


class UiPathFace(Face):
    """Answers as Orchestrator does."""

    name = "uipath"
    title = "UiPath Orchestrator"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state = State(world)
        self._work = Work(world, self._state)

    def routes(self) -> list[web.RouteDef]:
        identity = Identity(self.world, self._state)
        nouns = (
            Folders(self._state),
            Releases(self._state),
            Jobs(self.world, self._state),
            Queues(self.world, self._state, self._work),
            Items(self.world, self._state, self._work),
        )
        operations = [route for noun in nouns for route in noun.routes()] + status_routes()
        return below_all_bases(operations, Gate(self._state, identity), identity)

    def connections(self, origin: str) -> dict[str, dict[str, Any]]:
        return {
            self.name: {
                "adapter": "uipath",
                "url": origin + BASE,
                "folder": "Shared",
                "auth": {
                    "type": "client_credentials",
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "scope": DEFAULT_SCOPE,
                },
            }
        }

    def dump(self) -> dict[str, Any]:
        return self._state.dump()

    def load(self, state: dict[str, Any]) -> None:
        self._state.load(state)
        self._work.rebuild()

    def not_found(self, request: web.Request) -> web.StreamResponse:
        """Below an API's address a 404; elsewhere the portal's page, with a 200. docs: uipath.md 1.1"""
        if is_api(request.path):
            return refusal(404, 0, f"No HTTP resource matches {request.method} {request.path}.").response()
        return web.Response(text="<!DOCTYPE html><title>UiPath</title><div id=root></div>", content_type="text/html")
