"""Values in filters and paths: whatever is put in comes out again, read by others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpa_bridge.transport.addresses import query_string
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.sandbox.entities import Entity, Row, members
from rpa_bridge_uipath.sandbox.filters import read_filter

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MOMENTS = st.datetimes(
    min_value=datetime(1000, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.5))]),
)
ENTITY = Entity("Rows", members(text="Name", number="Id", guid="Key", date="At", bool="Good"))
TEXT_LITERAL = re.compile(r"'((?:[^']|'')*)'")


def finds(condition: str, row: Row) -> bool:
    """Whether a strict server that got this filter in a query would show the row."""
    on_the_wire = query_string({"$filter": condition})
    assert on_the_wire.isascii()
    received = parse_qs(on_the_wire, strict_parsing=True)["$filter"][0]
    return read_filter(received, ENTITY, ignore_case=False)(row)


@given(TEXT)
def test_a_text_is_one_literal_that_says_the_text(text: str) -> None:
    literal = TEXT_LITERAL.fullmatch(odata.literal(text))
    assert literal is not None
    assert literal[1].replace("''", "'") == text


@given(TEXT, TEXT)
def test_a_text_survives_its_way_to_the_server_and_finds_only_itself(text: str, other: str) -> None:
    condition = odata.where("Name", "eq", text)
    assert finds(condition, {"Name": text})
    assert finds(condition, {"Name": other}) == (text == other)


@pytest.mark.parametrize(
    "text", ["O'Brien", "'", "''", "' or Id gt 0 or Name eq '", "a&$top=1", "%27", "ü☃", "", "a\nb"]
)
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    assert finds(odata.where("Name", "eq", text), {"Name": text, "Id": 1})
    assert not finds(odata.where("Name", "eq", text), {"Name": "another", "Id": 1})


@given(MOMENTS)
def test_a_moment_survives_in_utc(moment: datetime) -> None:
    literal = odata.literal(moment)
    assert literal.endswith("Z")
    assert datetime.fromisoformat(literal) == moment
    assert finds(odata.where("At", "ge", moment), {"At": literal})


def test_years_have_four_digits() -> None:
    assert odata.literal(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_a_number_is_bare(number: int) -> None:
    assert finds(odata.where("Id", "eq", number), {"Id": number})
    assert not finds(odata.where("Id", "gt", number), {"Id": number})


@given(st.uuids())
def test_a_guid_is_bare(key: UUID) -> None:
    assert finds(odata.where("Key", "eq", key), {"Key": str(key)})
    assert odata.guid(str(key).upper()) == key


def test_truth_is_a_word_and_not_a_number() -> None:
    assert odata.where("Good", "eq", True) == "Good eq true"
    assert finds(odata.where("Good", "eq", False), {"Good": False})


@given(st.lists(TEXT, min_size=1, max_size=8), TEXT)
def test_a_list_of_values_finds_each_and_nothing_else(texts: list[str], other: str) -> None:
    for condition in (odata.any_of("Name", texts), odata.is_in("Name", texts)):
        assert all(finds(condition, {"Name": text}) for text in texts)
        assert finds(condition, {"Name": other}) == (other in texts)


def test_numbers_in_a_list_are_bare() -> None:
    assert odata.is_in("Id", [1, 22]) == "Id in (1,22)"


def test_all_of_binds_any_of_as_a_whole_and_skips_what_is_absent() -> None:
    condition = odata.all_of(None, odata.any_of("Name", ["a", "b"]), "", odata.where("Id", "gt", 5))
    assert finds(condition, {"Name": "a", "Id": 6})
    assert not finds(condition, {"Name": "a", "Id": 5})
    assert not finds(condition, {"Name": "c", "Id": 6})
    assert odata.all_of(None, "") == ""


@given(TEXT.filter(lambda text: text not in {"", ".", ".."}))
def test_a_key_in_a_path_survives_in_one_segment(key: str) -> None:
    path = odata.entity("Processes", key)
    assert re.fullmatch(r"/odata/Processes\('[^/?#()']*'\)", path)
    literal = TEXT_LITERAL.fullmatch(unquote(path).removeprefix("/odata/Processes(").removesuffix(")"))
    assert literal is not None
    assert literal[1].replace("''", "'") == key


def test_a_number_in_a_path_stands_in_plain_parentheses() -> None:
    assert odata.entity("Jobs", 12) == "/odata/Jobs(12)"


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1.0", "1_000", "\u0661", "1" * 20, "x", "0x1"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert odata.number(text) is None


@pytest.mark.parametrize(
    "text", ["", "x" * 36, "12345678123456781234567812345678", "{12345678-1234-5678-1234-567812345678}"]
)
def test_what_is_no_guid_is_none(text: str) -> None:
    assert odata.guid(text) is None
