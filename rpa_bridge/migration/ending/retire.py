"""Removing at the source what was read back from the target: the end of a move. Nothing else is touched.

An item or a thing is removed only while it is as it was copied; what was worked or changed at the source meanwhile
stays, and is told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import Item, ItemState
from rpa_bridge.errors import ConflictError, MigrationError, NotFoundError, UnsupportedError
from rpa_bridge.migration.applying.item_looks import LONGEST_SEND
from rpa_bridge.migration.content import GONE, item_hash
from rpa_bridge.migration.documents import Kind, Step
from rpa_bridge.migration.journal.base import Change, Row, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.stages import Stage
from rpa_bridge.migration.things import (
    DELETION,
    Found,
    delete_at_source,
    is_secret,
    look_at_source,
    look_at_target,
    named,
    reveals,
)
from rpa_bridge.transport.call import apart, deadline, time_for_attempt

from .outcomes import Ending, StepEnding
from .together import AT_ONCE, together

STAGE = "retiring"
UNPROVED = (RowState.CONFIRMED, RowState.ROLLING_BACK, RowState.SOURCE_UNKNOWN)
"""What the target perhaps does not have as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """What was removed at the source, and what stays there."""

    steps: tuple[StepEnding, ...]
    drained: bool
    """Whether it was asked to stop before its end."""


async def retire(run: Run, *, kinds: Collection[Kind] = (Kind.ITEMS,)) -> Retirement:
    """Removes at the source what is VERIFIED, of these kinds. Queues always stay. The journal must be open.

    It may be called again after whatever stopped it: what was perhaps removed is looked at first.
    Raises MigrationError for Kind.QUEUE.
    """
    if Kind.QUEUE in kinds:
        raise MigrationError("queues stay at the source; delete them there by hand when nobody needs them any more")
    endings = [await _StepRetirement(run, step).retire() for step in run.plan.steps if step.kind in kinds]
    if not run.draining.is_set():
        removed = sum(one.removed for one in endings)
        await run.journal.note(f"{Stage.RETIRED}: {removed} of {', '.join(sorted(kinds))} removed at the source")
    return Retirement(steps=tuple(endings), drained=run.draining.is_set())


