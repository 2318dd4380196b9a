"""A hundred thousand items: read, added, pushed, copied; each by a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .arena import PLAIN, SLOW, Arena, Effort
from .contenders.base import ADD, COPY, MOVE_ADD, MOVE_PUSH, PUSH, READ
from .figures import Bar, Figure, Goal, Row, Section

Found = list[dict[str, Any]]
WHAT = {
    READ: "read, typed, streaming",
    ADD: "to UiPath, in bulks of 100",
    PUSH: "to BotMaestro",
    COPY: "copied: `items()` into `add_many()`",
    MOVE_ADD: "moved from a file to UiPath by `rpa_bridge.migration`",
    MOVE_PUSH: "moved from a file to BotMaestro by `rpa_bridge.migration`",
}
SLOWLY = "to BotMaestro, whose server takes 20 ms"
SDKS = {READ: "uipath-sdk-async", ADD: "uipath-sdk-async", PUSH: "botcity-sdk"}
WHY_READ = (
    "each row becomes a checked and typed item with aware times, where raw aiohttp stops at a dict; the rows' ids are "
    "checked to grow."
)
WHY_ADD = (
    "each draft is checked and its size known before anything is sent, each item carries a mark by which a lost answer "
    "is looked up, and each bulk has a line in the outbox and a connection of its own."
)
WHY_PUSH = (
    "BotMaestro has no bulk: each entry is an effect of its own, with its line in the outbox before and after, its "
    "deadline, and its answer looked at, see `push an entry` above."
)
WHY_MOVE = (
    "a migration reads its source twice, compares each item by hashes, and has it on the disk that it will be sent "
    "before it is, and what became of it after; raw aiohttp makes its items up, and just sends them."
)
GOALS = {
    READ: (1.0, WHY_READ),
    ADD: (0.5, WHY_ADD),
    PUSH: (0.75, WHY_PUSH),
    MOVE_ADD: (0.5, WHY_MOVE),
    MOVE_PUSH: (0.75, WHY_MOVE),
}
"""Rows a second, in those of raw aiohttp."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the contenders needed for one bulk, round by round; those of the SDK may be fewer, or none."""

    what: str
    raw: Found
    ours: Found
    sdk: Found

    def over(self, other: str) -> Figure:
        """Our rows a second, in those of "raw" or "sdk"."""
        theirs: Found = getattr(self, other)
        return Figure.ratio(_rates(self.ours), _rates(theirs))

    def row(self, figure: str, show: Callable[[Found], str], held: Figure, goal: Goal | None, unit: str = "") -> Row:
        """A figure of all three, and what of it is held against the goal."""
        told = (show(one) if one else "–" for one in (self.raw, self.ours, self.sdk))
        name = f"{self.what}: {figure}"
        return Row(cells=(name, *told, f"{held}{unit}"), name=name, figure=held, goal=goal)


def sections(arena: Arena) -> list[Section]:
    """One table."""
    effort = arena.effort
    measured = {kind: _rounds(arena, kind, _count(effort, kind)) for kind in WHAT}
    slow = _rounds(arena, PUSH, effort.slow_pushes, SLOW)
    rows = [row for kind, rounds in measured.items() for row in _rows(kind, rounds)]
    return [
        Section(
            title=f"{effort.rows:,} items",
            intro=f"BotMaestro, which has no bulk, gets {effort.pushes:,}; {effort.sdk_pushes:,} from the official SDK "
            f"with 32 threads, and {effort.slow_pushes:,} where its server is slow. UiPath's SDK cannot page "
            "through queue items: it reads the first page again and again. A move is `migration.apply`, with its "
            "journal on the disk; making the plan before is not in it.",
            columns=("what", "raw aiohttp", "ours", "official SDK", "measured"),
            rows=[*rows, _rate_row(slow, None)],
            plot="Rows a second, raw aiohttp = 1",
            bars=[_bar(kind, rounds) for kind, rounds in measured.items()],
        )
    ]


def _count(effort: Effort, kind: str) -> int:
    return effort.pushes if kind in (PUSH, MOVE_PUSH) else effort.rows


def _rounds(arena: Arena, kind: str, count: int, address: str = PLAIN) -> Rounds:
    """The SDK that is slow does fewer rows, once."""
    found = Rounds(SLOWLY if address == SLOW else WHAT[kind], [], [], [])
    for number in range(min(arena.effort.sdk_rounds, arena.effort.rounds)):
        found.raw.append(arena.bulk("raw", kind, count, address))
        found.ours.append(arena.bulk("ours", kind, count, address))
        if kind == PUSH and number == 0:
            found.sdk.append(arena.bulk(SDKS[kind], kind, min(count, arena.effort.sdk_pushes), address))
        elif kind in SDKS and kind != PUSH:
            found.sdk.append(arena.bulk(SDKS[kind], kind, count, address))
    return found


def _rates(found: Found) -> list[float]:
    return [one["count"] / one["wall"] for one in found]


def _rows(kind: str, rounds: Rounds) -> Iterator[Row]:
    limit, why = GOALS.get(kind, (None, ""))
    yield _rate_row(rounds, None if limit is None else Goal(limit=limit, at_most=False, unit=" × raw", why=why))
    if rounds.sdk:
        goal = Goal(limit=4.0, at_most=False, unit=" × SDK", why=WHY_PUSH) if kind == PUSH else None
        yield rounds.row("rows/s, against the SDK", _shown_rate, rounds.over("sdk"), goal, " × SDK")
    cpu = Figure.ratio([one["cpu"] for one in rounds.ours], [one["cpu"] for one in rounds.raw])
    yield rounds.row("CPU a row", _shown_cpu, cpu, None, " × raw")
    most = Goal(limit=60, unit=" MiB", why="that much the imported modules take; what is read leaves nothing behind.")
    peak = Figure.of([one["peak"] for one in rounds.ours])
    yield rounds.row("memory", _shown_peak, peak, most if kind == READ else None, " MiB")


def _rate_row(rounds: Rounds, goal: Goal | None) -> Row:
    return rounds.row("rows/s", _shown_rate, rounds.over("raw"), goal, " × raw")


def _shown_rate(found: Found) -> str:
    return f"{Figure.of(_rates(found)).middle:,.0f}"


def _shown_cpu(found: Found) -> str:
    return f"{Figure.of([one['cpu'] / one['count'] for one in found]).middle * 1e6:.1f} µs"


def _shown_peak(found: Found) -> str:
    return f"{Figure.of([one['peak'] for one in found]).middle:.0f} MiB"


def _bar(kind: str, rounds: Rounds) -> Bar:
    ours = rounds.over("raw").middle
    sdk = {"official SDK": Figure.ratio(_rates(rounds.sdk), _rates(rounds.raw)).middle} if rounds.sdk else {}
    goal = GOALS[kind][0] if kind in GOALS else None
    return Bar(name=rounds.what.replace("`", ""), values={"rpa_bridge": ours} | sdk, goal=goal)
