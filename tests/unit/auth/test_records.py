"""What processes tell each other: it comes back as it was written, or not at all."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from rpa_bridge.auth.private_files import DoubtfulFileError
from rpa_bridge.auth.records import EMPTY, Record, Refusal, _RecordLine, decode, encode
from rpa_bridge.auth.token import Token

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MONOTONIC = 1000.0
KEY = "0123456789abcdef" * 4
VALUE = "token-of-the-record"
TOKEN = Token(SecretStr(VALUE), NOW, NOW + timedelta(hours=1), MONOTONIC, ("read",), {"organization": "acme"})
RECORD = Record(
    token=TOKEN,
    refusal=Refusal(2, NOW + timedelta(seconds=120), 400, "invalid_client"),
    not_before=NOW + timedelta(seconds=30),
    renewals=(NOW,),
    refresh=SecretStr("refresh-of-the-record"),
    refresh_until=NOW + timedelta(days=60),
)

VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=200)
TEXTS = st.text(max_size=20)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=-30))]))
TOKENS = st.builds(
    lambda value, age, lifetime, scopes, details: Token(
        SecretStr(value),
        NOW - timedelta(seconds=age),
        NOW - timedelta(seconds=age) + timedelta(seconds=lifetime),
        MONOTONIC - age,
        tuple(scopes),
        details,
    ),
    VALUES,
    st.integers(0, 10**6),
    st.integers(1, 604_800),
    st.lists(TEXTS, max_size=3),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)
REFUSALS = st.builds(Refusal, st.integers(1, 10), MOMENTS, st.none() | st.integers(400, 499), st.none() | TEXTS)
RECORDS = st.builds(
    Record,
    st.none() | TOKENS,
    st.none() | REFUSALS,
    st.none() | MOMENTS,
    st.lists(MOMENTS, max_size=3).map(tuple),
    st.none() | VALUES.map(SecretStr),
    st.none() | MOMENTS,
)


@settings(deadline=None)
@given(record=RECORDS)
def test_a_record_comes_back_as_it_was_written(record: Record) -> None:
    assert decode(encode(record, KEY), KEY, NOW, MONOTONIC) == record


@settings(deadline=None)
@given(content=st.binary(max_size=300))
def test_what_is_no_record_is_doubtful_whatever_it_is(content: bytes) -> None:
    with pytest.raises(DoubtfulFileError):
        decode(content, KEY, NOW, MONOTONIC)


ODD: list[Any] = [None, True, 0, -1, 1.5, 1e308, 10**400, "", "x", "NaN", "\ud800", [], {}, {"a": "b"}, 253402300799]
ODD += ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2030-01-01T05:30:00+05:30", ["9999-12-31T00:00:00Z"]]


def test_odd_values_in_a_record_that_is_otherwise_right_end_in_a_record_or_in_doubt() -> None:
    rng = random.Random(20302)  # noqa: S311 - oddities that repeat
    ends = {True: 0, False: 0}
    for _ in range(2000):
        content = json.loads(encode(RECORD, KEY))
        for _ in range(rng.randint(1, 3)):
            holder, name = rng.choice(list(places(content)))
            holder[name] = copy.deepcopy(rng.choice(ODD))
        ends[is_read(signed(content))] += 1

    assert min(ends.values()) > 30, "some of it is odd, but possible"


def is_read(content: bytes) -> bool:
    try:
        record = decode(content, KEY, NOW, MONOTONIC)
    except DoubtfulFileError:
        return False
    record.refusal_now(NOW)
    record.recent_renewals(NOW)
    record.is_over(NOW)
    assert 0.0 <= record.pause_now(NOW) <= 3600.0
    if record.token is not None:
        record.token.freshness(NOW, MONOTONIC)
    return True


def places(content: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every member of the record but the checksum, as what holds it and its name there."""
    for name, value in content.items():
        if name != "checksum":
            yield content, name
        if isinstance(value, dict):
            yield from places(value)


def signed(content: dict[str, Any]) -> bytes:
    """The record with the checksum that fits, where there is one, as only we would write it."""
    try:
        checksum = _RecordLine.model_validate_json(json.dumps(content)).computed_checksum()
    except ValueError:
        checksum = ""
    return json.dumps({**content, "checksum": checksum}).encode()


def test_a_record_shows_no_token_and_cannot_be_pickled() -> None:
    doubts = []
    for content in (encode(RECORD, KEY)[:-20], encode(RECORD, "other"), VALUE.encode()):
        with pytest.raises(DoubtfulFileError) as caught:
            decode(content, KEY, NOW, MONOTONIC)
        doubts += [repr(caught.value), caught.value.__cause__, caught.value.__suppress_context__]

    assert VALUE in encode(RECORD, KEY).decode(), "the store's file is the one place"
    assert "refresh-of-the-record" in encode(RECORD, KEY).decode()
    assert VALUE not in f"{RECORD!r} {RECORD} {asdict(RECORD)} {doubts}"
    assert "refresh-of" not in f"{RECORD!r} {RECORD} {asdict(RECORD)} {doubts}"
    with pytest.raises(TypeError, match="in clear"):
        pickle.dumps(RECORD)


def test_refusals_keep_quiet_for_a_minute_doubling_to_a_quarter_of_an_hour() -> None:
    record, seconds = EMPTY, []
    for _ in range(12):
        record = record.with_refusal(NOW, 400, "invalid_client")
        assert record.refusal is not None
        seconds.append((record.refusal.until - NOW).total_seconds())

    assert seconds == [60, 120, 240, 480, *[900] * 8]
    assert decode(encode(record, KEY), KEY, NOW, MONOTONIC) == record
    assert record.with_token(TOKEN).refusal is None


def test_a_refresh_token_outlives_its_token_and_stays_until_another_comes() -> None:
    first = replace(TOKEN, refresh=SecretStr("refresh-one"), refresh_until=NOW + timedelta(days=60))
    record = EMPTY.with_token(first)
    assert record.token is not None
    assert record.token.refresh is None, "the record alone keeps it"

    for later in (record.with_renewal(NOW), record.with_token(TOKEN), record.with_refusal(NOW, 400, None)):
        assert later.refresh == SecretStr("refresh-one")
    assert record.with_token(replace(TOKEN, refresh=SecretStr("refresh-two"))).refresh == SecretStr("refresh-two")
    assert not record.is_over(NOW + timedelta(days=59))
    assert record.is_over(NOW + timedelta(days=61))
    assert not replace(record, refresh_until=None).is_over(NOW + timedelta(days=999)), "nobody knows its end"
    assert record.without_refresh().is_over(NOW + timedelta(days=1))
