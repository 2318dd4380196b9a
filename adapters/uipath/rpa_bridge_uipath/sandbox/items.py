"""Queue items: looked at, changed, deleted. docs: uipath.md 3.10"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .additions import ACTION, ITEM_DATA
from .bodies import bind, body_of
from .budget import Budget
from .content import MOST_CONTENT, check_size
from .entities import ITEM_MEMBERS, QUEUE, ROBOT, USER, Entity, Kind, Member, Navigation, Row
from .errors import not_found, wrong_state
from .gate import Call, Route
from .odata import Query, read_query
from .queues import SCOPE
from .state import State
from .work import Work


class Items:
    """The items of a folder's queues."""

    def __init__(self, world: World, state: State, work: Work) -> None:
        self._world, self._state, self._work = world, state, work
        self._budget = Budget(world)
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
        one = r"/odata/QueueItems({id:\d+})"
        by_key = f"/odata/QueueItems/{ACTION}GetItemLastRetryByKey(key={{key}})"
        return [
            Route("GET", "/odata/QueueItems", self.find, SCOPE),
            Route("GET", one, self.get, SCOPE),
            Route("PUT", one, self.replace, SCOPE),
            Route("DELETE", one, self.delete, SCOPE),
            Route("GET", f"{one}/UiPath.Server.Configuration.OData.GetItemLastRetry", self.last_retry, SCOPE),
            Route("GET", by_key, self.last_retry_by_key, SCOPE),
            Route("GET", f"{one}/{ACTION}GetItemProcessingHistory", self.history, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        self._budget.spend()
        self._work.sweep()
        query = self._query(call)
        shuffle = self._world.random if self._world.switch("uipath.unordered_is_shuffled", False) else None
        return web.json_response(
            query.answer(query.run(self._state.in_folder(self._state.items, call.folder), shuffle))
        )

    async def get(self, call: Call) -> web.Response:
        return web.json_response(self._query(call).view(self._work.item(call.id, call.folder)))

    async def replace(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), ITEM_DATA, "queueItemDataDto")
        check_size("SpecificContent", given.get("SpecificContent"), MOST_CONTENT)
        row = self._work.item(call.id, call.folder)
        if row["Status"] != "New":
            raise wrong_state(f"The item is {row['Status']}, and only new items can change.")
        self._work.edit(row, given)
        return web.Response()

    async def delete(self, call: Call) -> web.Response:
        self._work.delete(self._work.item(call.id, call.folder))
        return web.Response(status=204)

    async def last_retry(self, call: Call) -> web.Response:
        return self._last_retry(call, self._work.item(call.id, call.folder))

    async def last_retry_by_key(self, call: Call) -> web.Response:
        """By an attempt's UniqueKey, as the definition says."""
        wanted = call.request.match_info["key"].lower()
        self._work.sweep()
        for row in self._state.in_folder(self._state.items, call.folder):
            if row["UniqueKey"] == wanted:
                return self._last_retry(call, row)
        raise not_found("The queue item")

    async def history(self, call: Call) -> web.Response:
        query = self._query(call)
        return web.json_response(query.answer(query.run(self._chain(self._work.item(call.id, call.folder)))))

    def _last_retry(self, call: Call, row: Row) -> web.Response:
        last = self._chain(row)[-1]
        if last is row and not self._world.switch("uipath.last_retry_is_itself", False):
            raise not_found("A retry of the queue item")
        return web.json_response(self._query(call).view(last))

    def _chain(self, row: Row) -> list[Row]:
        """All attempts, which share a key, oldest first."""
        return [one for one in self._state.items.values() if one["Key"] == row["Key"]]

    def _query(self, call: Call) -> Query:
        """docs: uipath.md 3.10: the vendor's own SDK filters by QueueDefinitionName"""
        named = self._world.switch("uipath.queue_definition_name", True)
        ignore_case = self._world.switch("uipath.ignore_case", True)
        entity = self._with_queue_name if named else self._entity
        return read_query(call.request.query.items(), entity, ignore_case=ignore_case)

    def _queue(self, row: Row) -> Row:
        return self._state.queues[row["QueueDefinitionId"]]

    def _robot(self, row: Row) -> Row | None:
        return self._state.robots[row["OrganizationUnitId"]] if row["RobotId"] else None
