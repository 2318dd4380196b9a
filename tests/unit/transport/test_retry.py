"""What is sent again, when, and how often."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.errors import (
    AuthError,
    BridgeError,
    ConfigError,
    ConflictError,
    Delivery,
    DeniedError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response, Transport
from rpa_bridge.transport.call import LEAST_TIME, deadline, seconds_left
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.retry import PATIENCE, Retry, may_repeat

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Script

OK = Response(200, {}, b"{}")
REPEATABLE = {Effect.READ, Effect.SET, Effect.KEYED}


def asking(effect: Effect) -> Request:
    return Request("POST", "/", effect=effect, operation="test.send")


def sender(inner: Transport, clock: ManualClock) -> Retry:
    return Retry(inner, clock, random.Random(7))  # noqa: S311 - pauses are no secret


def down(delivery: Delivery = Delivery.MAYBE, wait: float | None = None) -> UnavailableError:
    return UnavailableError("down", delivery=delivery, retry_after=wait)


def limited(wait: float | None = None) -> RateLimitedError:
    return RateLimitedError("slow down", retry_after=wait)


TABLE = {
    # failure                                            effects that may be sent again after it
    "not sent": (down(Delivery.NOT_SENT), set(Effect)),
    "429": (limited(), set(Effect)),
    "429 before it left": (RateLimitedError("rest", delivery=Delivery.NOT_SENT), set(Effect)),
    "5xx called a limit": (RateLimitedError("busy", delivery=Delivery.MAYBE), REPEATABLE),
    "maybe": (down(Delivery.MAYBE), REPEATABLE),
    "unavailable, but refused": (down(Delivery.REFUSED), set()),
    "401": (AuthError("who"), set()),
    "403": (DeniedError("no"), set()),
    "404": (NotFoundError("none"), set()),
    "409": (ConflictError("so already"), set()),
    "400": (InvalidError("bad"), set()),
    "refused by us": (InvalidError("bad", delivery=Delivery.NOT_SENT), set()),
    "odd answer": (ProtocolError("what"), set()),
    "unknown outcome": (OutcomeUnknownError("perhaps"), set()),
    "settings": (ConfigError("wrong"), set()),
    "a bug": (LookupError("bug"), set()),
    "cancelled": (asyncio.CancelledError(), set()),
}


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize(("failure", "effects"), TABLE.values(), ids=TABLE.keys())
async def test_the_decision(effect: Effect, failure: Exception, effects: set[Effect], script: type[Script]) -> None:
    assert may_repeat(effect, failure) is (effect in effects)
    if isinstance(failure, asyncio.CancelledError):
        return
    inner = script(failure, OK)
    if effect in effects:
        assert await sender(inner, ManualClock()).send(asking(effect)) is OK
    else:
        with pytest.raises(type(failure)):
            await sender(inner, ManualClock()).send(asking(effect))
    assert len(inner.sent) == (2 if effect in effects else 1)


def test_a_failed_login_is_not_tried_again_here() -> None:
    error = down(Delivery.NOT_SENT)
    error.retryable = False
    assert not any(may_repeat(effect, error) for effect in Effect)


@pytest.mark.parametrize("effect", list(Effect))
async def test_attempts_end_and_are_counted(effect: Effect, script: type[Script]) -> None:
    inner, clock = script(*(down(Delivery.NOT_SENT) for _ in range(20))), ManualClock()
    with pytest.raises(UnavailableError) as caught:
        await sender(inner, clock).send(asking(effect))
    most = PATIENCE[effect].attempts
    assert (len(inner.sent), caught.value.attempts, len(clock.slept)) == (most, most, most - 1)
    assert all(0 <= pause <= min(20, 0.5 * 2**n) for n, pause in enumerate(clock.slept, start=1))


async def test_a_failure_that_is_not_repeated_counts_one_attempt(script: type[Script]) -> None:
    with pytest.raises(NotFoundError) as caught:
        await sender(script(NotFoundError("none")), ManualClock()).send(asking(Effect.READ))
    assert caught.value.attempts == 1


async def test_the_last_failure_is_the_one_that_is_raised(script: type[Script]) -> None:
    inner = script(down(), limited(0), InvalidError("the last"))
    with pytest.raises(InvalidError, match="the last") as caught:
        await sender(inner, ManualClock()).send(asking(Effect.READ))
    assert caught.value.attempts == 3


async def test_the_first_attempt_goes_without_tenacity(script: type[Script], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.AsyncRetrying", None)
    inner = script(OK, NotFoundError("none"), down())
    retrying = sender(inner, ManualClock())
    request = asking(Effect.READ)
    assert await retrying.send(request) is OK
    assert inner.sent[0] is request
    with pytest.raises(NotFoundError):
        await retrying.send(request)
    with pytest.raises(TypeError):  # only a failure that is repeated gets there
        await retrying.send(request)


async def test_what_the_platform_asks_to_wait_is_waited_and_a_little_more(script: type[Script]) -> None:
    clock = ManualClock()
    await sender(script(limited(30), down(Delivery.NOT_SENT, 5), OK), clock).send(asking(Effect.BLIND))
    assert len(clock.slept) == 2
    assert 30 <= clock.slept[0] <= 33
    assert 5 <= clock.slept[1] <= 5.5


@pytest.mark.parametrize("effect", list(Effect))
async def test_a_wait_beyond_the_deadline_fails_at_once(effect: Effect, script: type[Script]) -> None:
    inner, clock = script(limited(PATIENCE[effect].deadline + 1), OK), ManualClock()
    with pytest.raises(RateLimitedError) as caught:
        await sender(inner, clock).send(asking(effect))
    assert (len(inner.sent), clock.slept) == (1, [])
    assert caught.value.retry_after == PATIENCE[effect].deadline + 1


class Slow:
    """Each attempt takes this long, or as long as it is given, and fails."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds
        self.given: list[float] = []

    async def send(self, request: Request) -> Response:
        self.given.append(seconds_left())
        self.clock.advance(min(self.seconds, seconds_left()))
        raise down()

    async def aclose(self) -> None:
        return None


