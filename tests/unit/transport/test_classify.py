"""Which error an answer is, whether anything may have happened, and how long to wait."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rpa_bridge.errors import (
    AuthError,
    ConflictError,
    Delivery,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.classify import KIND_OF_STATUS, Classify, Explain, Explanation, retry_after

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Script

NOW = datetime(2030, 1, 1, tzinfo=UTC)
REQUEST = Request("POST", "/", effect=Effect.BLIND, operation="jobs.start")


def silent(_request: Request, _response: Response, _body: Any) -> None:
    return None


def error_of(response: Response, explain: Explain = silent) -> RemoteError | None:
    return Classify(NOWHERE, explain, ManualClock(NOW)).error_of(REQUEST, response)


class _Nowhere:
    async def send(self, request: Request) -> Response:
        raise AssertionError(f"{request.operation} was sent")

    async def aclose(self) -> None:
        return None


NOWHERE = _Nowhere()


def answer(status: int, body: bytes = b"{}", **headers: str) -> Response:
    told = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Response(status, told, body)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_is_no_error(status: int) -> None:
    assert error_of(answer(status, b"")) is None


@pytest.mark.parametrize(
    ("status", "kind", "delivery"),
    [
        (300, ProtocolError, Delivery.MAYBE),
        (302, ProtocolError, Delivery.MAYBE),
        (304, ProtocolError, Delivery.MAYBE),
        (400, InvalidError, Delivery.REFUSED),
        (401, AuthError, Delivery.REFUSED),
        (402, ProtocolError, Delivery.MAYBE),
        (403, DeniedError, Delivery.REFUSED),
        (404, NotFoundError, Delivery.REFUSED),
        (405, InvalidError, Delivery.REFUSED),
        (408, UnavailableError, Delivery.MAYBE),
        (409, ConflictError, Delivery.REFUSED),
        (410, NotFoundError, Delivery.REFUSED),
        (412, ConflictError, Delivery.REFUSED),
        (413, InvalidError, Delivery.REFUSED),
        (415, InvalidError, Delivery.REFUSED),
        (418, ProtocolError, Delivery.MAYBE),
        (421, InvalidError, Delivery.REFUSED),
        (422, InvalidError, Delivery.REFUSED),
        (425, UnavailableError, Delivery.MAYBE),
        (429, RateLimitedError, Delivery.REFUSED),
        (500, UnavailableError, Delivery.MAYBE),
        (502, UnavailableError, Delivery.MAYBE),
        (503, UnavailableError, Delivery.MAYBE),
        (504, UnavailableError, Delivery.MAYBE),
        (524, UnavailableError, Delivery.MAYBE),
    ],
)
def test_what_a_status_means(status: int, kind: type[RemoteError], delivery: Delivery) -> None:
    error = error_of(answer(status, x_request_id="r-1"))
    assert type(error) is kind
    assert (error.status, error.delivery, error.operation, error.request_id) == (status, delivery, "jobs.start", "r-1")
    assert str(error).startswith("jobs.start: ")


def test_every_listed_status_is_a_refusal_or_may_be_tried_again() -> None:
    for status in KIND_OF_STATUS:
        error = error_of(answer(status))
        assert error is not None
        assert error.delivery is Delivery.REFUSED or error.retryable


@pytest.mark.parametrize("status", [200, 201, 400, 403])
def test_a_web_page_is_not_an_answer(status: int) -> None:
    error = error_of(answer(status, b"<html>", content_type="Text/HTML; charset=utf-8"))
    assert type(error) is ProtocolError
    assert error.delivery is Delivery.MAYBE
    assert "check the address in the settings" in str(error)


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (429, RateLimitedError), (502, UnavailableError)])
def test_a_web_page_of_a_gateway_keeps_its_status(status: int, kind: type[RemoteError]) -> None:
    error = error_of(answer(status, b"<html>", content_type="text/html", retry_after="7"))
    assert type(error) is kind
    assert error.retry_after == 7


def test_the_adapter_has_the_better_word() -> None:
    def explain(request: Request, response: Response, body: Any) -> Explanation:
        assert (request, response.status) == (REQUEST, 400)
        return Explanation(body["message"], code=body["code"], kind=NotFoundError)

    error = error_of(answer(400, json.dumps({"message": "no such queue", "code": "1002"}).encode()), explain)
    assert type(error) is NotFoundError
    assert (str(error), error.code, error.delivery) == ("jobs.start: no such queue", "1002", Delivery.REFUSED)


def test_no_word_of_an_adapter_turns_a_500_into_a_refusal() -> None:
    error = error_of(answer(500), lambda *_: Explanation("slow down", kind=RateLimitedError))
    assert type(error) is RateLimitedError
    assert error.delivery is Delivery.MAYBE


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b"NaN", b"<html>"])
def test_the_adapter_gets_none_for_what_is_not_json(body: bytes) -> None:
    got: list[Any] = []

    def explain(_request: Request, _response: Response, parsed: Any) -> None:
        got.append(parsed)

    error_of(answer(400, body), explain)
    assert got == [None]


async def test_an_error_is_raised_and_a_success_is_handed_on(script: type[Script]) -> None:
    inner = script(answer(200), answer(404))
    classify = Classify(inner, silent, ManualClock(NOW))
    assert (await classify.send(REQUEST)).status == 200
    with pytest.raises(NotFoundError):
        await classify.send(REQUEST)
    await classify.aclose()
    assert inner.closed


LATER = NOW + timedelta(seconds=90)
DATE = format_datetime(LATER, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "120"}, 120),
        ({"retry-after": "  7 "}, 7),
        ({"retry-after": "9999999999"}, 9_999_999_999),
        ({"retry-after": DATE}, 90),
        ({"retry-after": LATER.strftime("%A, %d-%b-%y %H:%M:%S GMT")}, 90),
        ({"retry-after": LATER.strftime("%a %b %d %H:%M:%S %Y")}, 90),
        ({"retry-after": DATE, "date": format_datetime(LATER - timedelta(seconds=30), usegmt=True)}, 30),
        ({"retry-after": DATE, "date": format_datetime(LATER + timedelta(minutes=10), usegmt=True)}, 0),
        ({"retry-after": DATE, "date": "yesterday"}, 90),
        ({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, 0),
        *(
            ({"retry-after": junk}, None)
            for junk in ("", "-5", "1.5", "nan", "inf", "1_000", "٣", "+5", "0x10", "1e3", "soon", "99999999999", "1,2")
        ),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 2030 00:00:00 +99999999999999999999"}, None),
    ],
)
def test_how_long_an_answer_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize("skew", [-600, 600, 86_400 * 365])
def test_a_wrong_clock_here_does_not_matter_when_the_answer_is_dated(skew: int) -> None:
    headers = {"retry-after": DATE, "date": format_datetime(NOW, usegmt=True)}
    assert retry_after(headers, NOW + timedelta(seconds=skew)) == 90


@given(said=st.text(max_size=60), date=st.text(max_size=40))
@example(said="Fri, 31 Dec 9999 23:59:59 -2300", date="Mon, 01 Jan 0001 00:00:00 +2300")
def test_no_header_whatever_breaks_the_reading(said: str, date: str) -> None:
    seconds = retry_after({"retry-after": said, "date": date}, NOW)
    assert seconds is None or 0 <= seconds < 1e12
