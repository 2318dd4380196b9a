"""Waking suspended jobs from outside: a payload for the inbox they wait for. docs: uipath.md 3.8, job triggers"""

from __future__ import annotations

import json
from collections.abc import Iterable

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import body_of
from .entities import JOB_TRIGGER, Row
from .errors import invalid_argument, not_found
from .gate import Call, Route, Scoped
from .inboxes import Inboxes
from .odata import read_query
from .runs import Runs
from .state import State

SCOPE = "OR.Jobs"
MOST_PAYLOAD = 4000


class JobTriggers:
    """What the suspended jobs of a folder wait for."""

    def __init__(self, world: World, state: State, runs: Runs) -> None:
        self._state, self._runs, self._inboxes = state, runs, Inboxes(world, state)

    def routes(self) -> list[Route]:
        """Its operations."""
        by_job = "/odata/JobTriggers/UiPath.Server.Configuration.OData.GetByJobKey(jobKey={key})"
        return [
            Route("GET", "/odata/JobTriggers", self.find, SCOPE),
            Route("GET", by_job, self.find_by_job, SCOPE),
            Route("POST", "/api/JobTriggers/DeliverPayload/{inbox}", self.deliver, SCOPE, Scoped.IF_GIVEN),
            Route("GET", "/api/JobTriggers/GetPayload/{inbox}", self.payload, SCOPE, Scoped.IF_GIVEN),
        ]

    async def find(self, call: Call) -> web.Response:
        return self._page(call, self._here(call))

    async def find_by_job(self, call: Call) -> web.Response:
        wanted = call.request.match_info["key"].lower()
        rows = [row for row in self._here(call) if self._state.jobs[row["JobId"]].row["Key"] == wanted]
        return self._page(call, rows)

    async def deliver(self, call: Call) -> web.Response:
        """202, and 208 for one that has its payload already."""
        payload = await body_of(call.request)
        if len(json.dumps(payload, ensure_ascii=False)) > MOST_PAYLOAD:
            raise invalid_argument("body", f"It is longer than {MOST_PAYLOAD} characters.")
        trigger = self._inbox(call)["trigger"]
        job = self._state.jobs[trigger["JobId"]]
        if trigger["Status"] == "Fired" or job.row["State"] != "Suspended":
            return web.Response(status=208)
        self._runs.resume(job, payload)
        return web.Response(status=202)

    async def payload(self, call: Call) -> web.Response:
        payload = self._inbox(call)["payload"]
        if payload is None:
            raise not_found("The payload")
        return web.json_response(payload)

    def _inbox(self, call: Call) -> Row:
        inbox = self._inboxes.get(call.request.match_info["inbox"])
        if inbox is None:
            raise not_found("The inbox")
        return inbox

    def _here(self, call: Call) -> list[Row]:
        return [
            row
            for row in self._inboxes.triggers()
            if self._state.jobs[row["JobId"]].row["OrganizationUnitId"] == call.folder["Id"]
        ]

    def _page(self, call: Call, rows: Iterable[Row]) -> web.Response:
        query = read_query(call.request.query.items(), JOB_TRIGGER)
        return web.json_response(query.answer(query.run(rows)))
