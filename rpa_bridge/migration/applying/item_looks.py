"""Items that were perhaps sent, looked for at the target: by their marks, for as long as they may still arrive."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import chain, repeat

from rpa_bridge.contract.queues import Item, ItemDraft
from rpa_bridge.migration.content import GONE, item_hash
from rpa_bridge.migration.documents import Conflict, Kind, Step
from rpa_bridge.migration.journal.base import LANDED, Change, Row, RowState, StepKey
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.call import apart

from .refusals import policy, there_already

BATCH = 100
"""Items laid beside the journal at once."""
AT_ONCE = 5000
"""Items that are looked for together: after a crash they are few, and all there are where a disk forgot the journal."""
ATTEMPTS = 5
"""How often an item is sent that is never found, before it is left to a person."""
LONGEST_SEND = 300.0
"""Seconds after it was written down in which an item may still be sent: then the request is broken off."""
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
"""Seconds between looks for what was perhaps sent; the last of them again and again."""


class ItemLooks:
    """The looks into one queue at the target."""

    def __init__(
        self,
        run: Run,
        step: Step,
        settle: Callable[[Sequence[Change]], Awaitable[None]],
        tell: Callable[[str], None],
    ) -> None:
        """`settle` writes changes down, and `tell` says what is waited for."""
        self._run, self._step, self._key = run, step, key_of(step)
        self._settle, self._tell = settle, tell
        self._began = run.clock.now()
        self._sent_by: datetime | None = None
        self._adopted = False

    def sent(self) -> None:
        """Everything that this run has sent was sent by now: from here on it may take as long as the settle window."""
        self._sent_by = self._run.clock.now()

    async def adopt(self) -> None:
        """Takes for done what is planned and at the target all the same, once before a run sends anything.

        A journal that is new, or an older copy, does not know of all that was sent the same way, and some of that may
        still be on its way. It is waited for where the journal is new and the queue is not; and where something was
        found, which tells of an older copy.
        """
        if self._adopted or not await self._is_planned():
            return
        found = await self._adopt_found()
        if not await self._is_planned():
            return
        note = f"looked for earlier copies in {self._step.to!r}"
        is_noted = any(text == note for _, text in await self._run.journal.notes())
        if found or not (is_noted or await self._has_made_the_queue()):
            await self._let_others_arrive()
            if self._run.draining.is_set():
                return
            await self._adopt_found()
        if not is_noted:
            await self._run.journal.note(note)
        self._adopted = True

    async def _adopt_found(self) -> int:
        """Settles what is planned and there; how many those are. A mark that is there twice counts once."""
        number = 0
        async for items in self._found(self._run.plan.mark_prefix(self._step.to)):
            rows = await self._run.journal.by_key([str(item.mark) for item in items])
            changes: dict[int, Change] = {}
            for item in items:
                row = rows.get(str(item.mark))
                if row is not None and row.state is RowState.PLANNED:
                    changes.setdefault(row.seq, self._match(row, item, existed=True))
            await self._settle(list(changes.values()))
            number += len(changes)
        return number

    async def _let_others_arrive(self) -> None:
        """Waits for what the journal does not know of: whoever sent it had ended before this run began."""
        over = self._run.began + timedelta(seconds=self._run.target.settle_window)
        left = (over - self._run.clock.now()).total_seconds()
        if left > 0:
            self._tell(f"waiting {left:.0f} s for what an earlier migration may have sent")
            await self._run.pause(left)

    async def _has_made_the_queue(self) -> bool:
        """Whether there was none before this migration, so that all that was sent into it stands in the journal.

        On every platform a request names a queue that must be there. One that was removed in the midst of an earlier
        migration, and is made anew within the settle window, is the exception: so are items that somebody removes.
        """
        rows = await self._run.journal.rows(step=StepKey(Kind.QUEUE, self._step.name), states=LANDED, limit=1)
        return any(not row.existed for row in rows)

    async def _is_planned(self) -> bool:
        return bool(await self._run.journal.rows(step=self._key, states={RowState.PLANNED}, limit=1))

    async def settle_unknown(self) -> None:
        """Looks for what was perhaps sent, until it is found or can no longer arrive."""
        while not self._run.draining.is_set() and (rows := await self._unknown()):
            await self._settle_these(rows)

    async def _settle_these(self, rows: list[Row]) -> None:
        over = await self._arrived_by()
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            began = self._run.clock.now()
            rows = await self._look(rows)
            if not rows:
                return
            if began >= over:
                rows = await self._look_closer(rows)
                break
            left = (over - self._run.clock.now()).total_seconds()
            self._tell(f"looking for {len(rows)} items whose answer was lost, for {max(0.0, left):.0f} s at most")
            await self._run.pause(max(0.0, min(pause, left)))
            if self._run.draining.is_set():
                return
        self._run.reached("items.absent")
        hint = f"sent {ATTEMPTS} times and never found; look what the target does with it, then requeue it"
        changes = [
            Change(seq=row.seq, to=RowState.DEAD, code="never_found", hint=hint)
            if row.attempt >= ATTEMPTS
            else Change(seq=row.seq, to=RowState.PLANNED)
            for row in rows
        ]
        await self._settle(changes)
        self._run.reached("items.planned_again")

    async def _unknown(self) -> list[Row]:
        return await self._run.journal.rows(step=self._key, states={RowState.UNKNOWN}, limit=AT_ONCE)

    async def _arrived_by(self) -> datetime:
        """When everything that was perhaps sent is there, or will never come."""
        last = await self._run.journal.last_intent(self._key) or self._began
        sent = sent_by(self._run, last, self._began)
        return max(sent, self._sent_by or sent) + timedelta(seconds=self._run.target.settle_window)

    async def _look(self, rows: Sequence[Row], prefix: str | None = None) -> list[Row]:
        """Those of the rows that are not there; the others are settled. An empty prefix looks through all items."""
        missing = {row.key: row for row in rows}
        start = _common_start([row.key for row in rows]) if prefix is None else prefix
        with apart():
            async with aclosing(self._found(start)) as found:
                async for items in found:
                    ours = [(missing.pop(str(item.mark)), item) for item in items if item.mark in missing]
                    await self._settle([self._match(row, item) for row, item in ours])
                    if not missing:
                        break
        return list(missing.values())

    async def _look_closer(self, rows: Sequence[Row]) -> list[Row]:
        """The same for a last look, which must not be deceived by a platform that does not heed the filter.

        An item that is known to be there must be found in the same way; otherwise all items are looked through.
        """
        landed = await self._run.journal.rows(step=self._key, states=LANDED, limit=1)
        with apart():
            for row in landed:
                async for items in self._found(row.key):
                    if any(item.mark == row.key for item in items):
                        return list(rows)
        return await self._look(rows, "")

    async def _found(self, prefix: str) -> AsyncGenerator[list[Item]]:
        """What is at the target with such marks, in batches.

        Retries are left out, which carry the mark of the first attempt; and what was taken out of the queue again, as
        a rollback does, so that it may be copied anew.
        """
        batch: list[Item] = []
        async for item in self._run.target.queues.items(self._step.to, mark=prefix or None):
            if item.retry_of is None and item.state not in GONE:
                batch.append(item)
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch

    def _match(self, row: Row, item: Item, *, existed: bool | None = None) -> Change:
        if item_hash(item) == row.expect_hash:
            return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=item.id, existed=existed)
        hint = f"item {item.id} of queue {self._step.to!r} carries its mark and has other content; compare the two"
        return Change(seq=row.seq, to=RowState.CONFLICT, dst_id=item.id, code="other_content", hint=hint)

    async def duplicate(self, row: Row, draft: ItemDraft) -> Change:
        """What it means that the queue has the reference already: it is ours, or somebody else's."""
        others: list[Item] = []
        with apart():
            async for item in self._run.target.queues.items(self._step.to, reference=draft.reference):
                if item.mark == row.key and item.state not in GONE:
                    return self._match(row, item)
                others.append(item)
        equal = [item for item in others if item_hash(item) == row.expect_hash]
        name = f"{draft.reference!r} in queue {self._step.to!r}"
        if equal and policy(self._run, Kind.ITEMS) is Conflict.SKIP:
            return there_already(row, f"item {equal[0].id} is {name} already, the same")
        which = f"item {others[-1].id}" if others else "an item"
        hint = REDACTOR.line(f"{which} has the reference {name} already; remove one of the two, then requeue it")
        return Change(seq=row.seq, to=RowState.CONFLICT, code="duplicate", hint=hint)


def sent_by(run: Run, last: datetime, began: datetime) -> datetime:
    """When the last of what was written down by `last` was sent, of which nobody knows more; this run began then.

    Who had it before this run is dead; or is only stopped, where it was taken over, and may go on at any moment.
    """
    at_most = last + timedelta(seconds=LONGEST_SEND)
    if run.take_over and last <= began:
        return at_most
    return min(at_most, max(last, began))


def _common_start(words: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(words), max(words)
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]
