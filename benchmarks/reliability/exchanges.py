"""Rows 15 to 22: one request, its answer, its repetitions, and when they end."""

from __future__ import annotations

import asyncio
import math

from tests.faults import cancellations, connections, deadlines, list_budget, outage, slow_down

from .row import Found, Row, Size, judged

MOST_IN_AN_OUTAGE = 1.1
MOST_AT_ONCE = 5.0


def hidden_repetition(n: Size) -> Found:
    found = asyncio.run(connections.hidden_repetition(n.of(28, 3), guard=n.guard))
    return judged(
        f"{found.requests:,} requests, {found.executed:,} executions",
        (found.executed == found.requests, "a request was carried out twice, or not at all"),
    )


def doubled_answers(n: Size) -> Found:
    found = asyncio.run(connections.doubled_answers(n.of(5_000, 200), guard=n.guard))
    foreign = found.foreign_to_reads + found.foreign_to_effects
    return judged(
        f"{found.requests:,} requests, {foreign:,} foreign answers taken",
        (foreign == 0, "an answer was taken that belonged to another request"),
        (found.reached == found.requests, "a request never reached the server"),
    )


def late_answers(n: Size) -> Found:
    """Who has no connection of its own cannot tell them, and nothing hangs on such a read."""
    own = n.guard
    found = asyncio.run(connections.doubled_answers(n.of(5_000, 200), late=True, guard=n.guard, own_connections=own))
    return judged(
        f"{found.requests:,} requests, {found.foreign_to_reads + found.foreign_to_effects:,} foreign answers taken",
        (found.foreign_to_effects == 0, "an effect took an answer that belonged to another request"),
        (found.foreign_to_reads == 0, "a look on which an effect depends took another's answer"),
    )


def marked_answers(n: Size) -> Found:
    in_time, late = (
        asyncio.run(connections.doubled_answers_to_marked(n.of(5_000, 200), late=late, guard=n.guard))
        for late in (False, True)
    )
    foreign, refused = in_time.foreign + late.foreign, in_time.refused + late.refused
    return judged(
        f"{in_time.requests + late.requests:,} requests, {foreign:,} foreign answers taken, {refused:,} refused",
        (foreign == 0, "an effect took an answer that does not bear its mark"),
    )


def outlived(n: Size) -> Found:
    found = asyncio.run(deadlines.outlived(n.of(10_000, 200), seed=n.seed, guard=n.guard))
    worst = "never ended" if math.isinf(found.worst) else f"was late by {max(0.0, found.worst):.2f} s"
    return judged(
        f"{found.calls:,} calls: {found.late} outlived it, the worst {worst}",
        (found.late == 0, "a call went on after its deadline"),
    )


def total_outage(n: Size) -> Found:
    calls = n.of(10_000, 1_000)
    requests = asyncio.run(outage.total_outage(calls, seed=n.seed, guard=n.guard))
    most = int(calls * MOST_IN_AN_OUTAGE) + 20
    return judged(
        f"{calls:,} calls, {requests:,} requests", (requests <= most, f"more than {most:,} requests were sent")
    )


def early_repeats(n: Size) -> Found:
    found = asyncio.run(slow_down.repeats(n.of(2_000, 200), seed=n.seed, guard=n.guard))
    return judged(
        f"{found.refused:,} refusals, {found.early:,} early repeats",
        (found.early == 0, "somebody came back before the platform had said"),
    )


def rush(n: Size) -> Found:
    fullest = {
        name: asyncio.run(slow_down.rush(200, together=together, seed=n.seed, guard=n.guard))
        for name, together in (("200 processes", False), ("one process", True))
    }
    return judged(
        "the fullest 0.1 s holds " + ", ".join(f"{times:.1f} × the mean ({name})" for name, times in fullest.items()),
        (max(fullest.values()) <= MOST_AT_ONCE, "too many came back at once"),
    )


def list_calls(n: Size) -> Found:
    found = list_budget.most_in_a_minute(8, n.of(10, 1), seed=n.seed, guard=n.guard)
    most = max(found.most.values())
    return judged(
        f"{sum(found.lists.values()):,} lists, at most {most} of a kind in 60 s",
        (most <= list_budget.ALLOWED, "the platform's budget was passed"),
    )


def cancelled(n: Size) -> Found:
    found = asyncio.run(cancellations.cancelled(n.of(4_000, 200), seed=n.seed, guard=n.guard))
    left = found.tasks + found.connections + found.places
    return judged(
        f"{found.cancelled:,} of {found.cancelled + found.answered:,} cancelled: {left} tasks, sockets and places "
        f"left, {len(found.untold)} effects untold",
        (left == 0, "something was left open"),
        (not found.untold, "an effect may have happened, and nobody was told"),
        (found.swallowed == 0, "a cancellation was swallowed"),
    )


ROWS = (
    Row(
        15,
        "1,000 answers lost, by reset and by end, on new and used connections: each request executed once",
        hidden_repetition,
    ),
    Row(16, "5,000 doubled answers: 0 foreign answers taken", doubled_answers),
    Row(16, "5,000 doubled answers that come late: 0 taken by effects, or by looks on which they depend", late_answers),
    Row(16, "5,000 and 5,000 late ones to effects that share connections: 0 without its mark taken", marked_answers),
    Row(
        17,
        "10,000 calls to a server that hangs, drips and cuts: none outlives its deadline by more than 0.5 s",
        outlived,
    ),
    Row(18, "10,000 calls in a total outage: at most 11,020 requests", total_outage),
    Row(
        19, "2,000 refusals with 429, in seconds and as dates, clocks 10 minutes apart: 0 early repeats", early_repeats
    ),
    Row(20, "200 clients after one 429: no tenth of a second holds more than 5 times the mean", rush),
    Row(21, "8 processes, 10 minutes by the clock: never more than 100 lists in any 60 s", list_calls),
    Row(22, "2,000 cancellations at any moment: 0 tasks, sockets and locks left, 0 effects untold", cancelled),
)
