"""How many repetitions first attempts pay for."""

from __future__ import annotations

from rpa_bridge.transport.retry_budget import RetryBudget


def spent(budget: RetryBudget, *, after_429: bool = False) -> int:
    """Repetitions until it is empty."""
    repeated = 0
    while budget.spend(after_429=after_429):
        repeated += 1
    return repeated


def test_it_begins_with_twenty() -> None:
    assert spent(RetryBudget()) == 20
    assert spent(RetryBudget(), after_429=True) == 40


def test_ten_first_attempts_pay_for_one_and_an_empty_budget_owes_nothing() -> None:
    budget = RetryBudget()
    spent(budget)
    for first_attempts, repetitions in ((9, 0), (1, 1), (25, 2), (5, 1)):
        for _ in range(first_attempts):
            budget.earn()
        assert spent(budget) == repetitions


def test_it_holds_a_hundred_at_most() -> None:
    budget = RetryBudget()
    for _ in range(100_000):
        budget.earn()
    assert spent(budget) == 100
