"""Adding items to queues: one, many, or one to work on at once. docs: uipath.md 3.10"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, instant, many, nested, one_of, text, unwrap
from .content import MOST_CONTENT, check_size, content
from .entities import PRIORITIES, Row
from .errors import RefusalError, invalid_argument, refusal
from .gate import Call, Route
from .queues import SCOPE, queue_named
from .state import State
from .work import Work

ACTION = "UiPathODataSvc."
MOST_PROGRESS = 104_857

ITEM_DATA = {
    "Name": text(),
    "Priority": one_of(*PRIORITIES),
    "SpecificContent": content,
    "DeferDate": instant,
    "DueDate": instant,
    "RiskSlaDate": instant,
    "Reference": text(128),
    "Progress": text(MOST_PROGRESS),
    "Source": one_of("Manual", "Apps", "ProcessOrchestration"),
    "ParentOperationId": text(128),
}
BULK = {
    "queueName": text(),
    "commitType": one_of("AllOrNothing", "StopOnFirstFailure", "ProcessAllIndependently"),
    "queueItems": many(nested(ITEM_DATA)),
}


class Admission:
    """What a queue lets in."""

    def __init__(self, world: World, work: Work) -> None:
        self._world, self._work = world, work

    def check(self, queue: Row, item: Row) -> None:
        """Raises the refusal of an item that may not be added."""
        problem = self.problem(queue, item)
        if problem is not None:
            raise problem[1]

    def problem(self, queue: Row, item: Row, beside: Sequence[Row] = ()) -> tuple[str, RefusalError] | None:
        """What keeps an item out: its name in bulk results, and the refusal; None when nothing does.

        `beside` are the items of the same request that were accepted before it.
        """
        try:
            check_size("SpecificContent", item.get("SpecificContent"), MOST_CONTENT)
        except RefusalError as too_large:
            return "QueueItemContentSizeExceeded", too_large
        if not queue["EnforceUniqueReference"]:
            return None
        reference = item.get("Reference")
        if not reference:
            return "TransactionReferenceRequired", invalid_argument("Reference", "This queue wants one.")
        same_request = {self._work.fold(one["Reference"]) for one in beside}
        if self._work.fold(reference) in same_request or self._work.reference_taken(queue, reference):
            code = self._world.switch("uipath.duplicate_reference_code", 1016)
            return "DuplicateReference", refusal(409, code, "Error creating Transaction. Duplicate Reference.")
        return None


class Additions:
    """The operations that add to the queues of a folder."""

    def __init__(self, world: World, state: State, work: Work, admission: Admission) -> None:
        self._world, self._state, self._work, self._admission = world, state, work, admission

    def routes(self) -> list[Route]:
        """Its operations."""
        return [
            Route("POST", f"/odata/Queues/{ACTION}AddQueueItem", self.add, SCOPE),
            Route("POST", f"/odata/Queues/{ACTION}BulkAddQueueItems", self.add_many, SCOPE),
        ]

    async def add(self, call: Call) -> web.Response:
        given = unwrap(await body_of(call.request), "itemData", ITEM_DATA)
        queue = queue_named(self._state, call.folder, given.get("Name"))
        self._work.sweep()
        self._admission.check(queue, given)
        return web.json_response(self._work.add(queue, given), status=201)

    async def add_many(self, call: Call) -> web.Response:
        """200 even when nothing was added, and never the ids. docs: uipath.md 3.10, BulkAdd"""
        given = bind(await body_of(call.request), BULK, "queueItems")
        if len(given) < len(BULK):
            raise invalid_argument("queueItems", "queueName, commitType and queueItems are required.")
        queue = queue_named(self._state, call.folder, given["queueName"])
        self._work.sweep()
        failed = self._add_all(queue, given["queueItems"], given["commitType"])
        message = f"{len(failed)} items failed." if failed else "All items were added."
        return web.json_response({"Success": not failed, "Message": message, "FailedItems": failed})

    def _add_all(self, queue: Row, items: list[Row], commit: str) -> list[Row]:
        """Adds what the commit type lets be added; what failed."""
        failed: list[Row] = []
        good: list[Row] = []
        for ordinal, item in enumerate(items, start=1):
            problem = self._admission.problem(queue, item, beside=good)
            if problem is None:
                good.append(item)
                continue
            told = ordinal if self._world.switch("uipath.bulk_ordinals", True) else None
            failed.append({"Ordinal": told, "ErrorCode": problem[0], "ErrorMessage": problem[1].body["message"]})
            if commit == "StopOnFirstFailure":
                break
        if not (failed and commit == "AllOrNothing"):
            for item in good:
                self._work.add(queue, item)
        return failed
