"""One row of the table: what is promised, and what finds out whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How a row is run."""

    full: bool
    seed: int
    guard: bool = True
    """False: as a control, with what protects us taken away."""
    share: float = 1.0
    """Of the full counts, where they would take too long."""

    def of(self, full: int, quick: int) -> int:
        """The count for this run; a control is always quick."""
        return max(quick, round(full * self.share)) if self.full and self.guard else quick


@dataclass(frozen=True, slots=True)
class Found:
    """What a run came to."""

    text: str
    """The figures, as the table shows them."""
    short: str = ""
    """Why the target is not reached; empty when it is."""


Demand = tuple[bool, str]
"""Whether it holds, and the sentence on it when it does not."""


@dataclass(frozen=True, slots=True)
class Row:
    """One target. Without the guard the same run must fall short of it, or it proves nothing."""

    number: int
    """As in the list of targets; one of them may have several rows."""
    target: str
    run: Callable[[Size], Found]
    control: str = ""
    """What stands in for a run without the guard, where there can be none."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A target that is not measured here."""

    number: int
    target: str
    why: str


def judged(text: str, *demands: Demand) -> Found:
    """The figures, and the sentence of each demand that does not hold."""
    return Found(text, "; ".join(sentence for holds, sentence in demands if not holds))
