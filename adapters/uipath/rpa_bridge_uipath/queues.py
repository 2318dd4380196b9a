"""Queues and their items. docs: uipath.md 3.9, 3.10 and 5.5"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Failure, Item, ItemDraft, ItemState, Queue, QueueService
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError
from rpa_bridge.helpers.checks import check_draft, check_name, check_values, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import blindly, once

from . import odata
from .client import Client
from .mapping import queues as mapping
from .wire.queues import QueueDefinitionDto, QueueItemDto

_FORBIDDEN_IN_NAMES = re.compile(r"[:.,@\"#]")
"""Names of values must not hold these. docs: uipath.md 3.10"""

UNKNOWN_MEMBER = "0"
"""The code of a body that could not be bound, such as one with a member newer than the server. docs: uipath.md 5.2"""


class UiPathQueues(QueueService):
    """Queues by name; items by number."""

    def __init__(self, client: Client, clock: Clock, limits: Limits) -> None:
        super().__init__("uipath", clock)
        self._client, self._limits = client, limits
        self._ids: dict[str, int] = {}
        self._marks = True

    async def find(self) -> AsyncIterator[Queue]:
        async for row in self._client.all_rows(QueueDefinitionDto, "QueueDefinitions", operation="queues.find"):
            yield mapping.queue(row)

    async def get(self, name: str) -> Queue:
        return mapping.queue(await self._definition(name, "queues.get"))

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        operation = "queues.add"
        check_name(operation, "queue", queue, Limits())
        check_draft(operation, draft, self._limits)
        _check_value_names(operation, draft.values)
        if draft.reference is None or not self._marks:
            return await self._add_blindly(queue, draft, operation)
        try:
            return await self._add_marked(queue, draft, operation)
        except InvalidError as error:
            if error.code != UNKNOWN_MEMBER:
                raise
        item = await self._add_blindly(queue, draft, operation)
        self._marks = False  # an older server: it refuses ParentOperationId, and takes the item without
        return item

    async def take(self, queue: str) -> Item | None:
        operation = "queues.take"
        check_name(operation, "queue", queue, Limits())
        path = f"/odata/Queues/{odata.QUEUE_ACTION}StartTransaction"
        body = {"transactionData": {"Name": queue}}
        may_be = (
            f"an item of queue {queue!r} may now be in progress without a worker; look for it in the queue, "
            f"UiPath abandons it after about 24 hours"
        )
        with blindly(may_be):
            answer = await self._client.call(
                "POST", path, effect=Effect.BLIND, operation=operation, json=body, may_be_empty=False
            )
            return None if answer is None else mapping.item(QueueItemDto.of(answer, operation), queue)

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        operation = "queues.complete"
        result = dict(item.output if output is None else output)
        check_values(operation, result, Limits(item_bytes=100 * 1024))  # docs: Output 100 KB, uipath.md 3.10
        await self._report(item, mapping.succeeded(result), {ItemState.DONE}, operation)

    async def fail(self, item: Item, failure: Failure) -> None:
        await self._report(item, mapping.failed(failure), {ItemState.FAILED, ItemState.RETRIED}, "queues.fail")

    async def items(
        self, queue: str, *, state: ItemState | None = None, reference: str | None = None
    ) -> AsyncIterator[Item]:
        operation = "queues.items"
        definition = await self._definition(queue, operation)
        words = None if state is None else mapping.item_state_filter(state)
        if words == []:
            return
        condition = odata.all_of(
            odata.where("QueueDefinitionId", "eq", definition.Id),
            None if words is None else odata.any_of("Status", words),
            None if reference is None else odata.where("Reference", "eq", reference),
        )
        rows = self._client.all_rows(QueueItemDto, "QueueItems", operation=operation, condition=condition)
        async for row in rows:
            if reference in (None, row.Reference):  # the server ignores case
                yield mapping.item(row, definition.Name)

    async def get_item(self, queue: str, item_id: str) -> Item:
        operation = "queues.get_item"
        item = await self._item(item_id, operation)
        if not await self._is_in(queue, item, operation):
            raise _no_item(operation, item_id, queue)
        return mapping.item(item, queue)

    async def _add_marked(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mark = f"rb-{self._client.new_id()}"

        async def send() -> Item:
            return await self._send_add(queue, draft, mark, Effect.FINDABLE, operation)

        async def look_up() -> Item | None:
            return await self._by_mark(queue, str(draft.reference), mark, operation)

        what = f"an item with reference {draft.reference!r} in queue {queue!r}"
        window = self._client.settle_window
        return await once(send, look_up, clock=self.clock, operation=operation, what=what, window=window)

    async def _add_blindly(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mend = "" if draft.reference else ", and give items a reference so that this can be found out for you"
        with blindly(f"the item may be in queue {queue!r}; look before you add it again{mend}"):
            return await self._send_add(queue, draft, None, Effect.BLIND, operation)

    async def _send_add(self, queue: str, draft: ItemDraft, mark: str | None, effect: Effect, operation: str) -> Item:
        path = f"/odata/Queues/{odata.QUEUE_ACTION}AddQueueItem"
        body = mapping.item_data(queue, draft, mark=mark)
        answer = await self._client.call("POST", path, effect=effect, operation=operation, json=body)
        item = QueueItemDto.of(answer, operation)
        if item.Reference != draft.reference and (item.Reference or draft.reference):
            raise ProtocolError(f"{operation}: the answer does not name our item", operation=operation)
        return mapping.item(item, queue)

    async def _by_mark(self, queue: str, reference: str, mark: str, operation: str) -> Item | None:
        """The item that our own request made: others may carry the same reference."""
        definition = await self._definition(queue, operation)
        condition = odata.all_of(
            odata.where("QueueDefinitionId", "eq", definition.Id), odata.where("Reference", "eq", reference)
        )
        rows = self._client.all_rows(QueueItemDto, "QueueItems", operation=operation, condition=condition)
        async for row in rows:
            if row.ParentOperationId == mark:
                return mapping.item(row, queue)
        return None

    async def _report(self, item: Item, body: dict[str, Any], reached: set[ItemState], operation: str) -> None:
        number = odata.number(item.id)
        if number is None:
            raise _no_item(operation, item.id, item.queue)
        path = f"/odata/Queues({number})/{odata.QUEUE_ACTION}SetTransactionResult"
        try:
            await self._client.call("POST", path, effect=Effect.SET, operation=operation, json=body)
        except (ConflictError, InvalidError) as error:
            # A repeat after a lost answer finds the item final already: that is what was asked for.
            if error.attempts > 1 and mapping.item(await self._item(item.id, operation), item.queue).state in reached:
                return
            raise

    async def _item(self, item_id: str, operation: str) -> QueueItemDto:
        number = odata.number(item_id)
        if number is None:
            raise _no_item(operation, item_id)
        item = await self._client.read(QueueItemDto, odata.entity("QueueItems", number), operation=operation)
        if item.Id != number:
            raise ProtocolError(f"{operation}: asked for item {number}, got {item.Id}", operation=operation)
        return item

    async def _is_in(self, queue: str, item: QueueItemDto, operation: str) -> bool:
        """Whether the item is of this queue. Ids are remembered, and asked for again when they do not fit."""
        if item.QueueDefinitionId in (None, self._ids.get(queue)):
            return True
        self._ids[queue] = (await self._definition(queue, operation)).Id
        return item.QueueDefinitionId == self._ids[queue]

    async def _definition(self, name: str, operation: str) -> QueueDefinitionDto:
        check_name(operation, "queue", name, Limits())
        params = {"$filter": odata.where("Name", "eq", name), "$top": "2"}
        try:
            rows = await self._client.rows(QueueDefinitionDto, "QueueDefinitions", operation=operation, params=params)
        except InvalidError:  # docs: some servers refuse to filter by Name, uipath.md 3.9
            listed = self._client.all_rows(QueueDefinitionDto, "QueueDefinitions", operation=operation)
            rows = [row async for row in listed]
        for row in rows:
            if row.Name.casefold() == name.casefold():
                return row
        raise NotFoundError(
            f"{operation}: there is no queue {name!r} in this folder; `rpa-bridge queues list` shows what there is",
            operation=operation,
        )


def _no_item(operation: str, item_id: str, queue: str | None = None) -> NotFoundError:
    place = f" in queue {queue!r}" if queue else ""
    return NotFoundError(
        f"{operation}: there is no item {item_id!r}{place}; look for it with queues.items", operation=operation
    )


def _check_value_names(operation: str, values: Mapping[str, Any]) -> None:
    for name in values:
        if not name or _FORBIDDEN_IN_NAMES.search(name):
            raise refuse(operation, f'the value name {name!r} is empty or holds one of : . , @ " #; rename it')