@pytest.mark.parametrize("seconds", [1.0, 29.0, 55.0, 70.0])
@pytest.mark.parametrize("given", [None, 0.3, 10.0, 1000.0])
async def test_no_attempt_outlives_the_deadline(seconds: float, given: float | None) -> None:
    clock = ManualClock()
    slow, started = Slow(clock, seconds), clock.monotonic()
    with pytest.raises(RemoteError), deadline(given or 1e9, clock=clock):
        await sender(slow, clock).send(asking(Effect.READ))
    most = min(PATIENCE[Effect.READ].deadline, given or 1e9)
    assert slow.given[0] == pytest.approx(most)
    assert clock.monotonic() - started <= most
    assert all(LEAST_TIME <= left < most for left in slow.given[1:])


@pytest.mark.parametrize(("effect", "limit"), [(Effect.SET, {"timeout": 300}), (Effect.BLIND, {"effect_timeout": 300})])
async def test_who_allows_one_attempt_more_time_gives_it_to_the_call(effect: Effect, limit: dict[str, float]) -> None:
    clock = ManualClock()
    slow = Slow(clock, 299.9)
    with pytest.raises(RemoteError):
        await Retry(slow, clock, random.Random(3), HttpOptions(**limit)).send(asking(effect))  # noqa: S311
    assert slow.given == [300.0]


async def test_an_attempt_is_the_same_request_again(script: type[Script]) -> None:
    inner = script(down(), OK)
    request = asking(Effect.KEYED).with_headers({"X-Key": "k"})
    await sender(inner, ManualClock()).send(request)
    assert inner.sent == [request, request]


async def test_a_cancelled_attempt_is_not_repeated(script: type[Script]) -> None:
    class Cancelling(script):  # type: ignore[valid-type, misc]  # the fixture is a class
        async def send(self, request: Request) -> Response:
            self.sent.append(request)
            if len(self.sent) == 1:
                raise down()
            raise asyncio.CancelledError

    inner = Cancelling(OK)
    with pytest.raises(asyncio.CancelledError):
        await sender(inner, ManualClock()).send(asking(Effect.READ))
    assert len(inner.sent) == 2


def held_back() -> UnavailableError:
    return UnavailableError("held back", delivery=Delivery.NOT_SENT, attempts=0)


async def test_what_was_held_back_is_told_at_once(script: type[Script]) -> None:
    inner, clock = script(held_back(), OK), ManualClock()
    with pytest.raises(UnavailableError, match="held back"):
        await sender(inner, clock).send(asking(Effect.READ))
    assert (len(inner.sent), clock.slept) == (1, [])


async def test_the_failure_before_one_that_was_held_back_is_the_one_that_counts(script: type[Script]) -> None:
    inner = script(limited(0), down(), held_back(), OK)
    with pytest.raises(UnavailableError, match="down") as caught:
        await sender(inner, ManualClock()).send(asking(Effect.KEYED))
    assert (caught.value.attempts, caught.value.delivery, len(inner.sent)) == (2, Delivery.MAYBE, 3)


