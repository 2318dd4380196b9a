"""After an uncertain answer: look, do not repeat."""

from __future__ import annotations

import pytest

from rpa_bridge.errors import (
    ConfigError,
    ConflictError,
    Delivery,
    OutcomeUnknownError,
    ProtocolError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.reconcile import LOOKS, SETTLE_WINDOW, afterwards, blindly, once

LOST = UnavailableError("cut", status=502, code="c", operation="jobs.start", request_id="r-1", attempts=2)


class Platform:
    """Carries a request out after some seconds, or never; the answer to it is lost."""

    def __init__(
        self,
        *,
        lands_after: float | None,
        failure: Exception | None = LOST,
        broken: int = 0,
        breaks: Exception | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.lands_after, self.failure, self.broken = lands_after, failure, broken
        self.breaks = breaks or UnavailableError("the look-up failed")
        self.sent = 0
        self.looks: list[float] = []
        self.look_takes = 0.0

    async def send(self) -> str:
        self.sent += 1
        if self.failure is not None:
            raise self.failure
        return "answered"

    async def look_up(self) -> str | None:
        passed = self.clock.monotonic() - 1000
        self.looks.append(passed)
        self.clock.advance(self.look_takes)
        if len(self.looks) <= self.broken:
            raise self.breaks
        return "found" if self.lands_after is not None and passed >= self.lands_after else None

    async def once(self, window: float = SETTLE_WINDOW) -> str:
        return await once(
            self.send, self.look_up, clock=self.clock, operation="jobs.start", what="job 'a'", window=window
        )


async def test_an_answer_needs_no_look() -> None:
    platform = Platform(lands_after=0, failure=None)
    assert await platform.once() == "answered"
    assert (platform.sent, platform.looks) == (1, [])


async def test_it_is_found_at_once() -> None:
    platform = Platform(lands_after=0)
    assert await platform.once() == "found"
    assert (platform.sent, platform.looks) == (1, [0.5])


@pytest.mark.parametrize("lands_after", [1.0, 20.0, 61.0, 119.9, 120.0])
async def test_it_is_found_late(lands_after: float) -> None:
    platform = Platform(lands_after=lands_after)
    assert await platform.once() == "found"
    assert platform.sent == 1
    assert lands_after <= platform.looks[-1] <= SETTLE_WINDOW


async def test_a_look_up_that_finds_two_ends_it_at_once() -> None:
    clock, twins = ManualClock(), ConflictError("jobs 1 and 2 both carry the key")

    async def send() -> str:
        raise LOST

    async def look_up() -> str:
        raise twins

    with pytest.raises(ConflictError) as caught:
        await once(send, look_up, clock=clock, operation="jobs.start", what="job 'a'")
    assert caught.value is twins
    assert twins.maybe_applied, "one of them is ours"
    assert clock.slept == [LOOKS[0]]


@pytest.mark.parametrize("lands_after", [None, 120.1])
async def test_what_is_not_found_in_the_window_is_unknown_and_never_sent_again(lands_after: float | None) -> None:
    platform = Platform(lands_after=lands_after)
    with pytest.raises(OutcomeUnknownError, match=r"job 'a' was not found within 120 seconds; look for it") as caught:
        await platform.once()
    assert (platform.sent, platform.looks) == (1, [*LOOKS, SETTLE_WINDOW])
    error = caught.value
    assert (error.status, error.code, error.operation, error.request_id, error.attempts) == (
        *(502, "c", "jobs.start", "r-1"),
        2,
    )
    assert error.maybe_applied
    assert error.__cause__ is None
    assert error.__suppress_context__


async def test_a_look_that_fails_is_not_absent() -> None:
    platform = Platform(lands_after=0, broken=3)
    assert await platform.once() == "found"
    assert (platform.sent, len(platform.looks)) == (1, 4)


async def test_a_look_that_the_settings_fail_does_not_sound_as_if_nothing_had_been_sent() -> None:
    platform = Platform(lands_after=0, broken=3, breaks=ConfigError("the certificate is not trusted"))
    assert await platform.once() == "found"

    with pytest.raises(UnavailableError, match="the certificate is not trusted") as caught, afterwards():
        raise ConfigError("the certificate is not trusted")
    assert caught.value.maybe_applied


async def test_looks_that_all_fail_leave_it_unknown() -> None:
    platform = Platform(lands_after=0, broken=100)
    with pytest.raises(OutcomeUnknownError):
        await platform.once()
    assert platform.sent == 1


async def test_looks_that_take_long_are_not_made_up_for_in_a_rush() -> None:
    platform = Platform(lands_after=None, broken=100)
    platform.look_takes = 50.0
    with pytest.raises(OutcomeUnknownError):
        await platform.once()
    assert platform.looks == [0.5, 60.0, 120.0]


async def test_a_longer_window_is_looked_into_every_minute_and_at_its_end() -> None:
    platform = Platform(lands_after=None)
    with pytest.raises(OutcomeUnknownError, match="within 200 seconds"):
        await platform.once(window=200)
    assert platform.looks == [*LOOKS, 120, 180, 200]


async def test_an_odd_answer_is_uncertain_too() -> None:
    platform = Platform(lands_after=0, failure=ProtocolError("what"))
    assert await platform.once() == "found"


@pytest.mark.parametrize(
    "failure",
    [ConflictError("so already"), UnavailableError("no route", delivery=Delivery.NOT_SENT), ConfigError("settings")],
)
async def test_a_certain_failure_is_raised_as_it_is(failure: Exception) -> None:
    platform = Platform(lands_after=0, failure=failure)
    with pytest.raises(type(failure)) as caught:
        await platform.once()
    assert caught.value is failure
    assert (platform.sent, platform.looks) == (1, [])


def test_what_cannot_be_looked_up_is_unknown() -> None:
    with pytest.raises(OutcomeUnknownError) as caught, blindly("an item may now be reserved; look for one in progress"):
        raise LOST
    error = caught.value
    assert str(error) == "jobs.start: no usable answer came; an item may now be reserved; look for one in progress"
    assert (error.status, error.request_id, error.attempts, error.retryable) == (502, "r-1", 2, False)
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize(
    "failure", [ConflictError("so already"), UnavailableError("no route", delivery=Delivery.NOT_SENT)]
)
def test_a_certain_failure_passes_through(failure: RemoteError) -> None:
    with pytest.raises(RemoteError) as caught, blindly("never said"):
        raise failure
    assert caught.value is failure
