"""Rows 1 and 23: whole days of faults, and what keeps a state, walked beside its model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .row import Found, Row, Size, judged

if TYPE_CHECKING:
    from tests.faults.schedules import Without

MACHINES = ("token cache", "outbox", "queue", "journal")
"""As in tests/faults/state_machines.py, which is imported when it is needed: one row must not break the others."""


def random_days(n: Size) -> Found:
    """Both controls must fail; the third, without memory, takes too many: tests/user/test_started_again.py"""
    from tests.faults.schedules import Without

    count = n.of(10_000, 100)
    if n.guard:
        return _days(count, n.seed, Without.NOTHING)
    found = {guard: _days(count, n.seed, guard) for guard in (Without.CARE, Without.PATIENCE)}
    told = " · ".join(f"without {guard}: {one.text}" for guard, one in found.items())
    return judged(told, (not all(one.short for one in found.values()), "what is wrong is found"))


def _days(count: int, seed: int, without: Without) -> Found:
    from tests.faults.history import Wrong
    from tests.faults.schedules import schedules

    found = asyncio.run(schedules(count, seed=seed, without=without))
    lost, doubled = found.count(Wrong.LOST), found.count(Wrong.DOUBLED)
    other, unknown = len(found.violations) - lost - doubled, len(found.left_unknown)
    first = str((found.violations or found.left_unknown or [""])[0])
    return judged(
        f"{found.schedules:,} schedules, {found.requests:,} requests, {found.late:,} of them late: {lost} lost, "
        f"{doubled} doubled, {other} told wrongly, {unknown} left unknown",
        (not first, first),
    )


def through_a_gateway(n: Size) -> Found:
    from tests.faults.effects import MOST_TRIES, effects
    from tests.faults.history import Wrong

    found = asyncio.run(effects(n.of(100_000, 400), seed=n.seed, guard=n.guard))
    lost, doubled = found.count(Wrong.LOST), found.count(Wrong.DOUBLED)
    other, first = len(found.violations) - lost - doubled, str([*found.violations, ""][0])
    return judged(
        f"{found.effects:,} effects by {found.tries:,} calls: {lost} lost, {doubled:,} doubled, {other:,} told "
        f"wrongly; {len(found.given_up)} callers gave up after {MOST_TRIES} calls",
        (not first, first),
    )


def walked(machine: str) -> Callable[[Size], Found]:
    """The row of a state machine."""

    def walk(n: Size) -> Found:
        from tests.faults import state_machines

        walks, steps = n.of(2_000, 100), n.of(50, 30)
        found = state_machines.walk(machine, walks, steps, seed=n.seed, guard=n.guard)
        told = "a difference" if found.difference else "no difference"
        return judged(
            f"{found.walks:,} walks of up to {steps} steps: {told}",
            (found.difference is None, " · ".join((found.difference or "").splitlines())),
            (found.difference is not None or found.walks >= walks, "there were fewer walks"),
        )

    return walk


BEFORE = (
    Row(1, "10,000 random days of faults on both platforms: 0 lost, 0 doubled, 0 left unknown", random_days),
    Row(2, "100,000 effects over real sockets, half of all requests faulted: 0 lost, 0 doubled", through_a_gateway),
)
AFTER = tuple(
    Row(23, f"the {name} beside its model: 2,000 walks of 50 steps, 0 differences", walked(name)) for name in MACHINES
)