@pytest.mark.parametrize(
    "last",
    [
        lambda: down(Delivery.NOT_SENT),
        lambda: RateLimitedError("slow down", retry_after=1000, delivery=Delivery.NOT_SENT),
        lambda: AuthError("who"),
        lambda: DeniedError("no"),
    ],
)
@pytest.mark.parametrize("effect", [Effect.READ, Effect.SET, Effect.KEYED])
async def test_what_an_early_attempt_may_have_done_is_not_forgotten(
    effect: Effect, last: Callable[[], RemoteError], script: type[Script]
) -> None:
    failure = last()
    inner = script(down(), *[failure] * 6)
    with pytest.raises(type(failure)) as caught:
        await sender(inner, ManualClock()).send(asking(effect))
    assert caught.value.maybe_applied is (effect is not Effect.READ)


@pytest.mark.parametrize("effect", [Effect.READ, Effect.KEYED])
async def test_settings_that_fail_the_next_attempt_do_not_hide_what_the_first_may_have_done(
    effect: Effect, script: type[Script]
) -> None:
    failure = ConfigError("the certificate is not trusted")
    with pytest.raises(BridgeError, match="the certificate is not trusted") as caught:
        await sender(script(down(), failure), ManualClock()).send(asking(effect))
    told = caught.value
    assert (told is failure) is (effect is Effect.READ)
    assert isinstance(told, ConfigError) or (isinstance(told, UnavailableError) and told.maybe_applied)


@pytest.mark.parametrize(("before", "is_uncertain"), [(down(), True), (limited(1), False)])
async def test_a_refusal_tells_whether_the_attempt_before_may_be_what_stands_in_its_way(
    before: RemoteError, is_uncertain: bool, script: type[Script]
) -> None:
    with pytest.raises(ConflictError) as caught:
        await sender(script(before, ConflictError("so already")), ManualClock()).send(asking(Effect.KEYED))
    assert (caught.value.attempts, caught.value.uncertain_before) == (2, is_uncertain)


async def test_a_refusal_stays_one_whatever_came_before(script: type[Script]) -> None:
    inner = script(down(), ConflictError("so already"))
    with pytest.raises(ConflictError) as caught:
        await sender(inner, ManualClock()).send(asking(Effect.KEYED))
    assert caught.value.delivery is Delivery.REFUSED


class Interrupted(ManualClock):
    """A clock whose sleepers are cancelled."""

    async def sleep(self, seconds: float) -> None:
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("effect", "failure", "told"),
    [
        (Effect.KEYED, down(), True),
        (Effect.KEYED, down(Delivery.NOT_SENT), False),
        (Effect.READ, down(), False),
        (Effect.BLIND, limited(), False),
    ],
)
async def test_a_call_cancelled_between_attempts_tells_what_may_have_happened(
    effect: Effect, failure: RemoteError, *, told: bool, script: type[Script], caplog: pytest.LogCaptureFixture
) -> None:
    inner = script(failure)
    with pytest.raises(asyncio.CancelledError):
        await sender(inner, Interrupted()).send(asking(effect))
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(inner.sent) == 1
    assert warnings == (
        ["test.send: cancelled before it was sent again; an earlier attempt may have been carried out"] if told else []
    )


class Failing:
    """Fails every time."""

    def __init__(self, failure: Callable[[], RemoteError]) -> None:
        self.failure, self.sent = failure, 0

    async def send(self, request: Request) -> Response:
        self.sent += 1
        raise self.failure()

    async def aclose(self) -> None:
        return None


@pytest.mark.parametrize(("failure", "repeated"), [(down, 20), (lambda: limited(0), 40)], ids=["down", "429"])
async def test_an_empty_budget_ends_repetition_and_says_so(failure: Callable[[], RemoteError], repeated: int) -> None:
    inner = Failing(failure)
    sending = sender(inner, ManualClock())
    for number in range(repeated // 4):  # of five attempts each
        with pytest.raises(type(failure())) as caught:
            await sending.send(asking(Effect.READ))
        assert (inner.sent, caught.value.attempts) == (5 * (number + 1), 5)
    for _ in range(2):
        inner.sent = 0
        with pytest.raises(type(failure()), match="too many attempts failed lately") as caught:
            await sending.send(asking(Effect.READ))
        assert caught.value.retryable
    assert (inner.sent, caught.value.attempts) == (1, 1)


async def test_each_server_has_a_budget_of_its_own() -> None:
    inner = Failing(down)
    sending = sender(inner, ManualClock())
    for _ in range(8):
        with pytest.raises(UnavailableError):
            await sending.send(asking(Effect.READ))
    inner.sent = 0
    with pytest.raises(UnavailableError):
        await sending.send(replace(asking(Effect.READ), path="https://files.example/a"))
    assert inner.sent == PATIENCE[Effect.READ].attempts


async def test_closing_closes_what_is_below(script: type[Script]) -> None:
    inner = script(OK)
    await sender(inner, ManualClock()).aclose()
    assert inner.closed
