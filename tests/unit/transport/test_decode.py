"""From bytes to a vendor's JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from rpa_bridge.errors import Delivery, ProtocolError
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.decode import Moment, WireModel, decode, json_of

REQUEST = Request("GET", "/", effect=Effect.READ, operation="jobs.get")
CANARY = "d3c0de-c4n4ry"


class Robot(WireModel):
    Name: str


class Run(WireModel):
    Id: int
    state: str = Field(default="New", alias="State")
    Robot_: Robot | None = Field(default=None, alias="Robot")
    Counts: dict[str, int] | None = None
    Tags: list[int] | None = None
    Secret: SecretStr | None = None
    At: Moment = None


def said(data: Any) -> Response:
    return Response(200, {}, json.dumps(data).encode())


def test_what_is_named_is_read_and_all_of_it_is_kept() -> None:
    data = {"Id": 7, "State": "Running", "Robot": {"Name": "r"}, "NewInThisVersion": [1]}
    run = decode(Run, REQUEST, said(data))
    assert (run.Id, run.state, run.Robot_) == (7, "Running", Robot(Name="r"))
    assert run.raw == data


def test_what_is_kept_is_not_shown() -> None:
    assert CANARY not in repr(decode(Run, REQUEST, said({"Id": 1, "Other": CANARY, "Secret": CANARY})))


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ({}, "Id"),
        ({"Id": CANARY}, "Id"),
        ({"Id": 1, "State": {CANARY: 1}}, "State"),
        ({"Id": 1, "Robot": {"Name": 5}}, "Robot.Name"),
        ({"Id": 1, "Counts": {CANARY: CANARY}}, "Counts"),
        ({"Id": 1, "Tags": [1, CANARY]}, "Tags.1"),
        ({"Id": CANARY, "State": 1, "Tags": 2, "Counts": 3}, "Id, State, Counts"),
        ([CANARY], "the whole"),
        (CANARY, "the whole"),
        (None, "the whole"),
    ],
)
def test_what_does_not_fit_is_named_by_place_and_never_repeated(
    data: Any, places: str, shown: Callable[[BaseException], str]
) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(Run, REQUEST, said(data))
    assert caught.value.__context__ is None
    assert f"is not a Run (look at {places});" in str(caught.value)
    assert CANARY not in shown(caught.value)
    assert (caught.value.delivery, caught.value.operation) == (Delivery.MAYBE, "jobs.get")


def test_many_are_read_as_one_by_one() -> None:
    rows = [{"Id": 7, "Other": [1]}, {"Id": 8, "At": "2030-01-02T03:04:05Z"}]
    runs = Run.many(rows, "t")
    assert runs == [Run.of(row, "t") for row in rows]
    assert [run.raw for run in runs] == rows
    assert Run.many([], "t") == []


@pytest.mark.parametrize(
    ("rows", "places"),
    [
        ([{"Id": 1}, {"Id": CANARY}], "1.Id"),
        ([{"Id": 1}, CANARY, None], "1, 2"),
        ({CANARY: {"Id": 1}}, "the whole"),
        (None, "the whole"),
    ],
)
def test_of_many_the_one_that_does_not_fit_is_named_by_its_place_and_never_repeated(
    rows: Any, places: str, shown: Callable[[BaseException], str]
) -> None:
    with pytest.raises(ProtocolError) as caught:
        Run.many(rows, "jobs.get")
    assert caught.value.__context__ is None
    assert f"is not a Run (look at {places});" in str(caught.value)
    assert CANARY not in shown(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", f"<{CANARY}>".encode(), b"\xff", b"[" * 100_000, b"NaN", b'{"a":1}x'])
def test_what_is_not_json_is_not_repeated(body: bytes, shown: Callable[[BaseException], str]) -> None:
    with pytest.raises(ProtocolError, match=r"^jobs\.get: .* is not JSON") as caught:
        json_of(REQUEST, Response(200, {}, body))
    assert CANARY not in shown(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.status == 200


@given(st.binary(max_size=200))
def test_no_bytes_whatever_end_in_another_error(body: bytes) -> None:
    with suppress(ProtocolError):
        decode(Run, REQUEST, Response(200, {}, body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Id", "Name", "x"]), inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["Id", "State", "Robot", "Counts", "Tags", "Secret", "At"])


@given(st.dictionaries(MEMBERS, JSON))
def test_no_shape_whatever_ends_in_another_error(data: dict[str, Any]) -> None:
    with suppress(ProtocolError):
        assert Run.of(data, "t").raw is data


@pytest.mark.parametrize(
    ("wire", "moment"),
    [
        ("2030-01-02T03:04:05Z", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05.1234567Z", datetime(2030, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2030-01-02T03:04:05-03:00", datetime(2030, 1, 2, 6, 4, 5, tzinfo=UTC)),
        ("2030-01-02T03:04:05", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("0001-01-01T00:00:00+23:00", None),
        ({}, None),
    ],
)
def test_a_time_that_nobody_understands_does_not_spoil_the_rest(wire: Any, moment: datetime | None) -> None:
    assert Run.of({"Id": 1, "At": wire}, "t").At == moment
