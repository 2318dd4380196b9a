"""Items that lie in a queue: looked at, counted, postponed, removed, tried again. docs: uipath.md 3.10"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from rpa_bridge.contract.queues import Item, ItemState, QueueStats
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, RemoteError
from rpa_bridge.helpers.checks import check_mark, check_moment, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import BulkAnswer, QueueItemDto

from .definitions import Definitions
from .marks import MEMBER

COLLECTION = "QueueItems"
TRIED_AGAIN = "Retried"
"""The review status of an item that a person has tried again. docs: uipath.md 3.10"""


class Items(Definitions):
    """The verbs for single items that nobody is working on."""

    async def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        operation = "queues.items"
        check_mark(operation, mark)
        last = None if after is None else number_of(operation, after, queue)
        definition = await self._definition(queue, operation)
        words = None if state is None else mapping.item_state_filter(state)
        if words == []:
            return
        condition = odata.all_of(
            odata.where("QueueDefinitionId", "eq", definition.Id),
            None if words is None else odata.any_of("Status", words),
            None if reference is None else odata.where("Reference", "eq", reference),
        )
        async for page in self._listed(condition, mark, last, operation):
            for row in page:
                is_marked = mark is None or (row.ParentOperationId or "").startswith(mark)
                if is_marked and reference in (None, row.Reference):  # the server ignores case
                    yield mapping.item(row, definition.Name)

    async def get_item(self, queue: str, item_id: str) -> Item:
        operation = "queues.get_item"
        item = await self._item(item_id, operation)
        if not await self._is_in(queue, item, operation):
            raise no_item(operation, item_id, queue)
        return mapping.item(item, queue)

    async def stats(self, queue: str) -> QueueStats:
        """Asks once for each of UiPath's seven states: an item that moves meanwhile may count twice, or not."""
        operation = "queues.stats"
        in_queue = odata.where("QueueDefinitionId", "eq", (await self._definition(queue, operation)).Id)
        counts = {}
        for word, state in mapping.ITEM_STATES.items():
            condition = odata.all_of(in_queue, odata.where("Status", "eq", word))
            counts[state] = await self._client.count(COLLECTION, operation=operation, condition=condition)
        return QueueStats(counts=counts)

    async def postpone(self, item: Item, until: datetime) -> None:
        operation = "queues.postpone"
        check_moment(operation, "until", until)
        row = await self._item(item.id, operation)
        if mapping.item_state(row) is not ItemState.NEW:
            raise _in_another_state(operation, row, "only a new one can be postponed")
        if row.Encrypted and not row.SpecificContent:  # docs: PUT replaces the content, uipath.md 3.10
            raise refuse(operation, f"item {row.Id} is encrypted and shows no values, which a change would erase")
        path = odata.entity(COLLECTION, row.Id)
        body = mapping.postponed(row, until)
        await self._client.call("PUT", path, effect=Effect.SET, operation=operation, json=body)

    async def remove(self, item: Item) -> None:
        """Guarded by the item's version: one that somebody takes at the same moment is not removed."""
        operation = "queues.remove"
        row = await self._item(item.id, operation)
        if mapping.item_state(row) is ItemState.REMOVED:
            return
        if mapping.item_state(row) is not ItemState.NEW:
            raise _in_another_state(operation, row, "only a new one can be removed")
        if await self._changed("DeleteBulk", row, Effect.SET, operation):
            return
        row = await self._item(item.id, operation)
        if mapping.item_state(row) is not ItemState.REMOVED:  # else an earlier attempt has done it
            raise _in_another_state(operation, row, "somebody changed it meanwhile, and it was not removed")

    async def retry(self, item: Item) -> Item:
        operation = "queues.retry"
        row = await self._item(item.id, operation)
        if mapping.item_state(row) not in (ItemState.FAILED, ItemState.LAPSED):
            raise _in_another_state(operation, row, "only a failed or lapsed one can be tried again")
        if row.ReviewStatus == TRIED_AGAIN:
            raise _in_another_state(operation, row, "it has been tried again already")

        async def send() -> Item:
            if not await self._changed("SetItemReviewStatus", row, Effect.FINDABLE, operation, status=TRIED_AGAIN):
                raise _in_another_state(operation, row, "the platform does not try it again")
            return await self._next_attempt_now(row, item.queue, operation)

        async def look_up() -> Item | None:
            return await self._next_attempt(row.Id, item.queue, operation)

        what = f"the new attempt at item {row.Id}"
        return await self._client.effects.once(
            send, look_up, operation=operation, what=what, subject=item.queue, key=str(row.Id)
        )

    async def tried_again(self, intent: Intent) -> tuple[str, ...]:
        """The id of the new attempt that a `retry` has made whose end nobody saw."""
        found = await self._next_attempt(int(intent.key), intent.subject, intent.operation)
        return () if found is None else (found.id,)

    async def _listed(
        self, condition: str, mark: str | None, last: int | None, operation: str
    ) -> AsyncIterator[Sequence[QueueItemDto]]:
        """What stands after the last id; from a server that does not filter by marks, all of it, whatever its mark."""
        by_mark = None if mark is None else odata.starts_with(MEMBER, mark)
        while True:
            bound = None if last is None else odata.where("Id", "gt", last)
            limited = odata.all_of(condition, by_mark, bound)
            try:
                async for page in self._client.all_pages(
                    QueueItemDto, COLLECTION, operation=operation, condition=limited
                ):
                    last = page[-1].Id if page else last
                    yield page
            except InvalidError:
                if by_mark is None:
                    raise
                by_mark = None
            else:
                return

    async def _changed(self, action: str, row: QueueItemDto, effect: Effect, operation: str, **members: Any) -> bool:
        """Whether the server did it: not for an item that is no longer as we have seen it. docs: uipath.md 5.5"""
        body = {"queueItems": [{"Id": row.Id, "RowVersion": row.RowVersion}], **members}
        path = f"/odata/{COLLECTION}/{odata.QUEUE_ACTION}{action}"
        answer = await self._client.call("POST", path, effect=effect, operation=operation, json=body)
        told = BulkAnswer.of(answer, operation)
        return bool(told.Success) and not told.FailedItems

    async def _next_attempt_now(self, row: QueueItemDto, queue: str, operation: str) -> Item:
        """The new item, after the platform said that it made one. Raises ProtocolError when it cannot be seen."""
        try:
            found = await self._next_attempt(row.Id, queue, operation)
        except RemoteError:  # the retry has happened: no error may sound as if it had not
            found = None
        if found is None:
            raise ProtocolError(f"{operation}: the new attempt at item {row.Id} cannot be seen", operation=operation)
        return found

    async def _next_attempt(self, number: int, queue: str, operation: str) -> Item | None:
        condition = odata.where("ManualAncestorId", "eq", number)
        async for found in self._client.all_rows(QueueItemDto, COLLECTION, operation=operation, condition=condition):
            if found.ManualAncestorId == number:
                return mapping.item(found, queue)
        return None

    async def _item(self, item_id: str, operation: str) -> QueueItemDto:
        number = number_of(operation, item_id)
        item = await self._client.read(QueueItemDto, odata.entity(COLLECTION, number), operation=operation)
        if item.Id != number:
            raise ProtocolError(f"{operation}: asked for item {number}, got {item.Id}", operation=operation)
        return item


def no_item(operation: str, item_id: str, queue: str | None = None) -> NotFoundError:
    """The error for an id that names no item."""
    place = f" in queue {queue!r}" if queue else ""
    return NotFoundError(
        f"{operation}: there is no item {item_id!r}{place}; look for it with queues.items", operation=operation
    )


def number_of(operation: str, item_id: str, queue: str | None = None) -> int:
    """The number that an id is. Raises NotFoundError for any other text."""
    number = odata.number(item_id)
    if number is None:
        raise no_item(operation, item_id, queue)
    return number


def _in_another_state(operation: str, row: QueueItemDto, why: str) -> ConflictError:
    return ConflictError(f"{operation}: item {row.Id} is {row.Status}; {why}; look at it again", operation=operation)
