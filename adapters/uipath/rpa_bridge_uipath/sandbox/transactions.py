"""Working on queue items: taken, noted, done. docs: uipath.md 3.10, TransactionDataDto and TransactionResultDto"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .additions import ACTION, MOST_PROGRESS, Admission
from .bodies import bind, body_of, flag, guid, instant, nested, one_of, text, unwrap
from .content import MOST_ANALYTICS, MOST_OUTPUT, check_size, content, typed
from .entities import EXCEPTION_TYPES, Row
from .errors import invalid_argument, wrong_state
from .gate import Call, Route
from .queues import SCOPE, queue_named
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
    "Output": typed,
    "Analytics": typed,
    "Progress": text(MOST_PROGRESS),
    "OperationId": text(128),
}


class Transactions:
    """The operations on the items that somebody works on."""

    def __init__(self, world: World, state: State, work: Work, admission: Admission) -> None:
        self._world, self._state, self._work, self._admission = world, state, work, admission

    def routes(self) -> list[Route]:
        """Its operations."""
        one = r"({id:\d+})"
        return [
            Route("POST", f"/odata/Queues/{ACTION}StartTransaction", self.start, SCOPE),
            Route("POST", f"/odata/Queues{one}/{ACTION}SetTransactionResult", self.finish, SCOPE),
            Route("POST", f"/odata/QueueItems{one}/{ACTION}SetTransactionProgress", self.progress, SCOPE),
        ]

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
        self._admission.check(queue, given)
        return self._work.add(queue, given)

    def _next(self, queue: Row, given: Row) -> Row | None:
        return self._work.next_item(queue, _by_reference(given))

    def _in_progress(self, call: Call) -> Row:
        row = self._work.item(call.id, call.folder)
        if row["Status"] != "InProgress":
            raise wrong_state(f"The item is {row['Status']} (QueueItemInvalidTransitionFromFinalStatus).")
        return row


def _by_reference(given: Row) -> Callable[[Row], bool]:
    """The test of a transaction that wants a certain reference."""
    wanted: Any = given.get("Reference")
    if wanted is None:
        return lambda _: True
    if given.get("ReferenceFilterOption") == "StartsWith":
        return lambda row: (row["Reference"] or "").startswith(wanted)
    return lambda row: bool(row["Reference"] == wanted)
