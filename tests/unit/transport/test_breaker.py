"""When a server is left alone, and how it comes back."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.errors import (
    AuthError,
    ConfigError,
    Delivery,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.breaker import FIRST_REST, JITTER, LEAST_RESULTS, LONGEST_REST, WINDOW, Breaker
from rpa_bridge.transport.call import deadline
from rpa_bridge.transport.retry import Retry

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Script

OK = Response(200, {}, b"{}")
READ = Request("GET", "/jobs", effect=Effect.READ, operation="jobs.get")
WRITE = Request("POST", "/jobs", effect=Effect.FINDABLE, operation="jobs.start")


def down(delivery: Delivery = Delivery.MAYBE) -> UnavailableError:
    return UnavailableError("down", delivery=delivery, status=503)


def none() -> NotFoundError:
    return NotFoundError("none", status=404)


def log_in_failed() -> UnavailableError:
    error = down(Delivery.NOT_SENT)
    error.retryable = False
    return error


class Server:
    """Fails while it is told to, and keeps what reached it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.failure: Callable[[], Exception] | None = down
        self.seen: list[Request] = []
        self.breaker = Breaker(self, "erp", self.clock, random.Random(4))  # noqa: S311 - no secret

    async def send(self, request: Request) -> Response:
        self.seen.append(request)
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure()
        return OK

    async def aclose(self) -> None:
        self.failure = None

    async def ask(self, request: Request, times: int = 1) -> list[Response | RemoteError | ConfigError]:
        """What each request came to, one after the other."""
        ends: list[Response | RemoteError | ConfigError] = []
        for _ in range(times):
            try:
                ends.append(await self.breaker.send(request))
            except (RemoteError, ConfigError) as error:
                ends.append(error)
        return ends

    async def is_open(self, request: Request) -> float:
        """Seconds for which it says that nothing is sent; 0 when it is sent."""
        before = len(self.seen)
        (end,) = await self.ask(request)
        if not isinstance(end, RemoteError) or end.attempts > 0:
            return 0.0
        assert isinstance(end, UnavailableError)
        assert len(self.seen) == before
        assert (end.delivery, end.retryable, end.attempts) == (Delivery.NOT_SENT, True, 0)
        assert end.retry_after is not None
        return end.retry_after

    async def until_open(self, request: Request) -> float:
        await self.ask(request, LEAST_RESULTS)
        return await self.is_open(request)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.parametrize("delivery", [Delivery.NOT_SENT, Delivery.MAYBE])
@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
async def test_twenty_failures_are_enough_and_fewer_are_not(
    server: Server, request_: Request, delivery: Delivery
) -> None:
    server.failure = lambda: down(delivery)
    await server.ask(request_, LEAST_RESULTS - 1)
    assert not await server.is_open(request_)
    wait = await server.is_open(request_)
    assert FIRST_REST * (1 - JITTER) <= wait <= FIRST_REST * (1 + JITTER)
    assert len(server.seen) == LEAST_RESULTS