class _StepRetirement:
    def __init__(self, run: Run, step: Step) -> None:
        self._run, self._step, self._key = run, step, key_of(step)
        self._ending = Ending(step)
        self._one = self._item if step.kind is Kind.ITEMS else self._thing

    async def retire(self) -> StepEnding:
        counts = (await self._run.journal.counts()).get(self._key, {})
        if unproved := sum(counts.get(state, 0) for state in UNPROVED):
            self._ending.tell(f"{unproved} stay, because they were not found equal at the target; verify them first")
            self._ending.stays += unproved
        ready = counts.get(RowState.VERIFIED, 0) + counts.get(RowState.SOURCE_INTENT, 0)
        if hindrance := self._hindrance():
            if ready:
                self._ending.tell(hindrance)
                self._ending.stays += ready
            return self._ending.told
        await self._go_through(RowState.SOURCE_INTENT, ready)
        await self._go_through(RowState.VERIFIED, ready)
        return self._ending.told

    def _hindrance(self) -> str:
        """Why nothing of the step can be removed at the source; empty when it can."""
        offered = self._run.source.capabilities
        if self._step.kind is Kind.ITEMS:
            if {Feature.QUEUE_GET_ITEM, Feature.QUEUE_REMOVE} <= offered.features:
                return ""
            return "the source cannot take items out of a queue; stop what works there, and delete the queue by hand"
        if is_secret(self._step) and not reveals(self._run.target):
            return "it stays, because nobody can read at the target what was copied; delete it at the source by hand"
        return "" if DELETION[self._step.kind] in offered else "the source has no way to delete it; do it by hand"

    async def _go_through(self, state: RowState, total: int) -> None:
        """Removes what stands in this state, in batches, each written down before and after."""
        last = 0
        while not self._run.draining.is_set():
            rows = await self._run.journal.rows(step=self._key, states={state}, after=last, limit=AT_ONCE)
            if not rows:
                return
            last = rows[-1].seq
            await self._intend(rows)
            changes = await together(self._one, rows)
            await self._run.journal.settle(changes, self._run.clock.now())
            self._run.reached("retire.settled")
            self._run.tell(STAGE, self._step.name, self._ending.removed + self._ending.stays, total)

    async def _intend(self, rows: Sequence[Row]) -> None:
        intents = [Change(seq=row.seq, to=RowState.SOURCE_INTENT) for row in rows if row.state is RowState.VERIFIED]
        await self._run.journal.settle(intents, self._run.clock.now())
        await self._run.journal.check()
        self._run.reached("retire.intent")

    async def _item(self, row: Row) -> Change:
        with apart():
            item = await self._at_source(row)
        if item is None or item.state in GONE:
            return self._gone(row)
        if item.state is not ItemState.NEW:
            return self._taken(row)
        if item_hash(item) != row.src_hash:
            return self._stays(row, f"item {row.src_id} was changed at the source after the move; compare the two")
        try:
            await self._remove(lambda: self._run.source.queues.remove(item))
        except (ConflictError, NotFoundError):  # somebody was faster
            now = await self._at_source(row)
            return self._gone(row) if now is None or now.state in GONE else self._taken(row)
        return self._removed(row)

    async def _at_source(self, row: Row) -> Item | None:
        try:
            return await self._run.source.queues.get_item(self._step.name, row.src_id)
        except NotFoundError:
            return None

    async def _thing(self, row: Row) -> Change:
        what = named(self._step, row)
        at_source = await look_at_source(self._run, self._step, row)
        if at_source.found is Found.GONE:
            return self._gone(row)
        if at_source.found is not Found.SAME:
            return self._stays(row, f"{what} was changed at the source after the move; compare the two")
        at_target = await look_at_target(self._run, self._step, row)
        if at_target.found is not Found.SAME:
            why = at_target.why or f"it is {at_target.found} at the target"
            return self._stays(row, f"{what} stays at the source: {why}")
        try:
            await self._remove(lambda: delete_at_source(self._run, self._step, row))
        except UnsupportedError as error:
            return self._stays(row, f"{what} stays at the source: {error}")
        except NotFoundError:  # somebody was faster
            return self._gone(row)
        return self._removed(row)

    async def _remove(self, remove: Callable[[], Awaitable[None]]) -> None:
        """Removes it, unless another process has taken over: that one may have found the copy to be gone since."""
        with deadline(LONGEST_SEND, clock=self._run.clock):
            await self._run.journal.check()
            time_for_attempt("retire")  # not every platform looks at the clock by itself
            await remove()

    def _removed(self, row: Row) -> Change:
        self._ending.removed += 1
        self._run.reached("retire.removed")
        return Change(seq=row.seq, to=RowState.SOURCE_DONE)

    def _gone(self, row: Row) -> Change:
        """It is no longer there: we removed it before a crash, or somebody else did."""
        if row.state is RowState.SOURCE_INTENT:
            self._ending.removed += 1
        else:
            self._ending.tell(
                f"{self._name(row)} was removed at the source by somebody else after the move; its copy at the target, "
                f"{row.dst_id or 'found by its mark ' + row.key}, is still there"
            )
        return Change(seq=row.seq, to=RowState.SOURCE_DONE)

    def _taken(self, row: Row) -> Change:
        copy = f"item {row.dst_id}" if row.dst_id else f"the item with the mark {row.key}"
        return self._stays(
            row,
            f"item {row.src_id} was taken at the source after the move: it may be worked twice; look at {copy} at the "
            f"target",
        )

    def _stays(self, row: Row, sentence: str) -> Change:
        self._ending.leave(sentence)
        return Change(seq=row.seq, to=RowState.VERIFIED, code="stays_at_source")

    def _name(self, row: Row) -> str:
        return f"item {row.src_id}" if self._step.kind is Kind.ITEMS else named(self._step, row)
