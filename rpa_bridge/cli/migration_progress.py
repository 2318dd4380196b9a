"""Bars of a migration: one for each thing under way, with rate and time left; only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rpa_bridge.migration import Progress
from rpa_bridge.redaction import REDACTOR

from .render import note

WAITING = "paused"
MOST_BARS = 6
"""Bars that are shown; the oldest goes when there are more."""


@contextmanager
def shown() -> Iterator[Callable[[Progress], None]]:
    """What a run tells its progress to. Without a terminal only pauses are told, each a line."""
    if not sys.stderr.isatty():
        yield _only_pauses
        return
    from rich import progress as bars
    from rich.console import Console

    class Rate(bars.ProgressColumn):
        def render(self, task: bars.Task) -> str:
            return f"{task.speed:,.0f}/s" if task.speed else ""

    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        Rate(),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.fields[note]}", markup=False, style="yellow"),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as drawn:
        tasks: dict[tuple[str, str], bars.TaskID] = {}

        def show(told: Progress) -> None:
            if told.stage == WAITING:
                drawn.console.print(REDACTOR.line(f"{told.subject}: {told.note}"), markup=False, highlight=False)
                return
            key = told.stage, told.subject
            if key not in tasks:
                if len(tasks) == MOST_BARS:
                    drawn.remove_task(tasks.pop(next(iter(tasks))))
                tasks[key] = drawn.add_task(REDACTOR.line(" ".join(key)), total=told.total, note="")
            drawn.update(tasks[key], completed=told.done, total=told.total, note=REDACTOR.line(told.note))

        yield show


def _only_pauses(told: Progress) -> None:
    if told.note:
        note(f"{told.stage} {told.subject}: {told.note}")
