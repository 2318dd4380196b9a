from __future__ import annotations

from typing import Any

import pytest

from rpa_bridge.sandbox.world import World
from rpa_bridge_uipath.sandbox.entities import EXCEPTION_TYPES, PRIORITIES, Entity, Navigation, Row, enums, members
from rpa_bridge_uipath.sandbox.errors import RefusalError
from rpa_bridge_uipath.sandbox.odata import read_query

OWNER = Entity("Owners", members(number="Id", text="Name") | enums(Kind=EXCEPTION_TYPES))
OWNERS: dict[str, Row] = {"O'Brien": {"Id": 5, "Name": "Ann", "Kind": "BusinessException"}}
THING = Entity(
    "Things",
    members(number="Id Price", text="Name Hidden", guid="Key", date="At", bool="Good") | enums(Priority=PRIORITIES),
    {"Owner": Navigation(OWNER, lambda row: OWNERS.get(row["Name"]))},
    most_rows=100,
    unsortable=frozenset({"Hidden"}),
)
A, B = "11111111-aaaa-4111-8111-111111111111", "22222222-bbbb-4222-8222-222222222222"
FIRST: Row = {
    "Id": 1,
    "Price": 1.5,
    "Name": "O'Brien",
    "Hidden": None,
    "Key": A,
    "At": "2026-01-02T03:04:05.600000Z",
    "Good": True,
    "Priority": "High",
}
SECOND: Row = FIRST | {"Id": 2, "Price": 20, "Name": "plain", "Key": B, "At": None, "Good": False, "Priority": "Low"}
ROWS = [FIRST, SECOND]


def _ids(condition: str, *, ignore_case: bool = True) -> list[int]:
    query = read_query([("$filter", condition)], THING, ignore_case=ignore_case)
    return [row["Id"] for row in query.run(ROWS).rows]


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("Name eq 'O''Brien'", [1]),
        ("Name ne 'plain'", [1]),
        ("Name eq 'PLAIN'", [2]),
        ("Id gt 1", [2]),
        ("Id ge 1 and Id le 1", [1]),
        ("Price lt 1.6", [1]),
        ("Id in (2, 7)", [2]),
        (f"Key eq {A.upper()}", [1]),
        (f"Key in ('{A}','{B}')", [1, 2]),
        (f"Key ne {A}", [2]),
        ("At ge 2026-01-02T03:04:05Z", [1]),
        ("At gt 2026-01-02T03:04:05.6Z", []),
        ("At eq 2026-01-02T04:04:05.600+01:00", [1]),
        ("At eq null", [2]),
        ("At ne null", [1]),
        ("Good", [1]),
        ("not Good", [2]),
        ("Good eq false", [2]),
        ("(Good) or Id eq 2", [1, 2]),
        ("Good and Id eq 1", [1]),
        ("Priority eq 'Low'", [2]),
        ("Priority eq '0'", [1]),
        ("Priority in ('High','Low')", [1, 2]),
        ("Priority gt 'High'", [2]),
        ("contains(Name,'bri')", [1]),
        ("startswith(Name, 'pl') or endswith(Name,'ien')", [1, 2]),
        ("contains(Hidden,'x')", []),
        ("not (Id eq 1) and not contains(Name,'x')", [2]),
        ("Id eq 1 or Id eq 2 and Name eq 'none'", [1]),
        ("(Id eq 1 or Id eq 2) and Name eq 'none'", []),
        ("Owner/Id eq 5", [1]),
        ("Owner/Name eq null", [2]),
        ("Owner/Kind eq 'BusinessException'", [1]),
    ],
)
def test_a_filter_finds_what_it_says(condition: str, ids: list[int]) -> None:
    assert _ids(condition) == ids


def test_case_counts_where_the_server_is_told_so() -> None:
    assert _ids("Name eq 'PLAIN'", ignore_case=False) == []


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "Name",
        "Name eq",
        "Name eq plain",
        "Name like 'x'",
        "Name eq 'O'Brien'",
        "Name eq 1",
        "Name eq true",
        "Nmae eq 'x'",
        "Id eq '1'",
        "Id eq 1 2",
        "Id eq 1 and",
        "(Id eq 1",
        "Id in ()",
        "Id in (1",
        f"Key eq '{A}'",
        f"Key gt {A}",
        "Key eq 12",
        "Good gt true",
        "At gt '2026-01-02'",
        "At gt 2026-13-02T00:00:00Z",
        "Priority eq 'Urgent'",
        "Priority eq '9'",
        "contains(Id,'1')",
        "contains(Name)",
        "Name/Id eq 1",
        "Owner/Nmae eq 'x'",
        "Owner/Owner/Id eq 1",
        "Id eq 1 & Id eq 2",
        " or ".join(["Id eq 1"] * 51),
    ],
)
def test_a_filter_that_the_server_would_not_take_is_refused(condition: str) -> None:
    with pytest.raises(RefusalError) as refused:
        _ids(condition)
    assert (refused.value.status, refused.value.body["errorCode"]) == (400, 1000)


@pytest.mark.parametrize(
    "options",
    [
        {"$top": "101"},
        {"$top": "-1"},
        {"$top": "many"},
        {"$skip": "-1"},
        {"$count": "yes"},
        {"$orderby": "Nmae"},
        {"$orderby": "Id upwards"},
        {"$orderby": "Hidden"},
        {"$orderby": "Id,Name,Key,At,Good,Price"},
        {"$select": "Nmae"},
        {"$expand": "Name"},
        {"$search": "x"},
        {"filter": "Id eq 1"},
        {"orderby": "Id"},
    ],
)
def test_an_option_that_the_server_would_not_take_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(RefusalError) as refused:
        read_query(options.items(), THING)
    assert (refused.value.status, refused.value.body["errorCode"]) == (400, 1000)


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(RefusalError, match="given twice"):
        read_query([("$top", "1"), ("$top", "2")], THING)


def _answer(**options: str) -> Any:
    query = read_query([(f"${name}", value) for name, value in options.items()], THING)
    return query.answer(query.run(ROWS))


def test_rows_are_ordered_skipped_and_cut() -> None:
    assert [row["Id"] for row in _answer(orderby="Id desc")["value"]] == [2, 1]
    assert [row["Id"] for row in _answer(orderby="At,Id")["value"]] == [2, 1], "null comes first"
    assert [row["Id"] for row in _answer(orderby="Good desc,Id")["value"]] == [1, 2]
    assert [row["Id"] for row in _answer(top="1", skip="1")["value"]] == [2]
    assert _answer(top="0")["value"] == []


def test_the_total_comes_only_when_asked_for() -> None:
    assert "@odata.count" not in _answer(top="1")
    assert _answer(top="1", count="true")["@odata.count"] == 2


def test_members_are_chosen_and_others_joined() -> None:
    (row, _) = _answer(select="Id,Owner", expand="Owner")["value"]
    assert row == {"Id": 1, "Owner": OWNERS["O'Brien"]}
    assert "Owner" not in _answer()["value"][0]


def test_without_an_order_rows_may_come_in_any() -> None:
    rows: list[Row] = [{"Id": number} for number in range(50)]
    loose, fixed = read_query([], THING), read_query([("$orderby", "Id")], THING)
    assert loose.run(rows).rows == rows
    shuffle = World(seed=1).random
    assert loose.run(rows, shuffle).rows != rows
    assert fixed.run(rows, shuffle).rows == rows
