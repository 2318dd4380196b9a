"""The quick forms of rows 19 and 20."""

from __future__ import annotations

import pytest

from tests.faults.slow_down import repeats, rush

REFUSALS = 200
MOST = 5.0
"""How many times fuller than the mean the fullest tenth of a second may be."""


async def test_nobody_comes_back_before_the_platform_said() -> None:
    found = await repeats(REFUSALS, seed=19)

    assert (found.refused, found.early, found.on_time) == (REFUSALS, 0, REFUSALS), "seed 19"


async def test_control_who_does_not_read_what_it_said_is_early() -> None:
    assert (await repeats(REFUSALS, seed=19, guard=False)).early > REFUSALS // 4


@pytest.mark.parametrize("together", [False, True], ids=["200 processes", "one process"])
async def test_after_one_429_clients_do_not_all_come_back_at_once(*, together: bool) -> None:
    assert await rush(together=together, seed=20) <= MOST, "seed 20"


@pytest.mark.parametrize("together", [False, True], ids=["200 processes", "one process"])
async def test_control_without_a_spread_they_do(*, together: bool) -> None:
    assert await rush(together=together, seed=20, guard=False) > MOST
