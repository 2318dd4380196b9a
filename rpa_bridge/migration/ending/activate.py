"""Opening the target's queues, last of all: from then on the items are worked there."""

from __future__ import annotations

from dataclasses import dataclass

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.base import LANDED, OPEN, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.stages import Stage, is_stocked
from rpa_bridge.migration.things import is_secret, reveals


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """The queues that work can be taken from now."""

    activated: tuple[str, ...]
    by_hand: tuple[str, ...]
    """What a person must open, a sentence each."""


async def activate(run: Run, *, force: bool = False) -> Activation:
    """Activates the queues that this migration has made and that were active at the source.

    Raises MigrationError while something is still to be copied, was not found equal by `verify`, or was rolled back;
    `force` activates all the same. What nobody can verify holds nothing up. Doing it again does no harm.
    """
    if not force:
        await _refuse_unproved(run)
    activated: list[str] = []
    by_hand: list[str] = []
    for step in run.plan.steps:
        if step.kind is not Kind.QUEUE or not step.settings.get("active", True):
            continue
        made = await run.journal.rows(step=key_of(step), states=LANDED, limit=1)
        if not made or made[0].existed:
            continue
        if Feature.QUEUE_ACTIVATE not in run.target.capabilities:
            by_hand.append(f"queue {step.to!r} has no switch at the target; enable by hand what takes work from it")
            continue
        run.reached("activate.queue")
        await run.target.queues.activate(step.to)
        activated.append(step.to)
    await run.journal.note(f"{Stage.ACTIVATED}: {len(activated)} queues")
    return Activation(activated=tuple(activated), by_hand=tuple(by_hand))


async def _refuse_unproved(run: Run) -> None:
    counts = await run.journal.counts()
    states = [(step, counts.get(key_of(step), {})) for step in run.plan.steps]
    for step, of_step in states:
        if sum(of_step.get(state, 0) for state in OPEN) or not await is_stocked(run, step):
            raise MigrationError(
                f"{step.kind} of {step.name!r} is not copied to the end; `rpa-bridge migrate resume` goes on, "
                f"then verify"
            )
        if of_step.get(RowState.ROLLED_BACK) or of_step.get(RowState.ROLLING_BACK):
            raise MigrationError(
                "the migration was rolled back, so that there is nothing to open; copy it with a new plan"
            )
    for step, of_step in states:
        unproved = of_step.get(RowState.CONFIRMED, 0)
        if unproved and not (is_secret(step) and not reveals(run.target)):
            raise MigrationError(
                f"{unproved} of {step.kind} {step.name!r} were not found equal at the target yet; "
                f"`rpa-bridge migrate verify` (with --deep for files) compares them"
            )
