"""Taking the items of one queue out of the target again, where they are still new and as they were sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import ItemState
from rpa_bridge.errors import ConflictError, NotFoundError
from rpa_bridge.migration.applying.item_looks import LONGEST_SEND, sent_by
from rpa_bridge.migration.content import GONE, item_hash
from rpa_bridge.migration.documents import Step
from rpa_bridge.migration.journal.base import LANDED, RETIRED, Change, Row, RowState, Sighting
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.verifying.sightings import BATCH, Marked, marked
from rpa_bridge.transport.call import apart, deadline, time_for_attempt

from .outcomes import Ending, StepEnding
from .together import groups, together

STAGE = "rolling back"
OURS = (LANDED - RETIRED) | {RowState.ROLLED_BACK, RowState.UNKNOWN}


class ItemRollback:
    """One queue's items. What is in memory does not grow with their number.

    The queue is read until nothing is left to remove, so that no item is missed where a list moves on while items go.
    """

    def __init__(self, run: Run, step: Step) -> None:
        self._run, self._step, self._key = run, step, key_of(step)
        self._ending = Ending(step)
        self._left: Counter[str] = Counter()
        self._removed = 0

    async def roll_back(self) -> StepEnding:
        """Removes what may be removed; what was perhaps sent is waited for first."""
        offered = self._run.target.capabilities
        if not {Feature.QUEUE_ITEMS, Feature.QUEUE_REMOVE} <= offered.features:
            return await self._stay(
                "the target cannot take items out of a queue again; stop what works there, and do it by hand"
            )
        try:
            await self._run.target.queues.get(self._step.to)
        except NotFoundError:  # which may also mean that this identity may not see it
            return await self._stay("the queue is not to be seen at the target; nothing was removed")
        await self._let_arrive()
        with apart():
            while not self._run.draining.is_set():
                removed = await self._pass()
                if not self._run.draining.is_set() and (not removed or await self._all_seen()):
                    await self._settle()
                    break
        self._tell_the_left()
        self._ending.removed = self._removed
        return self._ending.told

    async def _let_arrive(self) -> None:
        """Waits until nothing that was perhaps sent can still arrive."""
        last = await self._run.journal.last_intent(self._key)
        if last is None:
            return
        now = self._run.clock.now()
        left = (sent_by(self._run, last, now) - now).total_seconds() + self._run.target.settle_window
        if left > 0:
            note = f"waiting {left:.0f} s for what was perhaps sent"
            self._run.tell(STAGE, self._step.name, 0, None, note)
            await self._run.clock.sleep(left)

    async def _pass(self) -> int:
        """Reads the queue once, and removes; how many were removed."""
        before = self._removed
        self._ending, self._left = Ending(self._step), Counter()
        await self._run.journal.begin_sighting(self._key)
        async with aclosing(marked(self._run, self._step)) as batches:
            async for batch in batches:
                await self._take_out([(one, one.row) for one in batch if one.row is not None])
                if self._run.draining.is_set():
                    break
        return self._removed - before

    async def _take_out(self, batch: Sequence[tuple[Marked, Row]]) -> None:
        await self._confirm_unknown(batch)
        ours = [(one, row) for one, row in batch if self._is_ours(one, row)]
        untouched = [(one, row) for one, row in ours if self._is_untouched(one, row)]
        gone = {one.item.id for one, _ in ours if one.item.state in GONE}
        for some in groups(untouched):
            gone |= await self._remove_together(some)
        sightings = [Sighting(key=row.key, dst_id=one.item.id, equal=one.item.id in gone) for one, row in ours]
        await self._run.journal.see(sightings)
        self._run.reached("rollback.seen")
        self._run.tell(STAGE, self._step.name, self._removed, self._step.count)

    async def _remove_together(self, some: Sequence[tuple[Marked, Row]]) -> set[str]:
        """Removes them, after that is written down; the ids of those that are gone by it."""
        journal = self._run.journal
        leaving = {row.seq for _, row in some if row.state is not RowState.ROLLED_BACK}
        with deadline(LONGEST_SEND, clock=self._run.clock):  # who takes over from a process that hangs relies on it
            intents = [Change(seq=seq, to=RowState.ROLLING_BACK) for seq in sorted(leaving)]
            await journal.settle(intents, self._run.clock.now())
            await journal.check()
            self._run.reached("rollback.intent")
            removed = await together(self._remove, [one for one, _ in some])
        stay = {row.seq for (_, row), is_gone in zip(some, removed, strict=True) if not is_gone} & leaving
        await journal.settle([Change(seq=seq, to=RowState.CONFIRMED) for seq in sorted(stay)], self._run.clock.now())
        return {one.item.id for (one, _), is_gone in zip(some, removed, strict=True) if is_gone}

    async def _confirm_unknown(self, batch: Sequence[tuple[Marked, Row]]) -> None:
        """What was perhaps sent was sent: here it is. Of two with one mark the one that is equal counts."""
        hint = f"queue {self._step.to!r} has an item with its mark and other content; compare the two"
        changes: dict[int, Change] = {}
        for one, row in batch:
            if row.state is not RowState.UNKNOWN:
                continue
            if item_hash(one.item) == row.expect_hash:
                changes[row.seq] = Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=one.item.id)
            else:
                other = Change(seq=row.seq, to=RowState.CONFLICT, dst_id=one.item.id, code="other_content", hint=hint)
                changes.setdefault(row.seq, other)
        await self._run.journal.settle(list(changes.values()), self._run.clock.now())

    def _is_ours(self, one: Marked, row: Row) -> bool:
        if is_only_found(row):
            why = "were there before this migration" if row.existed else "were found when the journal was lost"
            self._left[why] += 1
        elif row.state in RETIRED:
            self._left["are retired at the source"] += 1
        elif row.state in OURS:
            return True
        elif one.item.state not in GONE:
            self._ending.leave(
                f"item {one.item.id} is at the target, though item {row.src_id} is {row.state} in the journal; look at "
                f"both, and remove one"
            )
        return False

    def _is_untouched(self, one: Marked, row: Row) -> bool:
        if one.item.state in GONE:
            return False
        if one.item.state is not ItemState.NEW:
            self._leave_taken(one)
            return False
        if item_hash(one.item) != row.expect_hash:
            self._ending.leave(f"item {one.item.id} was changed at the target, and stays; compare it with {row.src_id}")
            return False
        return True

    async def _remove(self, one: Marked) -> bool:
        time_for_attempt("queues.remove")  # not every platform looks at the clock by itself
        try:
            await self._run.target.queues.remove(one.item)
        except (ConflictError, NotFoundError):  # somebody was faster
            self._leave_taken(one)
            return False
        self._removed += 1
        self._run.reached("rollback.removed")
        return True

    def _leave_taken(self, one: Marked) -> None:
        source = f"item {one.row.src_id}" if one.row else "its original"
        self._ending.leave(
            f"item {one.item.id} was taken at the target, and stays: it may be worked twice; look at {source} at the "
            f"source"
        )

    async def _all_seen(self) -> bool:
        """Whether every row is accounted for; else the list may have moved on while items went."""
        if await self._run.journal.rows(step=self._key, states={RowState.UNKNOWN}, limit=1):
            return False
        last = 0
        while page := await self._run.journal.seen(self._key, after=last, limit=BATCH):
            last = page[-1][0].seq
            if any(_is_to_go(row) and seen == 0 for row, seen, _ in page):
                return False
        return True

    async def _settle(self) -> None:
        """Writes down what is no longer there, after a whole look."""
        last = 0
        while page := await self._run.journal.seen(self._key, after=last, limit=BATCH):
            last = page[-1][0].seq
            to_go = [(row, seen) for row, seen, gone in page if _is_to_go(row) and seen == gone]
            for row, seen in to_go:
                if seen == 0:
                    self._ending.tell(
                        f"the copy of item {row.src_id} was no longer at the target; was it worked there?"
                    )
            changes = [Change(seq=row.seq, to=RowState.ROLLED_BACK) for row, _ in to_go]
            await self._run.journal.settle(changes, self._run.clock.now())
            self._run.reached("rollback.settled")
        while rows := await self._run.journal.rows(step=self._key, states={RowState.UNKNOWN}, limit=BATCH):
            changes = [Change(seq=row.seq, to=RowState.PLANNED) for row in rows]  # it never arrived
            await self._run.journal.settle(changes, self._run.clock.now())

    async def _stay(self, why: str) -> StepEnding:
        counts = (await self._run.journal.counts()).get(self._key, {})
        self._ending.stays = sum(counts.get(state, 0) for state in LANDED - RETIRED)
        if self._ending.stays:
            self._ending.tell(why)
        return self._ending.told

    def _tell_the_left(self) -> None:
        for why, number in self._left.items():
            self._ending.stays += number
            self._ending.tell(f"{number} {why}, and stay")


def _is_to_go(row: Row) -> bool:
    return row.state not in RETIRED and not is_only_found(row)


def is_only_found(row: Row) -> bool:
    """Whether it was found at the target, and this journal knows of no attempt to put it there."""
    return row.existed or row.attempt == 0
