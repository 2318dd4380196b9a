"""New items, one by one and many at once. docs: uipath.md 3.10 and 5.5"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import AddResult, AddStatus, AddSummary, Drafts, Item, ItemDraft
from rpa_bridge.errors import InvalidError, ProtocolError
from rpa_bridge.helpers.adding import Tally, each
from rpa_bridge.helpers.checks import check_draft, check_name, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import QueueDefinitionDto, QueueItemDto

from .bulk import Bulk, marks_of
from .definitions import Definitions
from .entries import Entry, batches

T = TypeVar("T")

_FORBIDDEN_IN_NAMES = re.compile(r"[:.,@\"#]")
"""Names of values must not hold these. docs: uipath.md 3.10"""

UNKNOWN_MEMBER = "0"
"""The code of a body that could not be bound, such as one with a member newer than the server. docs: uipath.md 5.2"""


class Adding(Definitions):
    """The verbs that put work in. Each item carries a mark of its own, by which a lost answer is looked up."""

    _marks = True
    """Whether the server takes our marks, as far as we know."""

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        operation = "queues.add"
        check_name(operation, "queue", queue, Limits())
        self._check(operation, draft)
        if draft.reference is None:
            return await self._add_blindly(queue, draft, operation)
        return await self._with_marks(
            lambda: self._add_marked(queue, draft, operation), lambda: self._add_blindly(queue, draft, operation)
        )

    async def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        """Sends up to 100 at once. An error that no item is to blame for is raised, after what was sent is reported."""
        definition = await self._definition(queue, "queues.add_many")
        tally = Tally(on_result)
        async for batch in batches(self._entries(drafts)):
            async for result in self._add_batch(definition, batch):
                tally.note(result)
        return tally.summary

    async def added(self, intent: Intent) -> tuple[str, ...]:
        """The id of the item that an `add` has made whose end nobody saw."""
        mark, _, reference = intent.key.partition(" ")
        item = await self._by_mark(intent.subject, reference, mark, intent.operation)
        return () if item is None else (item.id,)

    async def landed(self, intent: Intent) -> tuple[str, ...]:
        """The ids of the items that a bulk has made whose end nobody saw."""
        bulk = Bulk(self._client, await self._definition(intent.subject, intent.operation), ())
        found = await bulk.landed(intent.key, marks_of(intent.key, intent.count), intent.at)
        return tuple(found[ordinal] for ordinal in sorted(found))

    async def _entries(self, drafts: Drafts) -> AsyncIterator[Entry]:
        position = 0
        async for draft in each(drafts):
            try:
                self._check("queues.add_many", draft)
            except InvalidError as error:
                yield Entry(position, draft.reference, problem=str(error))
            else:
                yield Entry(position, draft.reference, data=mapping.new_item(draft))
            position += 1

    async def _add_batch(self, definition: QueueDefinitionDto, batch: Sequence[Entry]) -> AsyncIterator[AddResult]:
        """The results in order. A refusal of them all is pinned on single items by sending ever smaller parts."""
        good = [entry for entry in batch if entry.problem is None]
        results = [entry.result(AddStatus.REFUSED, problem=entry.problem) for entry in batch if entry.problem]
        try:
            results += await self._add_bulk(definition, good)
        except InvalidError as error:
            if len(good) == 1:
                results.append(good[0].result(AddStatus.REFUSED, problem=str(error)))
        if len(results) == len(batch):
            for result in sorted(results, key=lambda one: one.position):
                yield result
            return
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            async for result in self._add_batch(definition, part):
                yield result

    async def _add_bulk(self, definition: QueueDefinitionDto, entries: Sequence[Entry]) -> list[AddResult]:
        if not entries:
            return []
        bulk = Bulk(self._client, definition, entries)
        return await self._with_marks(bulk.add_marked, bulk.add_blindly)

    async def _add_marked(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mark = f"rb-{self._client.new_id()}"

        async def send() -> Item:
            return await self._send_add(queue, draft, mark, Effect.FINDABLE, operation)

        async def look_up() -> Item | None:
            return await self._by_mark(queue, str(draft.reference), mark, operation)

        what = f"an item with reference {draft.reference!r} in queue {queue!r}"
        key = f"{mark} {draft.reference}"
        return await self._client.effects.once(send, look_up, operation=operation, what=what, subject=queue, key=key)

    async def _add_blindly(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mend = "" if draft.reference else ", and give items a reference so that this can be found out for you"
        may_be = f"the item may be in queue {queue!r}; look before you add it again{mend}"
        with self._client.effects.blindly(operation, may_be):
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

    async def _with_marks(self, marked: Callable[[], Awaitable[T]], plain: Callable[[], Awaitable[T]]) -> T:
        """What `marked` does, or `plain` on an older server: it refuses ParentOperationId, and takes items without."""
        if not self._marks:
            return await plain()
        try:
            return await marked()
        except InvalidError as error:
            if error.code != UNKNOWN_MEMBER:
                raise
        done = await plain()
        self._marks = False
        return done

    def _check(self, operation: str, draft: ItemDraft) -> None:
        check_draft(operation, draft, self._limits)
        _check_value_names(operation, draft.values)


def _check_value_names(operation: str, values: Mapping[str, Any]) -> None:
    for name in values:
        if not name or _FORBIDDEN_IN_NAMES.search(name):
            raise refuse(operation, f'the value name {name!r} is empty or holds one of : . , @ " #; rename it')
