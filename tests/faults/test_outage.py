"""The quick form of row 18, which is the full one."""

from __future__ import annotations

from tests.faults.outage import total_outage

CALLS = 10_000
MOST = CALLS * 11 // 10 + 20
SEED = 18


async def test_in_a_total_outage_hardly_more_is_sent_than_on_a_good_day() -> None:
    requests = await total_outage(CALLS, seed=SEED)

    assert CALLS < requests <= MOST, f"seed {SEED}"


async def test_control_without_a_budget_each_call_is_repeated() -> None:
    assert await total_outage(CALLS // 10, seed=SEED, guard=False) > MOST // 10


async def test_the_breaker_lets_almost_nothing_through() -> None:
    assert await total_outage(CALLS, seed=SEED, breaker=True) < CALLS // 10, f"seed {SEED}"
