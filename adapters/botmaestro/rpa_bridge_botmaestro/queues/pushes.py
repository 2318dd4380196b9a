"""Many pushes: some at once, none twice, and each accounted for. docs: botmaestro.md 1 "Batch", 9 "push"

There is no request for many entries. A push whose answer was lost is not sent again: its mark is looked for in the
datapool's listing, together with those of the others, in one pass for them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass

from rpa_bridge.contract.queues import AddResult, AddStatus, Drafts, Item, ItemDraft
from rpa_bridge.errors import (
    ConflictError,
    Delivery,
    InvalidError,
    OutcomeUnknownError,
    RemoteError,
    UnsupportedError,
)
from rpa_bridge.helpers.adding import Tally, each
from rpa_bridge.transport.reconcile import once
from rpa_bridge_botmaestro.client import Client

OPERATION = "queues.add_many"
MOST_AT_ONCE = 32
"""Pushes under way; the connection's own pace and limit hold for them too."""
MOST_LOST = 32
"""Pushes without a usable answer that are looked for together, before others are sent."""
GRACE = 2.0
"""Seconds that pushes under way may still take after their caller was cancelled."""


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """One draft that was pushed."""

    position: int
    reference: str | None
    op_id: str
    """Its name in the outbox."""
    mark: str

    def result(self, status: AddStatus, *, item_id: str | None = None, problem: str | None = None) -> AddResult:
        """What became of it."""
        return AddResult(
            position=self.position, reference=self.reference, status=status, item_id=item_id, problem=problem
        )


class Pushes:
    """The pushes of one call into one datapool."""

    def __init__(
        self,
        queue: str,
        client: Client,
        tally: Tally,
        *,
        check: Callable[[ItemDraft], None],
        push: Callable[[ItemDraft, str], Awaitable[Item]],
        landed: Callable[[Set[str]], Awaitable[dict[str, Item]]],
    ) -> None:
        self._queue, self._client, self._tally = queue, client, tally
        self._check, self._push, self._landed = check, push, landed
        self._under_way: dict[Sent, asyncio.Task[None]] = {}
        self._ended = asyncio.Event()
        """One of those under way has ended since this was cleared."""
        self._lost: dict[Sent, RemoteError] = {}
        self._found: dict[str, str] = {}
        """Ids of lost ones that are in the datapool after all, by mark."""
        self._failure: Exception | None = None

    async def send_all(self, drafts: Drafts) -> None:
        """Pushes them all. Raises the first error that no item is to blame for, when nothing is under way any more."""
        try:
            try:
                await self._feed(drafts)
            except Exception as error:  # noqa: BLE001 - the drafts' own; raised below
                self._fail(error)
            await self._settle()
        except (Exception, asyncio.CancelledError):
            await self._give_up()
            raise
        if self._failure is not None:
            raise self._failure

    async def _feed(self, drafts: Drafts) -> None:
        position = 0
        async for draft in each(drafts):
            self._begin(position, draft)
            position += 1
            while len(self._under_way) >= MOST_AT_ONCE:
                self._ended.clear()
                await self._ended.wait()
            if len(self._lost) >= MOST_LOST:
                await self._settle()
            if self._failure is not None:
                return

    def _begin(self, position: int, draft: ItemDraft) -> None:
        op_id = f"rb-{self._client.new_id()}"
        sent = Sent(position, draft.reference, op_id, draft.mark or op_id)
        try:
            self._check(draft)
        except (InvalidError, UnsupportedError) as error:
            self._note(sent.result(AddStatus.REFUSED, problem=str(error)))
        else:
            self._under_way[sent] = asyncio.create_task(self._carry_out(sent, draft))

    async def _carry_out(self, sent: Sent, draft: ItemDraft) -> None:
        try:
            what = f"an item in queue {self._queue!r}"
            with self._client.effects.noted(OPERATION, what, subject=self._queue, key=sent.mark, op_id=sent.op_id):
                item = await self._push(draft, sent.mark)
        except RemoteError as error:
            self._take_note_of_failure(sent, error)
        except Exception as error:  # noqa: BLE001 - nobody knows it, so that nobody knows what it means for the item
            self._note(sent.result(AddStatus.UNKNOWN, problem=self._unknown("the push broke off")))
            self._fail(error)
        else:
            self._note(sent.result(AddStatus.ADDED, item_id=item.id))
        del self._under_way[sent]
        self._ended.set()

    def _take_note_of_failure(self, sent: Sent, error: RemoteError) -> None:
        if error.delivery is Delivery.MAYBE:
            self._lost[sent] = error
            return
        self._note(sent.result(AddStatus.REFUSED, problem=str(error)))
        if not isinstance(error, InvalidError | ConflictError):
            self._fail(error)

    async def _settle(self) -> None:
        """Waits for what is under way, then looks for what was lost until it is found or can no longer come."""
        if self._under_way:
            await asyncio.wait(self._under_way.values())
        if not self._lost:
            return
        marks, window = {sent.mark for sent in self._lost}, self._client.effects.settle_window

        async def send() -> bool:
            raise list(self._lost.values())[-1]

        async def look_up() -> bool | None:
            there = await self._landed(marks - self._found.keys())
            self._found.update({mark: item.id for mark, item in there.items()})
            return True if len(self._found) == len(marks) else None

        what = f"each of {len(marks)} items in queue {self._queue!r}"
        try:
            await once(send, look_up, clock=self._client.clock, operation=OPERATION, what=what, window=window)
        except OutcomeUnknownError as error:
            if not self._found and len(marks) >= MOST_LOST:  # it takes nothing: more would only be lost too
                self._fail(error)
        self._report_lost(f"no usable answer came, and the item was not found within {window:g} seconds")

    def _report_lost(self, why: str) -> None:
        lost, found = list(self._lost), self._found
        self._lost, self._found = {}, {}
        for sent in lost:
            if sent.mark in found:
                self._client.effects.settled(sent.op_id)
                self._note(sent.result(AddStatus.ADDED, item_id=found[sent.mark]))
            else:
                self._note(sent.result(AddStatus.UNKNOWN, problem=self._unknown(why)))

    async def _give_up(self) -> None:
        """Waits a moment for what is under way; what has not ended then is unknown."""
        try:
            if self._under_way:
                await asyncio.wait(self._under_way.values(), timeout=GRACE)
        finally:
            why = "the call was ended before it was known what became of the item"
            cut_off = list(self._under_way.values())
            for sent, task in self._under_way.items():
                task.cancel()
                self._note(sent.result(AddStatus.UNKNOWN, problem=self._unknown(why)))
            self._report_lost(why)
            await asyncio.gather(*cut_off, return_exceptions=True)

    def _unknown(self, why: str) -> str:
        return f"{OPERATION}: {why}; look for it in queue {self._queue!r} before you add it again"

    def _note(self, result: AddResult) -> None:
        try:
            self._tally.note(result)
        except Exception as error:  # noqa: BLE001 - the caller's own; the others are still to be accounted for
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
