"""The quick form of row 22."""

from __future__ import annotations

import pytest

from tests.faults.cancellations import cancelled

CALLS = 200


@pytest.mark.parametrize("seed", [22, 23])
async def test_cancelled_calls_leave_nothing_behind_and_nothing_untold(seed: int) -> None:
    found = await cancelled(CALLS, seed=seed)

    assert not found.untold, f"seed {seed}"
    assert (found.tasks, found.connections, found.places, found.swallowed) == (0, 0, 0, 0), f"seed {seed}"
    assert found.told_twice == 0, f"seed {seed}"
    assert found.cancelled > CALLS // 2
    assert found.told > 10


async def test_control_who_cancels_what_has_left_does_not_know_what_happened() -> None:
    assert len((await cancelled(CALLS, seed=22, guard=False)).untold) > 10
