from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from rpa_bridge.cli.values import parse_pairs, read_object


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("month=2026-10", {"month": "2026-10"}),
        ("limit=50", {"limit": "50"}),
        ("limit:=50", {"limit": 50}),
        ("dry:=true", {"dry": True}),
        ("list:=[1, 2]", {"list": [1, 2]}),
        ("empty=", {"empty": ""}),
        ("address=https://x/?a=b", {"address": "https://x/?a=b"}),
        ("a:b=c", {"a:b": "c"}),
        ("text=two\nlines", {"text": "two\nlines"}),
    ],
)
def test_pairs_are_text_or_typed(pair: str, expected: dict[str, Any]) -> None:
    assert parse_pairs([pair]) == expected


@pytest.mark.parametrize("pair", ["novalue", "=x", "", ":"])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(click.BadParameter, match="key=text"):
        parse_pairs([pair])


@pytest.mark.parametrize("value", ["canary", "{", "NaN", "[" * 100_000])
def test_a_typed_value_that_is_no_json_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        parse_pairs([f"limit:={value}"])
    assert "limit:=42" in refused.value.message
    assert value not in refused.value.message.replace("limit:={", "")


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="'a' is given twice"):
        parse_pairs(["a=1", "a:=2"])


def test_an_object_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "inputs.json"
    path.write_bytes(b'\xef\xbb\xbf{"month": "Oktober \xc3\xa4"}')
    assert read_object(str(path)) == {"month": "Oktober ä"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"[1]", "one JSON object, not list"),
        (b"{", "does not hold JSON"),
        (b"\xff", "not UTF-8"),
        (b"", "does not hold"),
    ],
)
def test_a_file_that_holds_no_object_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "inputs.json"
    path.write_bytes(content)
    with pytest.raises(click.UsageError, match=complaint):
        read_object(str(path))
