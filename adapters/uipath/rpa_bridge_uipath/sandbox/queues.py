"""Queue definitions, and adding to queues. docs: uipath.md 3.9 and 3.10"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, flag, instant, many, nested, one_of, text, unwrap, whole
from .content import MOST_CONTENT, check_size, content
from .entities import PRIORITIES, QUEUE, Row
from .errors import RefusalError, invalid_argument, invalid_query, name_taken, not_found, refusal
from .gate import Call, Route
from .odata import read_query
from .state import State
from .work import Work

SCOPE = "OR.Queues"
ACTION = "UiPathODataSvc."
MOST_PROGRESS = 104_857

DEFINITION = {
    "Name": text(50),
    "Description": text(250),
    "MaxNumberOfRetries": whole(0, 50),
    "AcceptAutomaticallyRetry": flag,
    "RetryAbandonedItems": flag,
    "EnforceUniqueReference": flag,
    "Encrypted": flag,
    "SlaInMinutes": whole(0, 2**31),
    "RiskSlaInMinutes": whole(0, 2**31),
    "ReleaseId": whole(0, 2**63),
}
ITEM_DATA = {
    "Name": text(),
    "Priority": one_of(*PRIORITIES),
    "SpecificContent": content,
    "DeferDate": instant,
    "DueDate": instant,
    "RiskSlaDate": instant,
    "Reference": text(128),
    "Progress": text(MOST_PROGRESS),
    "Source": text(20),
    "ParentOperationId": text(128),
}
BULK = {
    "queueName": text(),
    "commitType": one_of("AllOrNothing", "StopOnFirstFailure", "ProcessAllIndependently"),
    "queueItems": many(nested(ITEM_DATA)),
}


class Queues:
    """The queues of a folder."""

    def __init__(self, world: World, state: State, work: Work) -> None:
        self._world, self._state, self._work = world, state, work

    def routes(self) -> list[Route]:
        """Its operations."""
        return [
            Route("GET", "/odata/QueueDefinitions", self.find, SCOPE),
            Route("GET", r"/odata/QueueDefinitions({id:\d+})", self.get, SCOPE),
            Route("POST", "/odata/QueueDefinitions", self.create, SCOPE),
            Route("POST", f"/odata/Queues/{ACTION}AddQueueItem", self.add, SCOPE),
            Route("POST", f"/odata/Queues/{ACTION}BulkAddQueueItems", self.add_many, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        if "Name" in call.request.query.get("$filter", "") and self._world.switch("uipath.no_queue_name_filter", False):
            raise invalid_query("The property 'Name' cannot be used in the $filter query option.")
        query = read_query(call.request.query.items(), QUEUE)
        return web.json_response(query.answer(query.run(self._state.in_folder(self._state.queues, call.folder))))

    async def get(self, call: Call) -> web.Response:
        queue = self._state.queues.get(call.id)
        if queue is None or queue["OrganizationUnitId"] != call.folder["Id"]:
            raise not_found("The queue")
        return web.json_response(queue)

    async def create(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), DEFINITION, "queueDefinitionDto")
        if not given.get("Name"):
            raise invalid_argument("Name", "The Name field is required.")
        if self._state.by_name(self._state.queues, call.folder, given["Name"]):
            raise name_taken(given["Name"])
        return web.json_response(self._state.add_queue(call.folder, given), status=201)

    async def add(self, call: Call) -> web.Response:
        given = unwrap(await body_of(call.request), "itemData", ITEM_DATA)
        queue = queue_named(self._state, call.folder, given.get("Name"))
        self._work.sweep()
        problem = item_problem(self._world, self._work, queue, given)
        if problem is not None:
            raise problem[1]
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
            problem = item_problem(self._world, self._work, queue, item, beside=good)
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


def queue_named(state: State, folder: Row, name: Any) -> Row:
    """The queue of a request. Raises a 404."""
    queue = state.by_name(state.queues, folder, name) if name else None
    if queue is None:
        raise not_found(f"Queue {name}")
    return queue


def item_problem(
    world: World, work: Work, queue: Row, item: Row, beside: Sequence[Row] = ()
) -> tuple[str, RefusalError] | None:
    """What keeps an item out of a queue: its name in bulk results, and the refusal; None when nothing does.

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
    same_request = {work.fold(one["Reference"]) for one in beside}
    if work.fold(reference) in same_request or work.reference_taken(queue, reference):
        code = world.switch("uipath.duplicate_reference_code", 1016)
        return "DuplicateReference", refusal(409, code, "Error creating Transaction. Duplicate Reference.")
    return None
