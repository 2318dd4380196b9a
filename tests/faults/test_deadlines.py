"""The quick form of row 17. It needs real time: 0.3 seconds a call, and half a second more for those that are late."""

from __future__ import annotations

from tests.faults.deadlines import AT_ONCE, TOLERATED, outlived

SEED = 17


async def test_no_call_outlives_its_deadline() -> None:
    found = await outlived(5 * AT_ONCE, seed=SEED)

    assert (found.calls, found.late) == (5 * AT_ONCE, 0), f"seed {SEED}: {found}"
    assert found.worst <= TOLERATED
    assert found.ends["answered"] > 5
    assert found.ends["UnavailableError"] > 20
    assert found.ends["RateLimitedError"] > 5


async def test_control_whoever_does_not_look_at_the_time_is_late() -> None:
    found = await outlived(AT_ONCE, seed=SEED, guard=False)

    assert found.late > 5, found
