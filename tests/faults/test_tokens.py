"""The quick form of rows 7 to 11: tokens on the worst days. Each has its control, which must fail."""

from __future__ import annotations

import os

import pytest

from tests.faults import token_days, tokens
from tests.faults.tokens import Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks")
SOON = 15.0
"""Seconds; the goal is two, and this machine may be busy. More than the patience with a holder would show."""
STORES: list[Store] = ["file", "sealed", "redis"]


@pytest.mark.parametrize("store", STORES)
def test_many_processes_that_start_at_once_make_one_token_request(store: Store) -> None:
    found = tokens.one_request(store=store)

    assert (found.token_requests, found.served, found.lost, found.refused, found.bypassed) == (1, 200, 0, 0, 0)


def test_without_locks_they_make_many() -> None:
    assert tokens.one_request(guard=False).token_requests > 1


@pytest.mark.parametrize("store", STORES)
def test_a_token_withdrawn_in_flight_is_renewed_once_and_no_call_is_lost(store: Store) -> None:
    found = tokens.revoked_in_flight(store=store)

    assert (found.token_requests, found.served, found.lost, found.refused, found.bypassed) == (2, 200, 0, 0, 0)


def test_without_locks_it_is_renewed_many_times() -> None:
    assert tokens.revoked_in_flight(guard=False).token_requests > 2


@pytest.mark.parametrize("store", ["file", "sealed"])
def test_when_the_process_that_logs_in_is_killed_the_next_one_takes_over(store: Store) -> None:
    found = tokens.leader_killed(store=store)

    assert (found.token_requests, found.served, found.lost, found.refused, found.bypassed) == (2, 45, 0, 0, 0)
    assert found.seconds < SOON


def test_with_locks_that_outlive_their_holder_nobody_takes_over() -> None:
    found = tokens.leader_killed(guard=False)

    assert found.bypassed > 0
    assert found.lost == 0, "without the lock, but served"


@pytest.mark.parametrize("store", STORES)
def test_a_bad_secret_is_refused_by_one_request(store: Store) -> None:
    found = tokens.bad_secret(store=store)

    assert (found.token_requests, found.served, found.lost, found.refused) == (1, 0, 0, 200)


def test_without_a_memory_each_process_is_refused_by_its_own() -> None:
    assert tokens.bad_secret(guard=False).token_requests == 10


@pytest.mark.parametrize("store", STORES)
def test_a_refresh_token_that_is_good_once_is_spent_once(store: Store) -> None:
    found = tokens.refresh_once(store=store)

    assert (found.token_requests, found.served, found.lost, found.refused) == (1, 30, 0, 0)


def test_without_locks_it_is_spent_twice_and_somebody_is_logged_out() -> None:
    found = tokens.refresh_once(guard=False)

    assert found.token_requests > 1
    assert found.refused > 0


def test_damaged_and_swapped_files_raise_nothing_and_give_no_foreign_token() -> None:
    found = token_days.damaged_files()

    assert (found.exceptions, found.foreign) == (0, 0)


def test_who_believes_his_files_raises_and_sends_foreign_tokens() -> None:
    found = token_days.damaged_files(guard=False)

    assert found.exceptions > 100
    assert found.foreign >= 40


def test_clocks_that_are_set_send_nothing_expired_and_start_no_storm() -> None:
    found = token_days.clock_jumps()

    assert (found.expired_sent, found.storms) == (0, 0)
    assert found.served == 200 * 90


def test_the_time_of_day_alone_sends_expired_tokens() -> None:
    assert token_days.clock_jumps(guard=False).expired_sent > 0


def test_a_token_is_renewed_once_in_its_life_however_long_that_is() -> None:
    for found in token_days.renewals_per_life():
        assert (found.most_in_a_life, found.expired_sent) == (1, 0), found.lifetime
        assert found.tokens >= 5


def test_a_fixed_leeway_of_an_hour_renews_at_every_call() -> None:
    worst = {found.lifetime: found.most_in_a_life for found in token_days.renewals_per_life(guard=False)}

    assert worst[3600.0] > 100
    assert worst[86_400.0] == 1, "it was made for these"
