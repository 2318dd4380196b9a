"""Rules as people write them, and what they are told when they write them wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import ConfigError
from rpa_bridge.migration.documents import Conflict, Kind
from rpa_bridge.migration.rules import Rules

ALL = """
[conflicts]
queues = "skip"
artifacts = "replace"

[[queues]]
match = "Inv*"
rename = "Faturas {name}"
retries = 3
reference = { from = "number", into = "referência" }
priorities = { low = "normal" }
times = { not_before = "wait_until", keep = false }
nested = "json"

[queues.values]
amount = { rename = "valor", type = "text" }
internal = { drop = true }
tenant = { constant = "BR" }

[[queues]]
reference = "drop"
times = "drop"

[[assets]]
match = "*"
into_credential = "Settings"

[[credentials]]
match = "SAP"
fields = { username = "user", client = "" }
values = { password = "${env:SAP_PASSWORD}", token = "$SAP_TOKEN" }

[[artifacts]]
match = "reports/**"
job = "4711"
name = "{container}-{name}"
"""


def test_everything_can_be_said_in_toml() -> None:
    rules = Rules.loads(ALL, "toml")
    queue = rules.queue("invoices")
    assert (queue.rename, queue.retries, queue.reference.source) == ("Faturas {name}", 3, "number")
    assert queue.priorities == {Priority.LOW: Priority.NORMAL}
    assert queue.values["tenant"].is_constant
    assert rules.by_kind[Kind.QUEUE] is Conflict.SKIP
    assert rules.by_kind[Kind.ARTIFACTS] is Conflict.REPLACE
    assert rules.by_kind[Kind.ITEMS] is Conflict.FAIL


def test_rules_come_back_from_json() -> None:
    rules = Rules.loads(ALL, "toml")
    assert Rules.of(rules.as_json()) == rules
    assert Rules.loads(json.dumps(rules.as_json()), "json").as_json() == rules.as_json()


def test_the_first_rule_that_fits_counts_alone() -> None:
    rules = Rules.loads(ALL, "toml")
    assert rules.queue("Invoices").reference.keep
    assert not rules.queue("Letters").reference.keep
    assert rules.credential("other").values == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"queue": []}, "'queue', which is not known; did you mean 'queues'"),
        ({"queues": [{}, {"renmae": "x"}]}, r"queues\[1\] has 'renmae', which is not known; did you mean 'rename'"),
        ({"queues": [{"values": {"a": {"typ": "text"}}}]}, r"queues\[0\]\.values\.a has 'typ'.*'type'"),
        ({"queues": [{"values": {"a": {"type": "date"}}}]}, r"queues\[0\]\.values\.a\.type should be 'text'"),
        ({"queues": [{"values": {"a": {"drop": True, "constant": 1}}}]}, "only one of drop, constant and type"),
        ({"queues": [{"values": {"a": {"constant": [1]}}}]}, "constant must be text"),
        ({"queues": [{"rename": "{nmae}"}]}, r"has the blank \{nmae\}; did you mean 'name'"),
        ({"queues": [{"rename": "{name.__class__}"}]}, "has the blank"),
        ({"queues": [{"reference": "into"}]}, r'queues\[0\]\.reference must be "keep", "drop" or a table'),
        ({"queues": [{"priorities": {"hgih": "low"}}]}, r"queues\[0\]\.priorities\.hgih should be 'low'"),
        ({"queues": [{"match": "[z-a]"}]}, "is no pattern"),
        ({"conflicts": {"items": "replace"}}, r"conflicts\.items should be"),
        ({"artifacts": [{"name": " "}]}, r"artifacts\[0\]\.name is empty"),
        (["queues"], "the rules"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(given: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Rules.of(given)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Rules.of({"queues": [{"renmae": "x"}], "assets": [{"retries": 1}]})
    assert "queues[0]" in str(caught.value)
    assert "assets[0]" in str(caught.value)


@pytest.mark.parametrize("literal", ["canary-4f1e", "x${env:A}canary-4f1e", "${vault:canary-4f1e}", "$canary-4f1e"])
def test_a_secret_in_the_rules_is_refused_and_not_shown(literal: str) -> None:
    with pytest.raises(ConfigError, match=r"credentials\[0\]\.values\.password must be a reference") as caught:
        Rules.of({"credentials": [{"values": {"password": literal}}]})
    assert "canary-4f1e" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


def test_a_file_is_read_by_its_ending(tmp_path: Path) -> None:
    (tmp_path / "rules.TOML").write_text(ALL, encoding="utf-8-sig")
    assert Rules.read(tmp_path / "rules.TOML") == Rules.loads(ALL, "toml")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("rules.yaml", b"queues: []", "ends in .toml or .json"),
        ("rules.toml", b"[[queues]]\nmatch = \n", r"rules\.toml cannot be read as TOML \(.*line 2"),
        ("rules.json", b"{", r"rules\.json cannot be read as JSON \(.*line 1"),
        ("rules.json", b'{"assets": [], "assets": []}', "'assets' twice"),
        ("rules.json", b"[" * 100_000, "cannot be read as JSON"),
        ("rules.toml", b"\xff\xfe", "not UTF-8"),
        ("rules.toml", None, r"cannot be read \(No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=sentence):
        Rules.read(tmp_path / name)
