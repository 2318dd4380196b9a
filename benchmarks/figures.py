"""Figures, goals, and what is printed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

REACHED, MISSED, NO_GOAL = "reached", "**missed**", "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with the least and the most of its rounds."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """The figure of some rounds."""
        return cls(median(values), min(values), max(values))

    @classmethod
    def ratio(cls, ours: Sequence[float], theirs: Sequence[float]) -> Figure:
        """Ours over theirs, round by round."""
        return cls.of([mine / other for mine, other in zip(ours, theirs, strict=False)])

    def __str__(self) -> str:
        digits = 2 if abs(self.middle) < 10 else 0
        return f"{self.middle:,.{digits}f} ({self.least:,.{digits}f}–{self.most:,.{digits}f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure has to reach, and why it does not where it does not."""

    limit: float
    at_most: bool = True
    unit: str = ""
    why: str

    def is_reached(self, figure: Figure) -> bool:
        """Whether the median is good enough."""
        return figure.middle <= self.limit if self.at_most else figure.middle >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g}{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table, and the name by which sentences call it."""

    cells: tuple[object, ...]
    name: str
    figure: Figure
    """What is held against the goal."""
    goal: Goal | None = None

    @property
    def verdict(self) -> str:
        """Whether it reaches its goal."""
        if self.goal is None:
            return NO_GOAL
        return REACHED if self.goal.is_reached(self.figure) else MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One group of the plot: figures by contender, and the goal for ours."""

    name: str
    values: dict[str, float]
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table with a sentence before it, and what of it is plotted."""

    title: str
    intro: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    plot: str = ""
    """What the bars are; empty where there are none."""
    bars: Sequence[Bar] = ()

    @property
    def markdown(self) -> str:
        """The table, and a sentence for each goal that was missed."""
        columns = (*self.columns, "goal", "verdict")
        lines = [f"### {self.title}", "", self.intro, "", _line(columns), "|" + "---|" * len(columns)]
        lines += [_line((*row.cells, row.goal or NO_GOAL, row.verdict)) for row in self.rows]
        return "\n".join([*lines, *self._sentences])

    @property
    def _sentences(self) -> list[str]:
        missed: dict[str, list[str]] = {}
        for row in self.rows:
            if row.goal is not None and row.verdict != REACHED:
                missed.setdefault(row.goal.why, []).append(row.name)
        return ["", *(f"- {'; '.join(names)}: {why}" for why, names in missed.items())] if missed else []


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
