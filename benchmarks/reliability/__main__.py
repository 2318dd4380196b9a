"""Runs the reliability targets in full and prints the table, row by row. Linux, two to three hours.

python -m benchmarks.reliability [--rows 7,8,12] [--quick] [--share 0.1] [--seed N] [--write docs/reliability.md]

--write replaces, in the marked part of that page, the rows that were run. Each row runs in a process of its own.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from .page import HEAD, ROOT, Result, line, told_of_run, write
from .row import Absent, Found, Row, Size
from .rows import MEASURED, ROWS

LONGEST = 4 * 3600
"""Seconds that a row may take."""


def main() -> None:
    """Runs what is asked for."""
    given = _arguments()
    if given.only is not None:
        print(json.dumps(_run(next(row for row in MEASURED if row.target == given.only), given)))
        return
    wanted = {int(one) for one in given.rows.split(",")} if given.rows else {row.number for row in ROWS}
    run = told_of_run(given.seed, full=not given.quick, share=given.share)
    lines: dict[Row | Absent, str] = {}
    print(HEAD, flush=True)
    for row in ROWS:
        if row.number in wanted:
            result = None if isinstance(row, Absent) else _in_a_process(row, given)
            lines[row] = line(row, result, run)
            print(lines[row], flush=True)
            if given.write:
                write(given.write, lines)


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.reliability", description="The reliability targets, in full.")
    parser.add_argument("--rows", metavar="N,N", help="only these numbers")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that everything runs")
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (default: %(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the Markdown file that the rows are put into")
    parser.add_argument("--only", metavar="TARGET", help="run one row here, and print what came of it as JSON")
    return parser.parse_args()


def _in_a_process(row: Row, given: Namespace) -> Result:
    """The row's result, from a process that nothing else has touched."""
    program = [sys.executable, "-m", "benchmarks.reliability", "--only", row.target]
    size = ["--seed", str(given.seed), "--share", str(given.share), *(["--quick"] if given.quick else [])]
    began = time.monotonic()
    try:
        done = subprocess.run(
            [*program, *size], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=LONGEST, check=True
        )
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, LookupError, ValueError) as error:
        return Result(
            Found("", f"its process did not end well: {type(error).__name__}"), None, time.monotonic() - began
        )
    control = None if told["control"] is None else Found(**told["control"])
    return Result(Found(**told["found"]), control, told["seconds"], 1.0 if given.quick else given.share)


def _run(row: Row, given: Namespace) -> dict[str, object]:
    logging.getLogger("rpa_bridge").addHandler(logging.NullHandler())  # what is meant to fail is not told of
    began = time.monotonic()
    found = _tried(row, Size(not given.quick, given.seed, share=given.share))
    seconds = time.monotonic() - began
    control = None if row.control else _tried(row, Size(not given.quick, given.seed, guard=False))
    return {"found": asdict(found), "control": control and asdict(control), "seconds": seconds}


def _tried(row: Row, size: Size) -> Found:
    try:
        return row.run(size)
    except Exception as error:  # noqa: BLE001 - the other rows are run all the same
        return Found("", f"the harness raised {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
