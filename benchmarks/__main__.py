"""Prints, as Markdown, what a call costs beside raw aiohttp: python -m benchmarks [CALLS] [ROUNDS]"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

from .calls import Row, measure


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    head = (
        "| call | at once | CPU, ours / raw | calls a second, ours / raw | raw, calls a second |\n|---|---|---|---|---|"
    )
    lines = [
        f"| {row.kind} | {row.concurrency} | {_ratio(row.cpu)} | {_ratio(row.rate)} | {row.raw_rate:,.0f} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def _ratio(figures: tuple[float, float, float]) -> str:
    middle, least, most = figures
    return f"{middle:.2f} ({least:.2f}-{most:.2f})"


def main(arguments: list[str]) -> None:
    """Starts the server, measures, prints."""
    count, rounds = (int(one) for one in (*arguments, *("1500", "5")[len(arguments) :]))
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())
        try:
            print(table(asyncio.run(measure(url, count=count, rounds=rounds))))
        finally:
            server.communicate()


if __name__ == "__main__":
    main(sys.argv[1:])
