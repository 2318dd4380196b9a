"""Deadlines: how they nest, what they end, and what they leave alone."""

from __future__ import annotations

import asyncio
import math
import random
import time
from pathlib import Path

import pytest

import rpa_bridge
from rpa_bridge.errors import (
    ConflictError,
    Delivery,
    InvalidError,
    OutcomeUnknownError,
    RateLimitedError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.budgets import Budget, Memory, Rate
from rpa_bridge.transport.call import (
    CURRENT,
    LEAST_TIME,
    Call,
    Unhurried,
    at_most,
    deadline,
    in_time,
    seconds_given,
    seconds_left,
    time_for_attempt,
)
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.pace import Pace
from rpa_bridge.transport.reconcile import once

READ = Request("GET", "/", effect=Effect.READ, operation="jobs.get")
OK = Response(200, {}, b"{}")


def test_without_a_deadline_there_is_no_end() -> None:
    assert (seconds_left(), seconds_given(), at_most(7)) == (math.inf, math.inf, 7)
    assert time_for_attempt("jobs.get") == math.inf


def test_the_earliest_end_counts_and_blocks_give_way_to_those_around_them() -> None:
    clock = ManualClock()
    with rpa_bridge.deadline(10, clock=clock):
        with deadline(3, clock=clock):
            assert seconds_left() == 3
        with deadline(60, clock=clock):
            clock.advance(4)
            assert seconds_left() == 6
        assert (seconds_left(), at_most(5), at_most(9), at_most(9, spare=2)) == (6, 5, 6, 4)
        clock.advance(7)
        assert (seconds_left(), at_most(5)) == (-1, 0)
        assert seconds_given() == seconds_left()
    assert seconds_left() == math.inf


def test_the_end_of_the_call_is_not_what_was_given() -> None:
    clock = ManualClock()
    with deadline(100, clock=clock):
        before = CURRENT.set(Call(clock, 60))
        assert (seconds_left(), seconds_given()) == (60, 100)
        CURRENT.reset(before)


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_a_deadline_that_makes_no_sense_is_refused(seconds: float) -> None:
    with pytest.raises(InvalidError, match="must be more than 0"), deadline(seconds):
        pytest.fail("the block was entered")


def test_an_attempt_that_has_no_time_is_not_made() -> None:
    clock = ManualClock()
    with deadline(LEAST_TIME, clock=clock):
        assert time_for_attempt("jobs.get") == LEAST_TIME
        clock.advance(0.01)
        with pytest.raises(
            UnavailableError, match=r"jobs\.get: the deadline is over, so that nothing was sent"
        ) as caught:
            time_for_attempt("jobs.get")
    assert (caught.value.delivery, caught.value.attempts, caught.value.retryable) == (Delivery.NOT_SENT, 0, True)


async def test_a_wait_ends_in_time_with_its_reason() -> None:
    started = time.monotonic()
    with deadline(LEAST_TIME + 0.02), pytest.raises(UnavailableError, match="came while nobody moved") as caught:
        async with in_time("jobs.get", "nobody moved"):
            await asyncio.Event().wait()
    assert time.monotonic() - started < LEAST_TIME
    assert caught.value.delivery is Delivery.NOT_SENT


async def test_a_time_out_of_somebody_else_stays_one() -> None:
    with deadline(60), pytest.raises(TimeoutError):
        async with in_time("jobs.get", "nobody moved"):
            raise TimeoutError


async def test_a_log_in_has_the_time_it_needs() -> None:
    class Looks:
        async def send(self, request: Request) -> Response:
            seen.append(seconds_left())
            return OK

        async def aclose(self) -> None:
            seen.append(0.0)

    seen: list[float] = []
    unhurried = Unhurried(Looks())
    with deadline(1):
        await unhurried.send(READ)
        assert seconds_left() <= 1
    await unhurried.aclose()
    assert seen == [math.inf, 0.0]


class Stuck:
    """Never answers."""

    async def send(self, request: Request) -> Response:
        await asyncio.Event().wait()
        return OK

    async def aclose(self) -> None:
        return None


def limited(rate: Rate | None, clock: ManualClock) -> Budget:
    return Budget(rate, Memory(clock.monotonic), clock, random.Random(1))  # noqa: S311 - no secret


async def test_who_waits_for_a_place_is_told_in_time() -> None:
    clock = ManualClock()
    pace = Pace(Stuck(), clock, {"": limited(None, clock)}, in_flight=1)
    holder = asyncio.create_task(pace.send(READ))
    await asyncio.sleep(0)
    with deadline(LEAST_TIME + 0.02), pytest.raises(UnavailableError, match="too many other requests were under way"):
        await pace.send(READ)
    holder.cancel()
    await asyncio.wait({holder})


async def test_a_turn_after_the_deadline_is_not_waited_for_and_takes_nobody_elses() -> None:
    clock = ManualClock()
    budget = limited(Rate(1.0), clock)
    await asyncio.gather(*(budget.turn("jobs.find") for _ in range(3)))
    clock.slept.clear()
    began = clock.monotonic()
    behind = Budget(Rate(0.1), Memory(clock.monotonic), clock, random.Random(1))  # noqa: S311 - no secret
    await behind.turn("jobs.find")
    with deadline(5, clock=clock):
        for _ in range(100):
            with pytest.raises(RateLimitedError, match=r"jobs\.find: .* after its deadline") as caught:
                await behind.turn("jobs.find")
    assert (caught.value.delivery, caught.value.retry_after, clock.slept) == (Delivery.NOT_SENT, 10, [])
    await behind.turn("jobs.find")
    assert clock.monotonic() - began == 10


async def test_a_rest_after_the_deadline_is_told_at_once() -> None:
    clock = ManualClock()
    budget = limited(None, clock)
    await budget.refused(20)
    with deadline(5, clock=clock), pytest.raises(RateLimitedError, match="try again then"):
        await budget.turn("jobs.find")
    assert clock.slept == []


async def test_a_lock_is_not_waited_for_beyond_the_deadline(tmp_path: Path) -> None:
    clock = ManualClock()
    rng = random.Random(1)  # noqa: S311 - no secret
    mine, other = Exclusive(tmp_path, clock, rng), Exclusive(tmp_path, clock, rng)
    async with mine.hold("start k-1"):
        with deadline(3, clock=clock), pytest.raises(ConflictError, match="another process"):
            async with other.hold("start k-1"):
                pytest.fail("the lock was given twice")
        assert sum(clock.slept) < 4
        with deadline(LEAST_TIME + 0.02), pytest.raises(UnavailableError, match="another call was busy with it"):
            async with mine.hold("start k-1"):
                pytest.fail("the lock was given twice")
    async with mine.hold("start k-1"):
        pass


@pytest.mark.parametrize(("given", "last_look"), [(30.0, 29.0), (0.6, 0.0)])
async def test_what_may_have_happened_is_looked_for_until_the_deadline(given: float, last_look: float) -> None:
    clock = ManualClock()
    began, looks = clock.monotonic(), []

    async def lost() -> str:
        raise UnavailableError("cut")

    async def look_up() -> None:
        looks.append(clock.monotonic() - began)

    with deadline(given, clock=clock), pytest.raises(OutcomeUnknownError, match=rf"within {last_look:g} seconds"):
        await once(lost, look_up, clock=clock, operation="jobs.start", what="job 'a'")
    assert looks[-1] == last_look
    assert clock.monotonic() - began <= given
