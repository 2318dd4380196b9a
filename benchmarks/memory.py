"""What a million items leave behind in memory."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import linear_regression

from .arena import Arena
from .contenders.base import COPY, READ
from .figures import Figure, Goal, Row, Section

STEPS = 10
WHAT = {READ: "read, typed, streaming", COPY: "read and added to another queue"}


def sections(arena: Arena) -> list[Section]:
    """One table."""
    count = arena.effort.streamed
    found = {what: arena.bulk("ours", kind, count, step=count // STEPS) for kind, what in WHAT.items()}
    return [
        Section(
            title=f"Memory, {count:,} items",
            intro=f"Resident memory at each {count // STEPS:,} items; the slope is that of the line through them.",
            columns=("what", "MiB at each step", "measured"),
            rows=[row for what, one in found.items() for row in _rows(what, one["memory"], one["peak"])],
        )
    ]


def _rows(what: str, memory: Sequence[float], peak: float) -> list[Row]:
    seen = " ".join(f"{one:.1f}" for one in memory)
    most = Goal(limit=150, unit=" MiB", why="something is kept for each item; look at the steps.")
    grows = Goal(limit=1, unit=" MiB a step", why="something is kept for each item; look at the steps.")
    at_most, slope = Figure.of([peak]), Figure.of([linear_regression(range(len(memory)), memory).slope])
    return [
        Row(cells=(what, seen, f"peak {peak:.0f} MiB"), name=f"{what}, peak", figure=at_most, goal=most),
        Row(cells=(what, "", f"slope {slope.middle:.2f} MiB"), name=f"{what}, slope", figure=slope, goal=grows),
    ]
