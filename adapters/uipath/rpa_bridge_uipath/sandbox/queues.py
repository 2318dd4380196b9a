"""Queue definitions. docs: uipath.md 3.9"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, flag, free, guid, instant, many, text, whole
from .entities import QUEUE, Row
from .errors import invalid_argument, invalid_query, name_taken, not_found
from .gate import Call, Route
from .odata import Query, read_query
from .state import QUEUE_DEFAULTS, State
from .work import Work

SCOPE = "OR.Queues"

DEFINITION = {
    "Name": text(50),
    "Description": text(250),
    "MaxNumberOfRetries": whole(0, 50),
    "AcceptAutomaticallyRetry": flag,
    "RetryAbandonedItems": flag,
    "EnforceUniqueReference": flag,
    "Encrypted": flag,
    "SpecificDataJsonSchema": text(),
    "OutputDataJsonSchema": text(),
    "AnalyticsDataJsonSchema": text(),
    "SlaInMinutes": whole(0, 2**31 - 1),
    "RiskSlaInMinutes": whole(0, 2**31 - 1),
    "ReleaseId": whole(0, 2**63),
    "Tags": many(free),
}
READ_ONLY = {
    "Id": whole(0, 2**63),
    "Key": guid,
    "CreationTime": instant,
    "ProcessScheduleId": whole(0, 2**63),
    "IsProcessInCurrentFolder": flag,
    "FoldersCount": whole(0, 2**31),
    "OrganizationUnitId": whole(0, 2**63),
    "OrganizationUnitFullyQualifiedName": text(),
}
"""What may stand in a body because it stood in an answer, and changes nothing."""
FIXED = ("EnforceUniqueReference", "Encrypted")


class Queues:
    """The queues of a folder."""

    def __init__(self, world: World, state: State, work: Work) -> None:
        self._world, self._state, self._work = world, state, work

    def routes(self) -> list[Route]:
        """Its operations."""
        one = r"/odata/QueueDefinitions({id:\d+})"
        by_key = "/odata/QueueDefinitions/UiPath.Server.Configuration.OData.GetByKey(identifier={key})"
        return [
            Route("GET", "/odata/QueueDefinitions", self.find, SCOPE),
            Route("GET", one, self.get, SCOPE),
            Route("GET", by_key, self.get_by_key, SCOPE),
            Route("POST", "/odata/QueueDefinitions", self.create, SCOPE),
            Route("PUT", one, self.replace, SCOPE),
            Route("DELETE", one, self.delete, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        if "Name" in call.request.query.get("$filter", "") and self._world.switch("uipath.no_queue_name_filter", False):
            raise invalid_query("The property 'Name' cannot be used in the $filter query option.")
        query = self._query(call)
        return web.json_response(query.answer(query.run(self._state.in_folder(self._state.queues, call.folder))))

    async def get(self, call: Call) -> web.Response:
        return web.json_response(self._query(call).view(self._queue(call)))

    async def get_by_key(self, call: Call) -> web.Response:
        wanted = call.request.match_info["key"].lower()
        for queue in self._state.in_folder(self._state.queues, call.folder):
            if queue["Key"] == wanted:
                return web.json_response(self._query(call).view(queue))
        raise not_found("The queue")

    async def create(self, call: Call) -> web.Response:
        given = await self._given(call)
        if self._state.by_name(self._state.queues, call.folder, given["Name"]):
            raise name_taken(given["Name"])
        return web.json_response(self._state.add_queue(call.folder, given), status=201)

    async def replace(self, call: Call) -> web.Response:
        """What the body leaves out goes back to its default. docs: uipath.md 7, 12"""
        queue, given = self._queue(call), await self._given(call)
        if self._state.by_name(self._state.queues, call.folder, given["Name"]) not in (None, queue):
            raise name_taken(given["Name"])
        changed = queue | QUEUE_DEFAULTS | given
        bends = any(changed[name] != queue[name] for name in FIXED)
        if bends and self._world.switch("uipath.queue_rules_fixed", False):
            raise invalid_argument(FIXED[0], "It cannot change (QueueDefinitionParametersCannotChange).")
        queue.update(changed)
        return web.Response()

    async def delete(self, call: Call) -> web.Response:
        """With its items. docs: uipath.md 3.9"""
        self._work.drop_queue(self._queue(call))
        return web.Response(status=204)

    async def _given(self, call: Call) -> Row:
        """A definition that may stand, without what only the server writes."""
        body = bind(await body_of(call.request), DEFINITION | READ_ONLY, "queueDefinitionDto")
        given = {name: value for name, value in body.items() if name in DEFINITION}
        if not given.get("Name", "").strip():
            raise invalid_argument("Name", "The Name field is required.")
        if "ReleaseId" in given:
            self._check_release(given, call.folder)
        return given

    def _check_release(self, given: Row, folder: Row) -> None:
        """docs: uipath.md 3.9: newer servers want an SLA with it"""
        release = self._state.releases.get(given["ReleaseId"])
        if release is None or release["OrganizationUnitId"] != folder["Id"]:
            raise not_found("The release")
        if not given.get("SlaInMinutes") and self._world.switch("uipath.release_wants_sla", True):
            raise invalid_argument("SlaInMinutes", "A queue with a release needs one.")

    def _queue(self, call: Call) -> Row:
        queue = self._state.queues.get(call.id)
        if queue is None or queue["OrganizationUnitId"] != call.folder["Id"]:
            raise not_found("The queue")
        return queue

    def _query(self, call: Call) -> Query:
        return read_query(call.request.query.items(), QUEUE, ignore_case=self._world.switch("uipath.ignore_case", True))


def queue_named(state: State, folder: Row, name: Any) -> Row:
    """The queue of a request. Raises a 404."""
    queue = state.by_name(state.queues, folder, name) if name else None
    if queue is None:
        raise not_found(f"Queue {name}")
    return queue
