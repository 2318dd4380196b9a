"""Prints, as Markdown, what the bridge costs beside raw aiohttp and the official SDKs. Linux, under ten minutes.

python -m benchmarks [--quick] [--only calls,bulk,memory,start,fleet] [--write docs/performance.md]

--write replaces what stands between the two marks of that file, and the plot beside it.
"""

from __future__ import annotations

import os
import platform
import subprocess
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from . import bulk, calls, fleet, memory, plot, start
from .arena import FULL, QUICK, ROOT, Arena
from .figures import MISSED, REACHED, Section

GROUPS = {one.__name__.rpartition(".")[2]: one.sections for one in (calls, bulk, memory, start, fleet)}
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def main() -> None:
    """Measures, prints, and writes where it is told to."""
    parser = ArgumentParser(prog="python -m benchmarks", description="What the bridge costs, beside raw aiohttp.")
    parser.add_argument("--quick", action="store_true", help="a few calls only, to see that everything runs")
    parser.add_argument("--only", default=",".join(GROUPS), help="some of: %(default)s")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the Markdown file whose marked part is replaced")
    given = parser.parse_args()
    groups = given.only.split(",")
    if unknown := set(groups) - GROUPS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    sections: list[Section] = []
    with Arena(QUICK if given.quick else FULL) as arena:
        for name in groups:
            for section in GROUPS[name](arena):
                print(section.markdown, end="\n\n", flush=True)
                sections.append(section)
    heading = _heading(sections)
    print(heading)
    if given.write:
        write(given.write, heading, sections)


def write(path: Path, heading: str, sections: list[Section]) -> None:
    """Replaces the marked part of the file, and the plot beside it where something is to be plotted."""
    report = "\n\n".join([heading, *(section.markdown for section in sections)])
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{path} lacks the marks {BEGIN} and {END}; nothing was written")
    path.write_text(f"{before}{BEGIN}\n{report}\n{END}{after}", encoding="utf-8")
    if any(section.bars for section in sections):
        path.with_suffix(".svg").write_text(plot.svg(sections), encoding="utf-8")


def _heading(sections: list[Section]) -> str:
    verdicts = [row.verdict for section in sections for row in section.rows]
    reached, missed = verdicts.count(REACHED), verdicts.count(MISSED)
    git = ("git", "rev-parse", "--short", "HEAD")
    told = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)
    where = f"commit {told.stdout.strip() or 'unknown'}, Python {platform.python_version()}, {os.cpu_count()} cores"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {where}. {reached} of {reached + missed} goals reached. "
        "Figures are medians, with the least and the most of the rounds."
    )


if __name__ == "__main__":
    main()
