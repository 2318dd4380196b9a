"""The quick form of row 17. It needs real time, of which each call has less than a third of a second."""

from __future__ import annotations

from tests.faults.deadlines import AT_ONCE, TOLERATED, outlived

SEED = 17


async def test_no_call_outlives_its_deadline() -> None:
    found = await outlived(2 * AT_ONCE, seed=SEED)

    assert (found.calls, found.late) == (2 * AT_ONCE, 0), f"seed {SEED}: {found}"
    assert found.worst <= TOLERATED
    assert found.ends["answered"] > 5
    assert found.ends["UnavailableError"] > 20
    assert found.ends["RateLimitedError"] > 5


async def test_control_whoever_does_not_look_at_the_time_is_late() -> None:
    found = await outlived(AT_ONCE // 2, seed=SEED, guard=False)

    assert found.late > 5, found
