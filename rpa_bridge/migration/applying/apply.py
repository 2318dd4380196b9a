"""Carrying out a plan: stock is taken, then step by step everything is copied. The target stays inactive until the end.

Every run begins with what the journal knows, so that going on after a crash is the same as beginning.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from rpa_bridge.errors import MigrationError, NotFoundError
from rpa_bridge.migration.documents import Kind, Step
from rpa_bridge.migration.journal.base import LETTERS, OPEN, RowState, StepKey
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.stages import Stage
from rpa_bridge.transport.call import apart

from .file_moves import FileMove
from .item_moves import ItemMove
from .pausing import Patience
from .stocktaking import is_stock_taken, take_stock
from .thing_moves import move_thing

PATIENCE = 3600.0
"""Seconds for which nothing may work before a migration stops by itself."""
MAY_BE_AT_WORK = "allowed although the source is at work"
MAY_HAVE_CHANGED = "allowed although the source has changed"
"""What the log remembers, so that going on needs no second leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """How far a plan is carried out."""

    counts: dict[StepKey, dict[RowState, int]]
    stocked: bool
    """Whether stock was taken; one that was asked to drain before cannot know what is open, and has sent nothing."""

    @property
    def open(self) -> int:
        """Things that are still to be copied; what is asked to drain leaves some."""
        return self._sum(OPEN)

    @property
    def letters(self) -> int:
        """Dead letters: things that a person must look at."""
        return self._sum(LETTERS)

    def _sum(self, states: frozenset[RowState]) -> int:
        return sum(number for step in self.counts.values() for state, number in step.items() if state in states)


async def apply(
    run: Run, *, allow_live: bool = False, allow_drift: bool = False, patience: float = PATIENCE
) -> Applied:
    """Copies what the plan says and is not copied yet. The journal must be open.

    Raises MigrationError, before anything is sent, for a plan whose source is at work (unless `allow_live`) or has
    changed since (unless `allow_drift`), and for one that was rolled back; and after `patience` seconds in which
    nothing has worked. What was allowed once stays so. Any other error of a platform that no single thing is to blame
    for is raised too. Whatever was raised, calling it again goes on.
    """
    await _refuse_rolled_back(run)
    await _refuse_live(run, allow_live=allow_live)
    allow_drift = await _is_allowed(run, MAY_HAVE_CHANGED, now=allow_drift)
    waiting = Patience(patience)

    async def stock() -> None:
        await take_stock(run, allow_drift=allow_drift)

    await waiting.through(run, "source", stock)
    for step in run.plan.steps:
        if run.draining.is_set():
            break
        if not step.goes:
            continue
        if step.kind is Kind.ITEMS:
            await waiting.through(run, step.name, lambda step=step: _refuse_without_queue(run, step))  # type: ignore[misc]
            await ItemMove(run, step, waiting).move()
        elif step.kind is Kind.ARTIFACTS:
            await FileMove(run, step, waiting).move()
        else:
            await waiting.through(run, step.name, lambda step=step: move_thing(run, step))  # type: ignore[misc]
        run.reached("step.done")
    applied = Applied(counts=await run.journal.counts(), stocked=await is_stock_taken(run))
    await run.journal.note(Stage.DRAINED if run.draining.is_set() else Stage.COPIED)
    return applied


async def _is_allowed(run: Run, what: str, *, now: bool) -> bool:
    """Whether it is allowed now, or was before; the journal remembers it."""
    if any(text == what for _, text in await run.journal.notes()):
        return True
    if now:
        await run.journal.note(what)
    return now


async def _refuse_live(run: Run, *, allow_live: bool) -> None:
    if run.plan.live and not await _is_allowed(run, MAY_BE_AT_WORK, now=allow_live):
        raise MigrationError(
            f"the source is at work ({'; '.join(run.plan.live)}): items could be worked on both sides. Pause it and "
            f"plan again, or say --allow-live"
        )


async def _refuse_without_queue(run: Run, step: Step) -> None:
    """Items go into no queue that is somebody else's. One that ever held copies is ours, by whatever journal."""
    queue = StepKey(Kind.QUEUE, step.name)
    for row in await run.journal.rows(step=queue, states={RowState.DEAD, RowState.CONFLICT}, limit=1):
        if row.state is RowState.CONFLICT and (await _has_nothing_to_send(run, step) or await _held_copies(run, step)):
            return
        raise MigrationError(
            f"queue {step.to!r} could not be made ({row.hint}), so that its items have nowhere to go; mend that, "
            f"requeue it (--code {row.code}), and resume; or plan again with the rule queues.rename"
        )


async def _has_nothing_to_send(run: Run, step: Step) -> bool:
    return not await run.journal.rows(step=key_of(step), states=OPEN, limit=1)


async def _held_copies(run: Run, step: Step) -> bool:
    """Whether items were copied this way into the target's queue before, even if a rollback has removed them since."""
    prefix = run.plan.mark_prefix(step.to)
    with apart(), suppress(NotFoundError):  # somebody has cleared the way, and not requeued it
        async for item in run.target.queues.items(step.to, mark=prefix):
            if item.mark is not None and item.mark.startswith(prefix):
                return True
    return False


async def _refuse_rolled_back(run: Run) -> None:
    if any(text.startswith(Stage.ROLLED_BACK) for _, text in await run.journal.notes()):
        raise MigrationError("this migration was rolled back; move its journal away to begin it anew, or plan again")
