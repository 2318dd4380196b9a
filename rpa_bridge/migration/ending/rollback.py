"""Taking back what a migration has put at the target, where nobody has touched it since.

Before something is removed its row becomes ROLLING_BACK, so that whatever happens then nobody retires its original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import MigrationError, NotFoundError, UnsupportedError
from rpa_bridge.migration.applying.item_looks import LONGEST_SEND
from rpa_bridge.migration.documents import Kind, Step
from rpa_bridge.migration.journal.base import LANDED, RETIRED, Change, Row, RowState, StepKey
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.stages import Stage
from rpa_bridge.migration.things import DELETION, Found, delete_at_target, is_secret, look_at_target, named
from rpa_bridge.transport.call import deadline, time_for_attempt

from .outcomes import Ending, StepEnding
from .rollback_items import STAGE, ItemRollback, is_only_found
from .together import AT_ONCE, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What was removed at the target again, and what stays there."""

    steps: tuple[StepEnding, ...]
    drained: bool
    """Whether it was asked to stop before its end."""


async def rollback(run: Run, *, leave_retired: bool = False) -> Rollback:
    """Removes at the target what this migration made and nobody touched; queues stay, deactivated.

    It may be called again after whatever stopped it. The journal must be open.
    Raises MigrationError when something was removed at the source already, unless it is to be left where it is.
    """
    if not leave_retired:
        await _refuse_retired(run)
    endings = []
    for step in run.plan.steps:
        if run.draining.is_set():
            break
        run.tell(STAGE, step.name, 0, step.count)
        if step.kind is Kind.ITEMS:
            endings.append(await ItemRollback(run, step).roll_back())
        elif step.kind is Kind.QUEUE:
            endings.append(await _leave_queue(run, step))
        else:
            endings.append(await _ThingRollback(run, step).roll_back())
    if not run.draining.is_set():
        removed = sum(one.removed for one in endings)
        await run.journal.note(f"{Stage.ROLLED_BACK}: {removed} removed at the target")
    return Rollback(steps=tuple(endings), drained=run.draining.is_set())


async def _refuse_retired(run: Run) -> None:
    counts = await run.journal.counts()
    number = sum(states.get(state, 0) for states in counts.values() for state in RETIRED)
    if number:
        raise MigrationError(
            f"{number} are retired at the source, so that the target has the only copy; say --leave-retired to leave "
            f"those there and roll back the others, or move everything back with a new plan"
        )


async def _leave_queue(run: Run, step: Step) -> StepEnding:
    """A queue that this migration made stays; nothing is taken from it, but where it has the only copy of an item."""
    ending = Ending(step)
    made = await run.journal.rows(step=key_of(step), states=LANDED, limit=1)
    if not made or is_only_found(made[0]):
        return ending.told
    items = (await run.journal.counts()).get(StepKey(Kind.ITEMS, step.name), {})
    if any(items.get(state) for state in RETIRED):
        ending.leave(f"queue {step.to!r} stays as it is, because it has the only copy of items retired at the source")
        return ending.told
    how = "is not deactivated, because the target has no switch for it"
    if Feature.QUEUE_DEACTIVATE in run.target.capabilities:
        try:
            await run.target.queues.deactivate(step.to)
        except NotFoundError:
            ending.tell(f"queue {step.to!r} is not at the target any more")
            return ending.told
        how = "is deactivated"
    ending.leave(
        f"queue {step.to!r} stays and {how}; delete it by hand when nobody needs it: some platforms never give a "
        f"deleted queue's name out again"
    )
    return ending.told


class _ThingRollback:
    """One asset or credential, or the files of one container."""

    def __init__(self, run: Run, step: Step) -> None:
        self._run, self._step, self._key = run, step, key_of(step)
        self._ending = Ending(step)

    async def roll_back(self) -> StepEnding:
        """Deletes what is still as it was copied. A file is read whole before."""
        last = 0
        while not self._run.draining.is_set():
            states = (LANDED - RETIRED) | {RowState.UNKNOWN}
            rows = await self._run.journal.rows(step=self._key, states=states, after=last, limit=AT_ONCE)
            if not rows:
                break
            last = rows[-1].seq
            rows = [row for row in rows if self._may_go(row)]
            found = list(zip(rows, await together(self._look, rows), strict=True))
            changes = [Change(seq=row.seq, to=RowState.ROLLED_BACK) for row, look in found if look is Found.GONE]
            changes += await self._delete_together([row for row, look in found if look is Found.SAME])
            await self._run.journal.settle(changes, self._run.clock.now())
            self._run.reached("rollback.settled")
        return self._ending.told

    async def _delete_together(self, rows: Sequence[Row]) -> list[Change]:
        """Deletes them, after that is written down; what becomes of each."""
        journal = self._run.journal
        with deadline(LONGEST_SEND, clock=self._run.clock):  # who takes over from a process that hangs relies on it
            intents = [Change(seq=row.seq, to=RowState.ROLLING_BACK) for row in rows]
            await journal.settle(intents, self._run.clock.now())
            await journal.check()
            self._run.reached("rollback.intent")
            return await together(self._delete, rows)

    def _may_go(self, row: Row) -> bool:
        what = named(self._step, row)
        if is_only_found(row):
            when = "before this migration" if row.existed else "when the journal was lost"
            self._ending.leave(f"{what} was at the target {when}, and stays")
        elif row.state is RowState.UNKNOWN:
            self._ending.leave(f"{what} was perhaps copied; look whether it is at the target, and delete it there")
        else:
            return True
        return False

    async def _look(self, row: Row) -> Found | None:
        """SAME when it can go, GONE when it is not there any more; None when it stays, and then it says why."""
        what = named(self._step, row)
        look = await look_at_target(self._run, self._step, row)
        if look.found is Found.CHANGED:
            self._ending.leave(f"{what} was changed at the target, and stays; compare the two")
        elif look.found is Found.UNREADABLE:
            self._ending.leave(f"{what} stays at the target, because {look.why}; delete it there by hand")
        elif look.found is Found.SAME and not self._can_delete():
            self._ending.leave(f"{what} stays, because the target has no way to delete it; do it by hand")
        else:
            return look.found
        return None

    def _can_delete(self) -> bool:
        kind = Kind.CREDENTIAL if is_secret(self._step) else self._step.kind
        return DELETION[kind] in self._run.target.capabilities

    async def _delete(self, row: Row) -> Change:
        time_for_attempt("rollback")  # not every platform looks at the clock by itself
        try:
            await delete_at_target(self._run, self._step, row)
        except UnsupportedError as error:
            self._ending.leave(f"{named(self._step, row)} stays at the target: {error}")
            return Change(seq=row.seq, to=RowState.CONFIRMED)
        except NotFoundError:  # somebody was faster
            return Change(seq=row.seq, to=RowState.ROLLED_BACK)
        self._ending.removed += 1
        self._run.reached("rollback.removed")
        return Change(seq=row.seq, to=RowState.ROLLED_BACK)
