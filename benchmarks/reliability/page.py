"""The table, and its place in a page of Markdown."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .row import Absent, Found, Row
from .rows import ROWS

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEAD = "| # | target | result | without the guard | s | verdict | run |\n|---|---|---|---|---|---|---|"
NOT_RUN = "not run yet"
LONGEST = 400
"""Characters of a cell."""
_RUN = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
_CODE = re.compile(r"\| (\d+) \|$")
_PATHS = re.compile(r"(?:/[\w.@-]+){2,}")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row."""

    found: Found
    control: Found | None
    """None where there can be none."""
    seconds: float
    share: float = 1.0
    """Of the counts that the target names."""

    @property
    def verdict(self) -> str:
        """Whether the target is reached, and what is missing."""
        if self.found.short:
            return f"**FALLS SHORT**: {self.found.short}"
        if self.control is not None and not self.control.text:
            return f"**FALLS SHORT**: the control did not run: {self.control.short}"
        if self.control is not None and not self.control.short:
            return "**FALLS SHORT**: the control does not fail, so this proves nothing"
        return "reached" if self.share == 1 else f"reached, with **{self.share:.0%} of the count**"


def line(row: Row | Absent, result: Result | None, run: str) -> str:
    """The row in Markdown."""
    if isinstance(row, Absent):
        return _cells(row, "", "", "", f"not measured: {row.why}", "")
    if result is None:
        return _cells(row, "", "", "", NOT_RUN, "")
    control = row.control if result.control is None else result.control.text
    return _cells(row, result.found.text, control, f"{result.seconds:,.0f}", result.verdict, run)


def _cells(row: Row | Absent, *cells: str) -> str:
    return " | ".join([f"| {row.number}", *map(_cell, (row.target, *cells))]) + " |"


def _cell(text: str) -> str:
    text = _PATHS.sub("(a path)", " ".join(text.split()).replace("|", "\\|"))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def told_of_run(seed: int, *, full: bool, share: float = 1.0) -> str:
    """When, of what, and on what a row was run."""
    form = "quick form" if not full else "full form" if share == 1 else f"**{share:.0%} of the full counts**"
    commit = _git("rev-parse", "--short", "HEAD") or "unknown"
    changed = " with uncommitted changes" if _git("status", "--porcelain") else ""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit}{changed}, seed {seed}, {form}, {machine}"


def _git(*arguments: str) -> str:
    git = ("git", *arguments)
    return subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def write(path: Path, lines: dict[Row | Absent, str]) -> None:
    """Puts the lines in place of those of the same rows; what is there of the others stays."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    table, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{path} lacks the marks {BEGIN} and {END}; nothing was written")
    told = dict(_RUN.findall(table))
    ran = [one for one in table.splitlines() if _CODE.search(one)]
    there = {_place(one): _CODE.sub(lambda code: f"| {told.get(code[1], '')} |", one) for one in ran}
    every = [lines.get(row) or there.get(_place(fresh), fresh) for row, fresh in _fresh().items()]
    runs = sorted({run for one in every if (run := _run_of(one))})
    coded = [_with_run(one, str(runs.index(run) + 1)) if (run := _run_of(one)) else one for one in every]
    legend = [f"{number}. {run}" for number, run in enumerate(runs, 1)]
    whole = "\n".join([BEGIN, "", HEAD, *coded, "", "The runs:", "", *legend, "", END])
    path.write_text(f"{before}{whole}{after}", encoding="utf-8")


def _fresh() -> dict[Row | Absent, str]:
    """What stands there of each row that was never run."""
    return {row: line(row, None, "") for row in ROWS}


def _place(line: str) -> tuple[str, ...]:
    """Number and target."""
    return tuple(line.split(" | ")[:2])


def _run_of(line: str) -> str:
    """The last cell."""
    return line.removesuffix(" |").rpartition(" | ")[2].strip()


def _with_run(line: str, run: str) -> str:
    return f"{line.removesuffix(' |').rpartition(' | ')[0]} | {run} |"
