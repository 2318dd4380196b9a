"""The page of reliability has every target, and is never better than what was run."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reliability.effects import MACHINES as WALKED
from benchmarks.reliability.page import BEGIN, END, Result, line, write
from benchmarks.reliability.row import Absent, Found, Row, Size, judged
from benchmarks.reliability.rows import MEASURED, ROWS
from tests.faults.state_machines import MACHINES

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
REACHED, SHORT = Found("3 of 3"), judged("2 of 3", (False, "one | was lost in /home/me/state"))


def _row_of(page: str, row: Row | Absent) -> str:
    [found] = [one for one in page.splitlines() if one.startswith(f"| {row.number} | {row.target} |")]
    return found


def test_every_target_stands_on_the_page_with_what_came_of_it_or_why_nothing_did() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert {row.number for row in ROWS} == set(range(1, 31))
    for row in ROWS:
        verdict = _row_of(page, row).split(" | ")[5]
        assert verdict.startswith(("reached", "**FALLS SHORT**: ", "not measured: ")), row


def test_every_state_machine_has_its_row() -> None:
    assert tuple(MACHINES) == WALKED


def test_a_row_is_reached_only_if_it_falls_short_without_its_guard() -> None:
    row = MEASURED[0]

    assert "| reached |" in line(row, Result(REACHED, SHORT, 1.0), "a run")
    for proves_nothing in (Result(REACHED, REACHED, 1.0), Result(REACHED, Found("", "it raised"), 1.0)):
        assert "FALLS SHORT" in line(row, proves_nothing, "a run")
    assert "**FALLS SHORT**: one \\| was lost in (a path) |" in line(row, Result(SHORT, SHORT, 1.0), "a run")


def test_a_control_is_never_run_in_full() -> None:
    assert [Size(full, 1, guard).of(1_000, 10) for full in (True, False) for guard in (True, False)] == [
        1_000,
        10,
        10,
        10,
    ]


def test_writing_some_rows_keeps_the_others_with_the_runs_that_they_are_of(tmp_path: Path) -> None:
    page, (first, second, *_) = tmp_path / "page.md", MEASURED
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n", encoding="utf-8")
    write(page, {one: line(one, Result(REACHED, SHORT, 1.0), "seed 2") for one in (first, second)})
    write(page, {second: line(second, Result(SHORT, SHORT, 1.0), "seed 1")})

    told = page.read_text(encoding="utf-8")
    assert told.startswith("before\n")
    assert told.endswith(f"1. seed 1\n2. seed 2\n\n{END}\nafter\n")
    assert _row_of(told, first).endswith("| reached | 2 |")
    assert "FALLS SHORT" in _row_of(told, second)
    assert _row_of(told, second).endswith(" | 1 |")
