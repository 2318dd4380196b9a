"""The quick form of row 1. Its third control, without memory, takes hundreds: tests/user/test_started_again.py"""

from __future__ import annotations

import pytest

from tests.faults.history import End, Wrong
from tests.faults.schedules import Without, schedules

SCHEDULES = 80
SEED = 1_001


async def test_on_random_bad_days_nothing_is_lost_doubled_or_left_unknown() -> None:
    found = await schedules(SCHEDULES, seed=SEED)

    assert not found.violations, "\n".join(map(str, found.violations))
    assert not found.left_unknown
    assert found.late > SCHEDULES
    assert found.ends[End.UNKNOWN] > SCHEDULES // 2
    assert found.ends[End.OK] > SCHEDULES * 8


async def test_a_schedule_is_repeated_by_its_seed() -> None:
    first, second = await schedules(2, seed=SEED), await schedules(2, seed=SEED)

    assert first == second


@pytest.mark.parametrize("guard", [Without.CARE, Without.PATIENCE])
async def test_control_without_its_guard_it_finds_what_is_doubled_or_came_after_all(guard: Without) -> None:
    found = await schedules(SCHEDULES // 3, seed=SEED, without=guard)

    assert found.count(Wrong.DOUBLED) + found.count(Wrong.REFUSED_AND_DONE) > 0
