"""Rows 7 to 11: tokens on the worst days. Rows 7 and 8 are real processes, so no seed repeats them."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults import token_days, tokens
from tests.faults.tokens import Requests, Store

from .row import Found, Row, Size, judged

STORES: tuple[Store, ...] = ("file", "sealed", "redis")
SOON = 2.0
"""Seconds in which all are served after the one that logs in was killed."""


def _each(n: Size, stores: tuple[Store, ...], run: Callable[[Store], Requests]) -> dict[Store, Requests]:
    """By store; the control is the same for all."""
    return {store: run(store) for store in (stores if n.guard else stores[:1])}


def _told(found: dict[Store, Requests]) -> str:
    requests = ", ".join(f"{store} {one.token_requests}" for store, one in found.items())
    served = sum(one.served for one in found.values())
    return f"token requests: {requests}; {served:,} calls served, {sum(one.lost for one in found.values())} lost"


def one_request(n: Size) -> Found:
    found = _each(n, STORES, lambda store: tokens.one_request(n.of(50, 10), n.of(200, 20), store=store, guard=n.guard))
    return judged(
        _told(found),
        (all(one.token_requests == 1 for one in found.values()), "more than one process asked for a token"),
        (all(one.lost == one.refused == 0 for one in found.values()), "calls were lost"),
    )


def revoked(n: Size) -> Found:
    found = _each(
        n, STORES, lambda store: tokens.revoked_in_flight(n.of(50, 10), n.of(200, 20), store=store, guard=n.guard)
    )
    return judged(
        _told(found),
        (all(one.token_requests == 2 for one in found.values()), "the token was not renewed exactly once"),
        (all(one.lost == one.refused == 0 for one in found.values()), "calls were lost"),
    )


def leader_killed(n: Size) -> Found:
    found = _each(
        n, ("file", "sealed"), lambda store: tokens.leader_killed(n.of(50, 10), 1, store=store, guard=n.guard)
    )
    slowest = max(one.seconds for one in found.values())
    return judged(
        f"{_told(found)}; the last of them after {slowest:.1f} s",
        (all(one.token_requests <= 2 for one in found.values()), "more than one process took over"),
        (all(one.lost == one.refused == one.bypassed == 0 for one in found.values()), "the dead one's lock was passed"),
        (
            slowest <= SOON,
            f"the last one was served {slowest:.1f} s after the kill, with all processes on this machine",
        ),
    )


def bad_secret(n: Size) -> Found:
    found = _each(n, STORES, lambda store: tokens.bad_secret(n.of(50, 10), 20, store=store, guard=n.guard))
    refused = sum(one.refused for one in found.values())
    requests = ", ".join(f"{store} {one.token_requests}" for store, one in found.items())
    return judged(
        f"token requests: {requests}; {refused:,} calls refused",
        (all(one.token_requests <= 2 for one in found.values()), "the refusal was not remembered by all"),
        (all(one.served == one.lost == 0 for one in found.values()), "a call was served, or never ended"),
    )


def damaged_files(n: Size) -> Found:
    found = token_days.damaged_files(n.of(10_000, 300), n.of(1_000, 40), seed=n.seed, guard=n.guard)
    return judged(
        f"{found.looked_at:,} files: {found.exceptions} exceptions, {found.foreign} foreign tokens",
        (found.exceptions == 0, "a damaged file raised"),
        (found.foreign == 0, "a foreign token was handed out"),
    )


def clock_jumps(n: Size) -> Found:
    found = token_days.clock_jumps(n.of(5_000, 200), seed=n.seed, guard=n.guard)
    return judged(
        f"{found.served:,} tokens handed out: {found.expired_sent} expired, {found.storms} storms",
        (found.expired_sent == 0, "an expired token was handed out"),
        (found.storms == 0, "tokens were renewed too often"),
    )


def lifetimes(n: Size) -> Found:
    found = token_days.renewals_per_life(n.of(20, 5), seed=n.seed, guard=n.guard)
    most, expired = max(one.most_in_a_life for one in found), sum(one.expired_sent for one in found)
    return judged(
        f"{len(found)} lifetimes, {sum(one.tokens for one in found):,} tokens: at most {most:,} renewals in a life, "
        f"{expired} expired",
        (most <= 1, "a token was renewed more than once in its life"),
        (expired == 0, "an expired token was handed out"),
    )


ROWS = (
    Row(7, "50 processes × 200 calls: exactly 1 token request", one_request),
    Row(7, "the token withdrawn while they work: exactly 2, and no call lost", revoked),
    Row(
        7, "the process that logs in killed with the lock in its hand: at most 2, all served within 2 s", leader_killed
    ),
    Row(8, "a bad secret, 50 processes × 20 calls: at most 2 requests for a token", bad_secret),
    Row(9, "10,000 damaged cache files, 1,000 of another tenant: 0 exceptions, 0 foreign tokens", damaged_files),
    Row(10, "clocks set by 1 s to 10 years, 5,000 sequences: 0 expired tokens sent, 0 storms of renewals", clock_jumps),
    Row(11, "lifetimes of 1 s to 30 days: at most 1 renewal in a token's life", lifetimes),
)
