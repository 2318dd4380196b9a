"""One line for each exchange, and what it must not say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.errors import UnavailableError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.trace import Trace

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Script

CANARY = "tr4ce-c4n4ry"
REQUEST = Request(
    "POST",
    f"/jobs?sig={CANARY}",
    effect=Effect.BLIND,
    operation="jobs.start",
    headers={"token": CANARY},
    params={"secret": CANARY},
    json={"x": CANARY},
)


async def test_an_exchange_is_one_line(script: type[Script], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rpa_bridge.http")
    inner = script(Response(201, {"set-cookie": CANARY}, CANARY.encode()))
    assert (await Trace(inner, "prod", ManualClock()).send(REQUEST)).status == 201
    assert caplog.messages == ["prod jobs.start: POST /jobs -> 201 (0 ms)"]


@pytest.mark.shows_secrets("error", why="what is below raises it so")
async def test_a_failure_is_told_and_raised(script: type[Script], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rpa_bridge.http")
    REDACTOR.add(CANARY)
    inner = script(UnavailableError(f"down\n2030-01-01 forged {CANARY}"))
    with pytest.raises(UnavailableError):
        await Trace(inner, "prod", ManualClock()).send(REQUEST)
    assert caplog.messages == [r"prod jobs.start: POST /jobs -> UnavailableError: down\x0a2030-01-01 forged *** (0 ms)"]


async def test_nothing_is_written_above_debug(script: type[Script], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rpa_bridge.http")
    await Trace(script(Response(200, {}, b"")), "prod", ManualClock()).send(REQUEST)
    assert caplog.messages == []


async def test_closing_closes_what_is_below(script: type[Script]) -> None:
    inner = script(Response(200, {}, b""))
    await Trace(inner, "prod", ManualClock()).aclose()
    assert inner.closed


def test_a_request_and_an_answer_show_neither_headers_nor_bodies() -> None:
    answer = Response(200, {"set-cookie": CANARY}, CANARY.encode())
    assert CANARY not in repr(answer)
    assert CANARY not in repr(REQUEST).replace(REQUEST.path, "")
