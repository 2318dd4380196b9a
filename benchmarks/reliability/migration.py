"""Rows 3 to 6 and 28: whole migrations, whose processes are killed and stopped."""

from __future__ import annotations

from tests.faults import migrations
from tests.faults.migrations import Moved

from .row import Found, Row, Size, judged

MOST_MIB = 150.0
STEEPEST = 1.0
"""MiB that memory may grow with each tenth of the items."""
MOST_OF_CONTROL = 300
"""Kills; it ends as soon as it has failed."""
RARELY = 0.15
"""In full fewer requests are held back, so that migrations get on."""


def _judged(found: Moved, text: str, *demands: tuple[bool, str]) -> Found:
    counts = f"{found.lost} lost, {found.doubled} doubled, {found.letters} dead letters"
    return judged(
        f"{text} in {found.migrations:,} migrations of {found.items:,} items in all: {counts}",
        (not found.faults, "; ".join(found.faults)),
        *demands,
    )


def killed(n: Size) -> Found:
    items, share = (10_000, RARELY) if n.full and n.guard else (400, 1.0)
    kills = n.of(1_000, 60) if n.guard else MOST_OF_CONTROL
    found = migrations.killed(kills, items, n.seed, share=share, guard=n.guard)
    return _judged(found, f"{found.kills:,} kills of {found.lives:,} processes")


def crashed(n: Size) -> Found:
    found = migrations.crashed(n.of(100, 1), n.seed, guard=n.guard)
    return _judged(found, f"{sum(found.deaths.values()):,} deaths at {len(found.deaths)} points")


def torn(n: Size) -> Found:
    found = migrations.torn(n.of(1_000, 40), 100, n.seed, guard=n.guard)
    return _judged(found, f"{found.tears:,} spoilt, {found.refused:,} of them refused,")


def zombies(n: Size) -> Found:
    found = migrations.zombies(n.of(200, 20), 200, n.seed, guard=n.guard)
    return _judged(found, f"{found.zombies} stopped, {found.refused} of them told, {found.late} late sends,")


def streamed(n: Size) -> Found:
    return _streamed(n.of(1_000_000, 10_000), "home", n)


def streamed_to_uipath(n: Size) -> Found:
    return _streamed(n.of(100_000, 10_000), "uipath", n)


def _streamed(items: int, target: str, n: Size) -> Found:
    found = migrations.streamed(items, target, guard=n.guard)
    most = max(max(memory) for memory in found.memory.values())
    steepest = max(migrations.slope(memory) for memory in found.memory.values())
    return _judged(
        found,
        f"at most {most:.0f} MiB, and {steepest:.2f} MiB more with each {items // 10:,} items,",
        (most <= MOST_MIB, "too much memory"),
        (steepest < STEEPEST, "memory grows with the items"),
    )


ROWS = (
    Row(3, "1,000 kill -9 in migrations of 10,000 items: 0 lost, 0 doubled", killed),
    Row(4, "a crash at each labelled point × 100 batches: 0 lost, 0 doubled", crashed),
    Row(5, "1,000 journals torn in the midst of migrations: 0 lost, 0 doubled", torn),
    Row(6, "a migration stopped, taken over, and let go on, 200 times: 0 sends in its old place", zombies),
    Row(28, "a migration of 1,000,000 items: 150 MiB at most, and flat", streamed),
    Row(28, "a migration of 100,000 items to UiPath: 150 MiB at most, and flat", streamed_to_uipath),
)
