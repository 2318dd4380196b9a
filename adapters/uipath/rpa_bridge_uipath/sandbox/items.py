"""Queue items, and the transactions that work on them. docs: uipath.md 3.10"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, flag, free, guid, instant, nested, one_of, text, unwrap
from .content import MOST_ANALYTICS, MOST_OUTPUT, check_size, content
from .entities import EXCEPTION_TYPES, ITEM_MEMBERS, QUEUE, ROBOT, USER, Entity, Kind, Member, Navigation, Row
from .errors import invalid_argument, not_found, refusal
from .gate import Call, Route
from .odata import Query, read_query
from .queues import ACTION, MOST_PROGRESS, SCOPE, item_problem, queue_named
from .state import State
from .work import Work

MOST_REASON = 102_400

TRANSACTION = {
    "Name": text(),
    "RobotIdentifier": guid,
    "SpecificContent": content,
    "DeferDate": instant,
    "DueDate": instant,
    "Reference": text(128),
    "ReferenceFilterOption": one_of("Equals", "StartsWith"),
    "ParentOperationId": text(128),
}
RESULT = {
    "IsSuccessful": flag,
    "ProcessingException": nested(
        {
            "Reason": text(MOST_REASON),
            "Details": text(MOST_REASON),
            "Type": one_of(*EXCEPTION_TYPES),
            "AssociatedImageFilePath": text(),
            "CreationTime": instant,
        }
    ),
    "DeferDate": instant,
    "DueDate": instant,
    "Output": free,
    "Analytics": free,
    "Progress": text(MOST_PROGRESS),
    "OperationId": text(128),
}


class Items:
    """The items of a folder's queues."""

    def __init__(self, world: World, state: State, work: Work) -> None:
        self._world, self._state, self._work = world, state, work
        self._entity = Entity(
            "QueueItems",
            ITEM_MEMBERS,
            {
                "QueueDefinition": Navigation(QUEUE, self._queue),
                "Robot": Navigation(ROBOT, self._robot),
                "ReviewerUser": Navigation(USER, lambda _: None),
            },
            most_rows=100,
            unsortable=frozenset({"DeferDate"}),
        )
        queue_name = Member("QueueDefinitionName", Kind.TEXT, computed=lambda row: self._queue(row)["Name"])
        self._with_queue_name = replace(self._entity, members={**ITEM_MEMBERS, queue_name.name: queue_name})

    def routes(self) -> list[Route]:
        """Its operations."""
        one = r"({id:\d+})"
        return [
            Route("GET", "/odata/QueueItems", self.find, SCOPE),
            Route("GET", f"/odata/QueueItems{one}", self.get, SCOPE),
            Route("DELETE", f"/odata/QueueItems{one}", self.delete, SCOPE),
            Route("POST", f"/odata/Queues/{ACTION}StartTransaction", self.start, SCOPE),
            Route("POST", f"/odata/Queues{one}/{ACTION}SetTransactionResult", self.finish, SCOPE),
            Route("POST", f"/odata/QueueItems{one}/{ACTION}SetTransactionProgress", self.progress, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        self._work.sweep()
        query = self._query(call)
        shuffle = self._world.random if self._world.switch("uipath.unordered_is_shuffled", False) else None
        return web.json_response(
            query.answer(query.run(self._state.in_folder(self._state.items, call.folder), shuffle))
        )

    async def get(self, call: Call) -> web.Response:
        return web.json_response(self._query(call).view(self._item(call)))

    async def delete(self, call: Call) -> web.Response:
        self._work.delete(self._item(call))
        return web.Response(status=204)

    async def start(self, call: Call) -> web.Response:
        given = unwrap(await body_of(call.request), "transactionData", TRANSACTION)
        if "RobotIdentifier" not in given and self._world.switch("uipath.robot_identifier_required", False):
            raise invalid_argument("RobotIdentifier", "It is required.")
        queue = queue_named(self._state, call.folder, given.get("Name"))
        self._work.sweep()
        row = self._new(queue, given) if "SpecificContent" in given else self._next(queue, given)
        if row is None:
            return web.Response(status=204)
        self._work.take(row, self._state.robots[call.folder["Id"]]["Id"] if "RobotIdentifier" in given else None)
        return web.json_response(row)

    async def finish(self, call: Call) -> web.Response:
        given = unwrap(await body_of(call.request), "transactionResult", RESULT)
        check_size("Output", given.get("Output"), MOST_OUTPUT)
        check_size("Analytics", given.get("Analytics"), MOST_ANALYTICS)
        self._work.finish(self._in_progress(call), given)
        return web.Response()

    async def progress(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), {"progress": text(MOST_PROGRESS)}, "progress")
        self._work.progress(self._in_progress(call), given.get("progress", ""))
        return web.Response()

    def _new(self, queue: Row, given: Row) -> Row:
        problem = item_problem(self._world, self._work, queue, given)
        if problem is not None:
            raise problem[1]
        return self._work.add(queue, given)

    def _next(self, queue: Row, given: Row) -> Row | None:
        return self._work.next_item(queue, _by_reference(given))

    def _query(self, call: Call) -> Query:
        """docs: uipath.md 3.10: the vendor's own SDK filters by QueueDefinitionName"""
        named = self._world.switch("uipath.queue_definition_name", True)
        ignore_case = self._world.switch("uipath.ignore_case", True)
        entity = self._with_queue_name if named else self._entity
        return read_query(call.request.query.items(), entity, ignore_case=ignore_case)

    def _item(self, call: Call) -> Row:
        self._work.sweep()
        row = self._state.items.get(call.id)
        if row is None or row["OrganizationUnitId"] != call.folder["Id"]:
            raise not_found("The queue item")
        return row

    def _in_progress(self, call: Call) -> Row:
        row = self._item(call)
        if row["Status"] != "InProgress":
            raise refusal(409, 1017, f"The item is {row['Status']} (QueueItemInvalidTransitionFromFinalStatus).")
        return row

    def _queue(self, row: Row) -> Row:
        return self._state.queues[row["QueueDefinitionId"]]

    def _robot(self, row: Row) -> Row | None:
        return self._state.robots[row["OrganizationUnitId"]] if row["RobotId"] else None


def _by_reference(given: Row) -> Callable[[Row], bool]:
    """The test of a transaction that wants a certain reference."""
    wanted: Any = given.get("Reference")
    if wanted is None:
        return lambda _: True
    if given.get("ReferenceFilterOption") == "StartsWith":
        return lambda row: (row["Reference"] or "").startswith(wanted)
    return lambda row: bool(row["Reference"] == wanted)
