"""How far a migration is, from its journal alone: no platform is asked."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

from rpa_bridge.migration.journal.base import OPEN, Journal, RowState, StepKey

from .documents import Kind, Plan
from .letters import Letter, letters
from .stages import Stage, reached


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStatus:
    """How many things of one step stand in each state."""

    kind: Kind
    name: str
    to: str
    goes: bool
    """Whether the plan carries it out."""
    counts: dict[RowState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStatus:
    """The dead letters of one code, and the first of them with its remedy."""

    code: str
    number: int
    example: Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a migration is."""

    plan_id: str
    stage: Stage | None
    """What it reached last; None before anything."""
    reached_at: datetime | None
    steps: tuple[StepStatus, ...]
    letters: tuple[LetterStatus, ...]
    """By code, the most frequent first."""

    @property
    def open(self) -> int:
        """Things that are still to be copied, or were perhaps sent."""
        return sum(self._in(state) for state in OPEN)

    @property
    def unknown(self) -> int:
        """Things of which nobody knows yet whether they were sent; going on looks for them first."""
        return self._in(RowState.INTENT) + self._in(RowState.UNKNOWN)

    def _in(self, state: RowState) -> int:
        return sum(step.counts.get(state, 0) for step in self.steps)


async def status(plan: Plan, journal: Journal) -> Status:
    """How far the plan is carried out. The journal must be open."""
    counts = await journal.counts()
    stage = reached(await journal.notes())
    return Status(
        plan_id=plan.id,
        stage=stage and stage[0],
        reached_at=stage and stage[1],
        steps=tuple(
            StepStatus(
                kind=step.kind,
                name=step.name,
                to=step.to,
                goes=step.goes,
                counts=counts.get(StepKey(step.kind, step.name), {}),
            )
            for step in plan.steps
        ),
        letters=await _letters(journal),
    )


async def _letters(journal: Journal) -> tuple[LetterStatus, ...]:
    by_code: dict[str, LetterStatus] = {}
    async with aclosing(letters(journal)) as found:
        async for letter in found:
            known = by_code.get(letter.code) or LetterStatus(code=letter.code, number=0, example=letter)
            by_code[letter.code] = replace(known, number=known.number + 1)
    return tuple(sorted(by_code.values(), key=lambda one: (-one.number, one.code)))
