"""The face itself: its rooms put together, and what stands before each of them."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from rpa_bridge.sandbox.face import Face
from rpa_bridge.sandbox.world import World

from .alerts import Alerts
from .artifacts import Artifacts
from .automations import Automations
from .backend import Backend, Route
from .bots import Bots
from .credentials import Credentials
from .errors import RefusedError
from .incidents import Incidents
from .items import Items
from .jobs import Jobs
from .logs import Logs
from .machines import Machines
from .messages import Messages
from .queues import Queues
from .runner import Runner
from .schedules import Schedules
from .session import Session
from .state import State, newborn
from .work import Work

BASE = "/api/v2"


class BotMaestroFace(Face):
    """Answers as BotMaestro's orchestrator does."""

    name = "botmaestro"
    title = "BotCity BotMaestro"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._backend = Backend(world, newborn(world))
        self._work = Work(self._backend)
        self._session = Session(self._backend)
        self._automations = Automations(self._backend)
        self._jobs = Jobs(self._backend, self._automations)

    def routes(self) -> list[web.RouteDef]:
        backend = self._backend
        rooms = (
            self._session,
            self._automations,
            Bots(backend),
            Machines(backend),
            Schedules(backend),
            self._jobs,
            Queues(backend, self._automations, self._work),
            Items(backend, self._jobs, self._work),
            Artifacts(backend),
            Logs(backend),
            Alerts(backend),
            Messages(backend),
            Incidents(backend),
            Credentials(backend),
        )
        routes = [route for room in rooms for route in room.routes()]
        return [web.route(route.method, BASE + route.path, self._handler(route)) for route in routes]

    def control_routes(self, origin: str) -> list[web.RouteDef]:
        return Runner(self._backend, self._jobs, self._session, origin).routes()

    def connections(self, origin: str) -> dict[str, dict[str, Any]]:
        ours = self._backend.state.organization
        return {self.name: {"adapter": "botmaestro", "server": origin, "login": ours.login, "key": ours.key}}

    def dump(self) -> dict[str, Any]:
        return self._backend.state.model_dump(mode="json")

    def load(self, state: dict[str, Any]) -> None:
        self._backend.state = State.model_validate_json(json.dumps(state))
        self._work.rebuild()

    def not_found(self, request: web.Request) -> web.StreamResponse:
        return self._backend.refuse(RefusedError(404, f"No handler for {request.method} {request.path}"))

    def _handler(self, route: Route) -> Handler:
        """The route's answer, or the refusal, in the vendor's shape. Who may ask is told before what is asked."""

        async def handle(request: web.Request) -> web.StreamResponse:
            backend = self._backend
            if not backend.has_reached(route.since) or (route.needs and not backend.switch(route.needs)):
                return self.not_found(request)
            try:
                if not route.anonymous:
                    self._session.authorise(request)
                return await route.handler(request)
            except RefusedError as refusal:
                return backend.refuse(refusal)

        return handle
