"""How fast, how many at once, and who waits after a 429."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from rpa_bridge.errors import Delivery, RateLimitedError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.budgets import LONGEST_REST, Budget, Memory, Rate
from rpa_bridge.transport.pace import Pace

REQUEST = Request("GET", "/", effect=Effect.READ, operation="jobs.find")


class Recorder:
    """Notes when each request came through and how many were there at once; answers as it is told."""

    def __init__(self, clock: ManualClock, *answers: Response) -> None:
        self.clock, self.answers = clock, list(answers)
        self.times: list[float] = []
        self.inside = self.most = 0
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.times.append(self.clock.monotonic())
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0)
        self.inside -= 1
        return self.answers.pop(0) if self.answers else Response(200, {}, b"")

    async def aclose(self) -> None:
        self.closed = True


def paced(inner: Recorder, *, rate: float | None = None, in_flight: int = 8) -> Pace:
    rng = random.Random(5)  # noqa: S311 - no secret
    budget = Budget(Rate(rate) if rate else None, Memory(inner.clock.monotonic), inner.clock, rng)
    return Pace(inner, inner.clock, {"": budget}, in_flight=in_flight)


def refused(after: str | None = None) -> Response:
    return Response(429, {} if after is None else {"retry-after": after}, b"")


@pytest.mark.parametrize("rate", [0.5, 4.0, 90 / 60])
async def test_requests_keep_their_distance(rate: float) -> None:
    inner = Recorder(ManualClock())
    pace = paced(inner, rate=rate)
    for _ in range(10):
        await pace.send(REQUEST)
    assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in pairwise(inner.times))
    assert inner.times[-1] - inner.times[0] == pytest.approx(9 / rate)


async def test_a_pause_of_the_caller_counts_as_distance() -> None:
    inner = Recorder(ManualClock())
    pace = paced(inner, rate=1)
    await pace.send(REQUEST)
    inner.clock.advance(5)
    await pace.send(REQUEST)
    await pace.send(REQUEST)
    assert [moment - inner.times[0] for moment in inner.times] == [0, 5, 6]


async def test_without_a_rate_nobody_waits() -> None:
    inner = Recorder(ManualClock())
    pace = paced(inner)
    for _ in range(5):
        await pace.send(REQUEST)
    assert inner.clock.slept == []


@pytest.mark.parametrize("in_flight", [1, 3])
async def test_no_more_are_under_way_than_allowed(in_flight: int) -> None:
    inner = Recorder(ManualClock())
    pace = paced(inner, in_flight=in_flight)
    await asyncio.gather(*(pace.send(REQUEST) for _ in range(12)))
    assert (len(inner.times), inner.most) == (12, in_flight)


@pytest.mark.parametrize("said", ["30", "date"])
async def test_everyone_waits_after_a_429(said: str) -> None:
    clock = ManualClock()
    after = format_datetime(clock.now() + timedelta(seconds=30), usegmt=True) if said == "date" else said
    inner = Recorder(clock, refused(after))
    pace = paced(inner, rate=10)
    assert (await pace.send(REQUEST)).status == 429
    await asyncio.gather(*(pace.send(REQUEST) for _ in range(4)))
    assert all(30 <= moment - inner.times[0] <= 33 + 4 / 10 for moment in inner.times[1:])


async def test_a_429_without_a_word_means_a_second() -> None:
    inner = Recorder(ManualClock(), refused())
    pace = paced(inner)
    await pace.send(REQUEST)
    await pace.send(REQUEST)
    assert 1 <= inner.times[1] - inner.times[0] <= 1.1


async def test_those_who_already_waited_for_their_turn_wait_as_well() -> None:
    clock = StillClock()
    inner = Recorder(clock, refused("20"))
    pace = paced(inner, rate=1)
    waiting = asyncio.gather(*(pace.send(REQUEST) for _ in range(5)))  # turns at 0, 1, 2, 3 and 4 seconds
    for _ in range(60):
        await asyncio.sleep(0)
        clock.tick(0.5)
    await waiting
    assert inner.times[0] - 1000 < 1
    assert all(moment - inner.times[0] >= 20 for moment in inner.times[1:])
    assert all(later - earlier >= 1 for earlier, later in pairwise(inner.times[1:]))


class StillClock(ManualClock):
    """A clock whose sleepers wake only when the test lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.monotonic() + seconds, woken))
        await woken.wait()

    def tick(self, seconds: float) -> None:
        self.advance(seconds)
        for moment, woken in self._sleepers:
            if moment <= self.monotonic():
                woken.set()


async def test_a_rest_that_is_too_long_is_told_and_not_sat_out() -> None:
    inner = Recorder(ManualClock(), refused("86400"))
    pace = paced(inner)
    await pace.send(REQUEST)
    with pytest.raises(RateLimitedError, match=r"jobs\.find: .* try again then") as caught:
        await pace.send(REQUEST)
    assert caught.value.delivery is Delivery.NOT_SENT
    assert caught.value.retry_after is not None
    assert 86_400 <= caught.value.retry_after <= 86_400 * 1.1
    assert (len(inner.times), inner.clock.slept) == (1, [])
    inner.clock.advance(caught.value.retry_after - LONGEST_REST + 1)
    assert (await pace.send(REQUEST)).status == 200


async def test_a_shorter_rest_does_not_shorten_a_longer_one() -> None:
    inner = Recorder(ManualClock(), refused("50"), refused("1"))
    pace = paced(inner, in_flight=2)
    await asyncio.gather(pace.send(REQUEST), pace.send(REQUEST))
    await pace.send(REQUEST)
    assert inner.times[2] - inner.times[0] >= 50


async def test_closing_closes_what_is_below() -> None:
    inner = Recorder(ManualClock())
    await paced(inner).aclose()
    assert inner.closed
