"""The stages of a migration, as the journal's log names them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from .documents import Step
from .running import Run, key_of


class Stage(StrEnum):
    """What a line of the log begins with when a stage was reached."""

    STOCKED = "stock is taken"
    DRAINED = "asked to drain"
    COPIED = "everything is copied"
    COMPARED = "compared"
    """Verification found something amiss."""
    VERIFIED = "verified"
    ACTIVATED = "activated"
    RETIRED = "retired"
    ROLLED_BACK = "rolled back"
    REQUEUED = "requeued"
    """Dead letters were sent on their way again."""


def reached(notes: Iterable[tuple[datetime, str]]) -> tuple[Stage, datetime] | None:
    """The stage that was reached last, and when; None before the first."""
    stages = [(stage, at) for at, text in notes for stage in Stage if text.startswith(stage)]
    return stages[-1] if stages else None


async def is_stocked(run: Run, step: Step) -> bool:
    """Whether all things of the step that will go are in the journal."""
    return not step.goes or (await run.journal.stock(key_of(step))).complete
