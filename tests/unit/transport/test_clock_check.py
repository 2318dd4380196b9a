"""A clock that is wrong is told of once, with the figure."""

from __future__ import annotations

import logging
from datetime import timedelta
from email.utils import format_datetime

import pytest

from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.clock_check import ClockCheck

LOGIN = Request("POST", "/token", effect=Effect.READ, operation="auth.login", signed=False)


class Platform:
    """Answers after some seconds, with the Date of a clock that differs from ours."""

    def __init__(self, clock: ManualClock, ahead: float, takes: float = 0.0, status: int = 200) -> None:
        self._clock, self._ahead, self._takes, self._status = clock, ahead, takes, status
        self.date: str | None = None
        """In place of the clock's own."""

    async def send(self, request: Request) -> Response:
        self._clock.advance(self._takes)
        theirs = format_datetime(self._clock.now() + timedelta(seconds=self._ahead), usegmt=True)
        return Response(self._status, {"date": theirs if self.date is None else self.date}, b"{}")

    async def aclose(self) -> None:
        raise AssertionError("nobody closes this one")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(3600.0, "3600 seconds behind the platform's"), (-90.0, "90 seconds ahead of the platform's")],
)
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_a_clock_that_is_wrong_is_told_of_once(
    ahead: float, said: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    check = ClockCheck(Platform(clock, ahead, status=status), "erp", clock)

    assert [(await check.send(LOGIN)).status for _ in range(3)] == [status] * 3

    assert [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING] == [
        f"erp: this machine's clock is {said}; set it right, or log-ins may be asked for too often"
    ]


@pytest.mark.parametrize("ahead", [-60.0, 0.0, 60.0])
@pytest.mark.parametrize("takes", [0.0, 300.0])
async def test_a_minute_and_a_slow_answer_are_no_difference(
    ahead: float, takes: float, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    await ClockCheck(Platform(clock, ahead, takes), "erp", clock).send(LOGIN)

    assert not caplog.records


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Abc 9999 99:99:99 GMT"])
async def test_a_date_that_is_none_says_nothing(date: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    platform = Platform(clock, 0.0)
    platform.date = date
    await ClockCheck(platform, "erp", clock).send(LOGIN)

    assert not caplog.records