async def test_what_is_refused_names_the_seconds_and_the_operation(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    await server.until_open(WRITE)
    with pytest.raises(UnavailableError, match=r"jobs\.start: .* nothing is sent for another [456] seconds"):
        await server.breaker.send(WRITE)
    assert [one.getMessage()[:11] for one in caplog.records if one.levelno == logging.WARNING] == ["erp, writes"]


async def test_half_must_fail(server: Server) -> None:
    for _ in range(30):
        server.failure = None
        await server.ask(READ, 11)
        server.failure = down
        await server.ask(READ, 9)
    assert len(server.seen) == 600
    await server.ask(READ, 100)
    assert await server.is_open(READ)


async def test_old_results_are_forgotten(server: Server) -> None:
    server.failure = None
    await server.ask(READ, 1000)
    server.clock.advance(WINDOW + 1)
    server.failure = down
    assert await server.until_open(READ)


async def test_failures_that_are_far_apart_are_none_to_speak_of(server: Server) -> None:
    for _ in range(100):
        await server.ask(READ)
        server.clock.advance(WINDOW / (LEAST_RESULTS - 2))
    assert len(server.seen) == 100


NO_RESULT: dict[str, Callable[[], Exception]] = {
    "404": none,
    "404 that comes as 500": lambda: NotFoundError("none", status=500, delivery=Delivery.MAYBE),
    "401": lambda: AuthError("who", status=401),
    "429": lambda: RateLimitedError("slow", status=429),
    "own rate": lambda: RateLimitedError("queue", delivery=Delivery.NOT_SENT),
    "log-in": log_in_failed,
    "settings": lambda: ConfigError("certificate"),
    "no time": lambda: UnavailableError("late", delivery=Delivery.NOT_SENT, attempts=0),
}


@pytest.mark.parametrize("failure", NO_RESULT.values(), ids=NO_RESULT.keys())
async def test_what_says_nothing_about_the_server_does_not_count(
    server: Server, failure: Callable[[], Exception]
) -> None:
    server.failure = failure
    await server.ask(READ, 100)
    assert len(server.seen) == 100


async def test_a_caller_without_patience_is_not_the_servers_fault(server: Server) -> None:
    with deadline(0.1, clock=server.clock):
        await server.ask(READ, 100)
    assert len(server.seen) == 100


async def test_a_web_page_instead_of_data_counts(server: Server) -> None:
    server.failure = lambda: ProtocolError("web page", status=200)
    assert await server.until_open(READ)


async def test_reads_and_writes_and_servers_are_counted_apart(server: Server) -> None:
    elsewhere = Request("PUT", "https://files.example/a", effect=Effect.SET, operation="artifacts.upload")
    await server.until_open(WRITE)
    assert not await server.is_open(READ)
    assert not await server.is_open(elsewhere)
    assert await server.is_open(WRITE)


async def test_two_answered_reads_close_it(server: Server) -> None:
    server.clock.advance(await server.until_open(READ))
    server.failure = None
    assert await server.ask(READ, 2) == [OK, OK]
    server.failure = down
    await server.ask(READ, LEAST_RESULTS - 1)
    assert not await server.is_open(READ), "it begins to count anew"


async def test_a_refusal_is_an_answer_too(server: Server) -> None:
    server.clock.advance(await server.until_open(READ))
    server.failure = none
    assert [type(end) for end in await server.ask(READ, 30)] == [NotFoundError] * 30


async def test_a_write_is_never_the_probe(server: Server) -> None:
    server.clock.advance(await server.until_open(WRITE))
    server.failure = none
    server.seen.clear()
    await server.ask(WRITE)
    assert [(one.method, one.path, one.effect, one.signed) for one in server.seen[:2]] == [
        ("GET", "/", Effect.READ, False)
    ] * 2
    assert server.seen[2:] == [WRITE]


async def test_a_write_whose_probe_fails_was_not_sent(server: Server) -> None:
    server.clock.advance(await server.until_open(WRITE))
    server.seen.clear()
    (end,) = await server.ask(WRITE)
    assert isinstance(end, UnavailableError)
    assert (end.delivery, end.attempts) == (Delivery.NOT_SENT, 0)
    assert [one.method for one in server.seen] == ["GET"]
    assert await server.is_open(WRITE) > FIRST_REST * (1 + JITTER)


async def test_a_probe_without_time_changes_nothing(server: Server) -> None:
    server.clock.advance(await server.until_open(WRITE))
    with deadline(0.1, clock=server.clock):
        (end,) = await server.ask(WRITE)
    assert isinstance(end, UnavailableError)
    server.failure = None
    assert await server.ask(WRITE) == [OK]


async def test_the_rest_doubles_up_to_a_minute_and_begins_anew_after_quiet_times(server: Server) -> None:
    rests = [await server.until_open(READ)]
    for _ in range(6):
        server.clock.advance(rests[-1])
        await server.ask(READ)
        rests.append(await server.is_open(READ))
    expected = [5, 10, 20, 40, 60, 60, 60]
    assert all(least * 0.8 <= rest <= least * 1.2 for rest, least in zip(rests, expected, strict=True))
    assert max(rests) <= LONGEST_REST * (1 + JITTER)
    server.clock.advance(rests[-1])
    server.failure = None
    await server.ask(READ, 2)
    server.failure = down
    assert await server.until_open(READ) > FIRST_REST * (1 + JITTER), "it had only just come back"
    server.clock.advance(100)
    server.failure = None
    await server.ask(READ, 2)
    server.clock.advance(WINDOW + 1)
    server.failure = down
    assert await server.until_open(READ) <= FIRST_REST * (1 + JITTER)


async def test_one_probes_and_the_others_are_told_to_come_back(server: Server) -> None:
    server.clock.advance(await server.until_open(READ))
    server.failure = None
    server.seen.clear()
    ends = await asyncio.gather(*(server.ask(READ) for _ in range(10)))
    assert [end for (end,) in ends].count(OK) == 1
    assert len(server.seen) == 1


@pytest.mark.parametrize("foreign", [True, False])
async def test_a_server_that_the_platform_has_named_is_probed_under_the_same_guard(
    server: Server, foreign: bool
) -> None:
    write = Request(
        "PUT", "https://files.test/f?sig=1", effect=Effect.SET, operation="t", signed=False, foreign=foreign
    )
    server.clock.advance(await server.until_open(write))
    server.seen.clear()
    await server.ask(write)
    assert [(one.method, one.server, one.foreign) for one in server.seen] == [
        ("GET", "https://files.test:443", foreign)
    ]


async def test_a_cancelled_probe_leaves_the_place_to_the_next(server: Server) -> None:
    server.clock.advance(await server.until_open(READ))
    server.failure = None
    probing = asyncio.create_task(server.breaker.send(READ))
    await asyncio.sleep(0)
    probing.cancel()
    await asyncio.wait({probing})
    assert await server.ask(READ) == [OK]


async def test_failures_of_calls_that_were_under_way_do_not_make_the_rest_longer(server: Server) -> None:
    ends = await asyncio.gather(*(server.ask(READ) for _ in range(100)))
    assert all(isinstance(end, UnavailableError) for (end,) in ends)
    assert await server.is_open(READ) <= FIRST_REST * (1 + JITTER)


async def test_a_call_does_not_sit_the_rest_out(server: Server) -> None:
    await server.until_open(READ)
    retrying = Retry(server.breaker, server.clock, random.Random(1))  # noqa: S311 - no secret
    with pytest.raises(UnavailableError, match="nothing is sent"):
        await retrying.send(READ)
    assert server.clock.slept == []


async def test_closing_closes_what_is_below(script: type[Script]) -> None:
    inner = script(OK)
    await Breaker(inner, "erp", ManualClock(), random.Random(1)).aclose()  # noqa: S311 - no secret
    assert inner.closed
