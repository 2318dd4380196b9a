"""What a stage tells of its work: sentences for a person, with ids and never with payloads."""

from __future__ import annotations

from dataclasses import dataclass

from rpa_bridge.migration.documents import Kind, Step

MOST_FINDINGS = 100
"""Sentences that are kept of one step."""


class Findings:
    """Sentences; of too many the first are kept, and the others counted."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._more = 0

    def add(self, sentence: str) -> None:
        """Notes one."""
        if len(self._kept) < MOST_FINDINGS:
            self._kept.append(sentence)
        else:
            self._more += 1

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that are kept, and how many are not."""
        return (*self._kept, f"and {self._more} more like these") if self._more else tuple(self._kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnding:
    """What was removed of one step, at one of the two ends, and what stays there."""

    kind: Kind
    name: str
    to: str
    removed: int
    stays: int
    findings: tuple[str, ...]
    """Why something stays, and what a person should look at."""


class Ending:
    """Counts what becomes of one step's things."""

    def __init__(self, step: Step) -> None:
        self._step, self._findings = step, Findings()
        self.removed = 0
        self.stays = 0

    def tell(self, sentence: str) -> None:
        """Notes what a person should know."""
        self._findings.add(sentence)

    def leave(self, sentence: str) -> None:
        """Counts one that stays, and says why."""
        self.stays += 1
        self.tell(sentence)

    @property
    def told(self) -> StepEnding:
        """All that was counted."""
        return StepEnding(
            kind=self._step.kind,
            name=self._step.name,
            to=self._step.to,
            removed=self.removed,
            stays=self.stays,
            findings=self._findings.sentences,
        )
