"""What verification has found, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rpa_bridge.contract.queues import ItemState
from rpa_bridge.migration.documents import Kind


class Outcome(StrEnum):
    """What verification says of a step."""

    OK = "ok"
    """All that went is there, once, and as it should be."""
    DIFFERS = "differs"
    UNFINISHED = "unfinished"
    """Something is still to be copied, was perhaps sent, or is perhaps being removed by a rollback."""
    UNVERIFIABLE = "unverifiable"
    """Nobody can read it back, or nothing was read that tells; never taken for ok."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """One step's things at the target, beside what the journal knows of them."""

    kind: Kind
    name: str
    to: str
    outcome: Outcome
    expected: int = 0
    """Things that went."""
    found: int = 0
    """Things that are there; a doubled one counts twice."""
    open: int = 0
    """Things that are still to be copied, or were perhaps sent."""
    letters: int = 0
    """Things that did not go: the dead letters and what was skipped."""
    missing: int = 0
    duplicated: int = 0
    differing: int = 0
    unverifiable: int = 0
    strangers: int = 0
    """Items of another migration along the same way."""
    arrived: int | None = None
    """New items at the source that came after stock was taken; None where nobody looked."""
    states: dict[ItemState, int] = field(default_factory=dict)
    """How many items stand in each state at the target."""
    expected_digest: str = ""
    """Of what went; knows no order."""
    found_digest: str = ""
    """Of what is there; equal when it is the same."""
    findings: tuple[str, ...] = ()
    """What is amiss, a sentence each with ids, never with payloads."""
    warnings: tuple[str, ...] = ()
    """What is no difference, and worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verification has found."""

    steps: tuple[StepVerdict, ...]

    @property
    def equal(self) -> bool:
        """Whether all that can be compared is copied and the same; what is unverifiable is not counted."""
        return not any(one.outcome in (Outcome.DIFFERS, Outcome.UNFINISHED) for one in self.steps)

    @property
    def unverifiable(self) -> bool:
        """Whether something could not be compared."""
        return any(one.outcome is Outcome.UNVERIFIABLE or one.unverifiable for one in self.steps)
