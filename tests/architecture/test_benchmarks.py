"""The benchmarks run, and print each of their rows. What they measure is not looked at here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import BEGIN, END
from benchmarks.bulk import SLOWLY
from benchmarks.bulk import WHAT as BULKS
from benchmarks.calls import AT_ONCE, OVER_TLS, VARIANTS
from benchmarks.contenders.base import KINDS
from benchmarks.figures import MISSED, REACHED, Figure, Goal, Row
from benchmarks.memory import WHAT as STREAMS
from benchmarks.start import COMMANDS, SCRIPTS

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and CPU are read from /proc")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with marks, after the quick form has filled it."""
    page = tmp_path_factory.mktemp("benchmarks") / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--write", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip()
    return page


def test_the_quick_form_prints_every_row(written: Path) -> None:
    rows = [line for line in written.read_text().splitlines() if line.startswith("| ")]
    wanted = [f"| {kind} | {at_once} |" for kind in KINDS for at_once in AT_ONCE]
    wanted += [f"| {kind} | " for kind in (*KINDS, *(f"{kind}, TLS" for kind in OVER_TLS))]
    wanted += [f"| {what} | " for what in (*VARIANTS, *STREAMS.values())]
    wanted += [f"| {what}: rows/s |" for what in (*BULKS.values(), SLOWLY)]
    wanted += [f"| first job: {what} |" for what in SCRIPTS.values()] + [f"| `{command}` |" for command in COMMANDS]
    wanted += ["| 2 processes, 2 calls each: token requests |", "| waiting for 20 jobs on one tenant: lists"]

    assert [one for one in wanted if not any(row.startswith(one) for row in rows)] == []


def test_a_process_that_finds_the_token_of_another_asks_for_none(written: Path) -> None:
    assert "| 2 processes, 2 calls each: token requests | 1 |" in written.read_text()


def test_only_the_marked_part_of_the_page_is_replaced(written: Path) -> None:
    text = written.read_text()

    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "\nold\n" not in text


def test_the_plot_beside_the_page_is_well_formed(written: Path) -> None:
    bars = ET.fromstring(written.with_suffix(".svg").read_text()).iter("{http://www.w3.org/2000/svg}rect")  # noqa: S314 - our own

    assert len(list(bars)) > 2 * len(KINDS)


def test_the_page_that_users_read_has_the_marks() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()

    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)


@pytest.mark.parametrize(
    ("at_most", "middle", "verdict"),
    [(True, 1.3, REACHED), (True, 1.4, MISSED), (False, 1.4, REACHED), (False, 1.3, MISSED)],
)
def test_the_median_is_held_against_the_goal(at_most: bool, middle: float, verdict: str) -> None:
    goal = Goal(limit=1.35, at_most=at_most, why="it is slow")

    assert Row(cells=(), name="a call", figure=Figure.of([0.0, middle, 9.0]), goal=goal).verdict == verdict


def test_a_goal_that_is_missed_has_its_sentence(written: Path) -> None:
    text = written.read_text()

    for section in text.split("\n### ")[1:]:
        assert (MISSED in section) == ("\n- " in section)
