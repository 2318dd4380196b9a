"""New items, one by one and many at once. docs: uipath.md 3.10 and 5.5"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from rpa_bridge.contract.queues import AddResult, AddStatus, AddSummary, Drafts, Item, ItemDraft
from rpa_bridge.errors import InvalidError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.adding import Tally
from rpa_bridge.helpers.checks import NO_LIMITS, check_draft, check_name, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import QueueDefinitionDto, QueueItemDto

from .bulk import Bulk
from .definitions import Definitions
from .entries import Entry, batches
from .marks import MarkedItems, Marks

T = TypeVar("T")

_FORBIDDEN_IN_NAMES = re.compile(r"[:.,@\"#]")
"""Names of values must not hold these. docs: uipath.md 3.10"""

UNKNOWN_MEMBER = "0"
"""The code of a body that could not be bound, such as one with a member newer than the server. docs: uipath.md 5.2"""


class Adding(Definitions):
    """The verbs that put work in. Each item carries a mark, by which a lost answer is looked up."""

    _marks = True
    """Whether the server takes marks, as far as we know."""

    def check_item(self, draft: ItemDraft) -> None:
        self._check("queues.add", draft)

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        operation = "queues.add"
        check_name(operation, "queue", queue, NO_LIMITS)
        self._check(operation, draft)
        if draft.mark is not None:
            return await self._with_given_marks(lambda: self._add_marked(queue, draft, operation))
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
        async for batch in batches(drafts, self._packed):
            async for results in self._add_batch(definition, batch):
                for result in results:
                    tally.note(result)
        return tally.summary

    async def added(self, intent: Intent) -> tuple[str, ...]:
        """The id of the item that an `add` has made whose end nobody saw."""
        mark, _, reference = intent.key.partition(" ")
        definition = await self._definition(intent.subject, intent.operation)
        if reference:
            row = await self._by_reference(definition, reference, mark, intent.operation, removed_too=True)
            return () if row is None else (str(row.Id),)
        return await self._landed(definition, Marks.given([mark]), intent)

    async def landed(self, intent: Intent) -> tuple[str, ...]:
        """The ids of the items that a bulk has made whose end nobody saw."""
        definition = await self._definition(intent.subject, intent.operation)
        return await self._landed(definition, Marks.of_key(intent.key, intent.count), intent)

    async def _landed(self, definition: QueueDefinitionDto, marks: Marks, intent: Intent) -> tuple[str, ...]:
        """By their marks; a server whose filter does not find those, though it takes it, is asked by time as well."""
        items = MarkedItems(self._client, definition, intent.operation, removed_too=True)
        found = await items.find(marks, intent.at, intent.settles_at)
        if len(found) < intent.count:
            found |= await items.created(marks, intent.at, intent.settles_at)
        return tuple(found[ordinal] for ordinal in sorted(found))

    def _packed(self, position: int, draft: ItemDraft) -> Entry:
        try:
            size = self._check("queues.add_many", draft)
        except (InvalidError, UnsupportedError) as error:
            return Entry(position, draft.reference, mark=draft.mark, problem=str(error))
        return Entry(position, draft.reference, mark=draft.mark, data=mapping.new_item(draft), size=size)

    async def _add_batch(
        self, definition: QueueDefinitionDto, batch: Sequence[Entry]
    ) -> AsyncIterator[list[AddResult]]:
        """The results in order. A refusal of them all is pinned on single items by sending ever smaller parts."""
        good = [entry for entry in batch if entry.problem is None]
        results = [entry.result(AddStatus.REFUSED, problem=entry.problem) for entry in batch if entry.problem]
        try:
            results += await self._add_bulk(definition, good)
        except (InvalidError, UnsupportedError) as error:
            if len(good) == 1:
                results.append(good[0].result(AddStatus.REFUSED, problem=str(error)))
        if len(results) == len(batch):
            yield sorted(results, key=lambda one: one.position)
            return
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            async for results in self._add_batch(definition, part):
                yield results

    async def _add_bulk(self, definition: QueueDefinitionDto, entries: Sequence[Entry]) -> list[AddResult]:
        if not entries:
            return []
        bulk = Bulk(self._client, definition, entries)
        if entries[0].mark is not None:
            return await self._with_given_marks(bulk.add_marked)
        return await self._with_marks(bulk.add_marked, bulk.add_blindly)

    async def _add_marked(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mark, since = draft.mark or f"rb-{self._client.new_id()}", self._client.clock.now()

        async def send() -> Item:
            return await self._send_add(queue, draft, mark, Effect.FINDABLE, operation)

        async def look_up() -> Item | None:
            return await self._by_mark(queue, draft.reference, mark, since, operation)

        name = f"mark {mark!r}" if draft.reference is None else f"reference {draft.reference!r}"
        what = f"an item with {name} in queue {queue!r}"
        key = f"{mark} {draft.reference or ''}"
        return await self._client.effects.once(send, look_up, operation=operation, what=what, subject=queue, key=key)

    async def _add_blindly(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mend = "" if draft.reference else ", and give items a reference so that this can be found out for you"
        may_be = f"the item may be in queue {queue!r}; look before you add it again{mend}"
        with self._client.effects.blindly(operation, may_be):
            return await self._send_add(queue, draft, None, Effect.BLIND, operation)

    async def _send_add(self, queue: str, draft: ItemDraft, mark: str | None, effect: Effect, operation: str) -> Item:
        path = f"/odata/Queues/{odata.QUEUE_ACTION}AddQueueItem"
        body = mapping.item_data(queue, draft, mark=mark)
        ours = mark if mark and draft.mark is None else ""  # the caller's may stand in other answers too
        answer = await self._client.call("POST", path, effect=effect, operation=operation, json=body, mark=ours)
        item = QueueItemDto.of(answer, operation)
        is_named = (item.Reference or None) == draft.reference and draft.mark in (None, item.ParentOperationId)
        if not is_named:
            raise ProtocolError(f"{operation}: the answer does not name our item", operation=operation)
        return mapping.item(item, queue)

    async def _by_mark(
        self, queue: str, reference: str | None, mark: str, since: datetime, operation: str
    ) -> Item | None:
        """The item that our own request made."""
        definition = await self._definition(queue, operation)
        if reference is not None:
            row = await self._by_reference(definition, reference, mark, operation)
            return None if row is None else mapping.item(row, queue)
        found = await MarkedItems(self._client, definition, operation).find(Marks.given([mark]), since)
        if not found:
            return None
        path = odata.entity("QueueItems", int(found[1]))
        return mapping.item(await self._client.read(QueueItemDto, path, operation=operation), queue)

    async def _by_reference(
        self, definition: QueueDefinitionDto, reference: str, mark: str, operation: str, *, removed_too: bool = False
    ) -> QueueItemDto | None:
        """The item of this mark, among those with this reference: others may carry it too."""
        condition = odata.all_of(
            odata.where("QueueDefinitionId", "eq", definition.Id), odata.where("Reference", "eq", reference)
        )
        rows = self._client.all_rows(QueueItemDto, "QueueItems", operation=operation, condition=condition)
        async for row in rows:
            if row.ParentOperationId == mark and (removed_too or not mapping.is_removed(row)):
                return row
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

    async def _with_given_marks(self, marked: Callable[[], Awaitable[T]]) -> T:
        """What `marked` does. Raises UnsupportedError on an older server: an item is not sent without its mark."""
        try:
            return await marked()
        except InvalidError as error:
            if error.code != UNKNOWN_MEMBER:
                raise
            raise _no_marks(f"this server does not take it ({error})") from None

    def _check(self, operation: str, draft: ItemDraft) -> int:
        """The bytes that its values take. Raises what `add` raises before it sends anything."""
        if draft.mark is not None and not self._marks:
            raise _no_marks("this server is older than ParentOperationId")
        size = check_draft(operation, draft, self._limits)
        for name in draft.values:
            if not _is_name(name):
                raise refuse(operation, f'the value name {name!r} is empty or holds one of : . , @ " #; rename it')
        return size


def _no_marks(why: str) -> UnsupportedError:
    return UnsupportedError("items with a mark", adapter="uipath", hint=f"{why}; leave the mark out")


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    """Whether a value can be called that; the items of one queue have the same few names."""
    return bool(name) and _FORBIDDEN_IN_NAMES.search(name) is None
