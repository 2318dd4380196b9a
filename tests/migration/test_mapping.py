"""What items, queues, assets, credentials and files become."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from rpa_bridge.bridge import Bridge
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.assets import Asset, AssetType, AssetValue
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Field, Item, ItemDraft, ItemState, QueueDraft
from rpa_bridge.errors import InvalidError, NotFoundError
from rpa_bridge.migration import mapping
from rpa_bridge.migration.content import item_hash
from rpa_bridge.migration.documents import Kind, Step, Verdict
from rpa_bridge.migration.mapping import ItemMapper
from rpa_bridge.migration.rules import Rules
from rpa_bridge.registry import load_adapter

PREFIX = "rb-0123456789abcdef/"
LOCAL, UIPATH, BOTMAESTRO = (load_adapter(name).info.limits for name in ("local", "uipath", "botmaestro"))
WHEN = datetime(2031, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, width=64), texts)
nested = st.recursive(
    scalars.filter(lambda one: not isinstance(one, float) or abs(one) < 1e300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.integers(-(10**12), 10**13).map(lambda number: WHEN + timedelta(milliseconds=number))
drafts = st.builds(
    ItemDraft,
    values=st.dictionaries(texts, nested, max_size=4),
    reference=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    priority=st.sampled_from(Priority),
    not_before=st.none() | moments,
    due_at=st.none() | moments,
)


def item(values: dict[str, Any] | None = None, **more: Any) -> Item:
    """A new item at the source."""
    given = {"id": "17", "queue": "Q", "state": ItemState.NEW, "native_state": "New"} | more
    return Item(values=values or {}, **given)


def mapper(rule: dict[str, Any] | None = None, limits: Limits = LOCAL) -> ItemMapper:
    """A mapper of queue Q with one rule."""
    return ItemMapper(Rules.of({"queues": [rule]} if rule else {}), "Q", limits, PREFIX)


def source_item(draft: ItemDraft, number: int = 17) -> Item:
    """What the draft would be at the source."""
    return item(
        draft.values,
        id=str(number),
        reference=draft.reference,
        priority=draft.priority,
        not_before=draft.not_before,
        due_at=draft.due_at,
    )


async def there_and_back(drafts: Sequence[ItemDraft]) -> list[Item]:
    """The items that a local platform in memory makes of drafts, or refuses with an exception."""
    async with Bridge({"connections": {"local": {"adapter": "local", "path": ":memory:"}}}) as bridge:
        queues = bridge["local"].queues
        await queues.create(QueueDraft(name="Q"))
        summary = await queues.add_many("Q", drafts)
        assert not summary.problems
        return [one async for one in queues.items("Q")]


@settings(max_examples=40, deadline=None)
@given(st.lists(drafts, min_size=1, max_size=5))
def test_whatever_an_item_holds_it_comes_back_equal_and_is_found_by_its_mark(given: list[ItemDraft]) -> None:
    items = [source_item(draft, number) for number, draft in enumerate(given)]
    mapped = [mapper().draft(one) for one in items]
    back = asyncio.run(there_and_back(mapped))
    assert [item_hash(one) for one in back] == [item_hash(one) for one in items]
    assert [one.mark for one in back] == [mapper().mark(one) for one in items]


@settings(max_examples=60)
@given(drafts)
def test_what_a_flat_platform_gets_is_flat_and_the_same_each_time(given: ItemDraft) -> None:
    once = mapper(limits=UIPATH).draft(source_item(given))
    upside_down = replace(given, values=dict(reversed(list(given.values.items()))))
    assert all(not isinstance(value, list | dict) for value in once.values.values())
    assert item_hash(once) == item_hash(mapper(limits=UIPATH).draft(source_item(upside_down)))
    for name, value in given.values.items():
        if isinstance(value, list | dict):
            assert json.loads(once.values[name]) == value


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, min_size=2, max_size=8))
def test_each_id_has_a_mark_of_its_own_that_every_platform_takes(ids: list[str]) -> None:
    marks = [mapper().mark(item(id=one)) for one in ids]
    assert len(set(marks)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_/.-]{1,64}", one) and one.startswith(PREFIX) for one in marks)


def test_a_plain_id_can_be_read_in_its_mark() -> None:
    assert mapper().mark(item(id="0f8e-17")) == PREFIX + "0f8e-17"


def test_losses_are_told_in_the_same_words_for_the_same_loss() -> None:
    one = item({"a": [1], "b": {"c": 2}}, not_before=WHEN, due_at=WHEN, progress="half", attempt=2)
    two = item({"z": []}, not_before=WHEN + timedelta(days=1))
    told = {mapping.NOT_BEFORE, mapping.DUE_AT, mapping.PROGRESS, mapping.RETRIES, mapping.NESTED}
    assert set(mapper(limits=BOTMAESTRO).losses(one)) == told
    assert set(mapper(limits=BOTMAESTRO).losses(two)) == {mapping.NESTED, mapping.NOT_BEFORE}
    assert mapper().losses(item({"a": [1]}, not_before=WHEN)) == ()


def test_values_are_renamed_converted_dropped_and_given() -> None:
    rule = {
        "values": {
            "amount": {"rename": "valor", "type": "text"},
            "internal": {"drop": True},
            "tenant": {"constant": "BR"},
            "old": {"rename": "new", "constant": None},
        }
    }
    made = mapper(rule)
    one = item({"amount": 12.5, "internal": "x", "tenant": "AR", "kept": None})
    assert made.draft(one).values == {"valor": "12.5", "kept": None, "tenant": "BR", "new": None}
    assert len(made.losses(one)) == 3
    assert made.draft(item()).values == {"tenant": "BR", "new": None}


def test_a_reference_goes_where_the_rules_say() -> None:
    moved = mapper({"reference": {"from": "number", "into": "ref"}}).draft(item({"number": 4711}, reference="R"))
    assert (moved.reference, moved.values["ref"]) == ("4711", "4711")
    assert mapper({"reference": {"from": "number"}}).draft(item(reference="R")).reference == "R"
    dropped = mapper({"reference": "drop"})
    assert dropped.draft(item(reference="R")).reference is None
    assert dropped.losses(item(reference="R")) == (mapping.REFERENCE,)


def test_times_go_into_values_where_the_target_has_none() -> None:
    rule = {"times": {"not_before": "wait_until", "due_at": "due"}}
    local_time = WHEN.astimezone(datetime.now().astimezone().tzinfo)
    one = item(not_before=local_time, due_at=WHEN)
    draft = mapper(rule, BOTMAESTRO).draft(one)
    assert draft.values == {"wait_until": "2031-02-03T04:05:06.789+00:00", "due": "2031-02-03T04:05:06.789+00:00"}
    assert (draft.not_before, mapper(rule, BOTMAESTRO).losses(one)) == (None, ())
    assert mapper(rule).draft(one).due_at == WHEN


def test_priorities_are_banded() -> None:
    banded = mapper({"priorities": {"low": "normal"}})
    assert banded.draft(item(priority=Priority.LOW)).priority is Priority.NORMAL
    assert banded.losses(item(priority=Priority.LOW)) == ("priority low becomes normal",)
    assert banded.draft(item(priority=Priority.HIGH)).priority is Priority.HIGH


@pytest.mark.parametrize(
    ("value", "kind", "becomes"),
    [
        (12, "text", "12"),
        (True, "text", "true"),
        ([1, "a"], "text", '[1,"a"]'),
        (" 0012 ", "integer", 12),
        (12.0, "integer", 12),
        ("1.5e3", "number", 1500.0),
        ("7", "number", 7),
        ("TRUE", "boolean", True),
        (0, "boolean", False),
        (None, "integer", None),
    ],
)
def test_a_value_changes_its_type_where_nothing_is_lost(value: Any, kind: str, becomes: Any) -> None:
    new = mapper({"values": {"v": {"type": kind}}}).draft(item({"v": value})).values["v"]
    assert (type(new), new) == (type(becomes), becomes)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("canary 12", "integer"),
        ("1_000", "integer"),
        (12.5, "integer"),
        (True, "integer"),
        ("9" * 400, "integer"),
        (False, "number"),
        ("1e999", "number"),
        ("NaN", "number"),
        ([1], "number"),
        ("yes, canary", "boolean"),
        (2, "boolean"),
        ([], "boolean"),
        (float("inf"), "integer"),
    ],
)
def test_a_value_without_an_equal_is_refused_and_not_shown(value: Any, kind: str) -> None:
    with pytest.raises(InvalidError, match=rf"the value 'v' cannot become {kind}") as caught:
        mapper({"values": {"v": {"type": kind}}}).draft(item({"v": value}))
    assert "canary" not in f"{caught.value} {caught.value.__context__!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "rule",
    [
        {"values": {"a": {"rename": "b"}}},
        {"values": {"new": {"rename": "b", "constant": 1}}},
        {"reference": {"into": "b"}},
    ],
)
def test_two_values_never_become_one(rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidError, match="two of its values become 'b'"):
        mapper(rule).draft(item({"a": 1, "b": 2}, reference="R"))


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": object()}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    for limits in (LOCAL, UIPATH):
        with pytest.raises(InvalidError, match="JSON"):
            mapper(limits=limits).draft(item({"v": value}))


async def test_a_queue_becomes_what_its_step_says() -> None:
    draft = QueueDraft(
        name="Ü 'b'",
        description="d",
        retries=3,
        unique_references=True,
        fields=(Field(name="n", type="integer", unique=True), Field(name="t", required=True)),
    )
    stored = json.loads(json.dumps(mapping.queue_settings(draft, True)))
    step = Step(kind=Kind.QUEUE, name="a", to=draft.name, verdict=Verdict.COPY, settings=stored)
    assert mapping.queue_draft(step) == draft
    async with Bridge({"connections": {"local": {"adapter": "local", "path": ":memory:"}}}) as bridge:
        made = await bridge["local"].queues.create(mapping.queue_draft(step))
    assert mapping.queue_hash(made) == mapping.queue_hash(draft)
    assert mapping.queue_hash(replace(made, retries=4)) != mapping.queue_hash(draft)


def asset(value: AssetValue | None, kind: AssetType = AssetType.TEXT) -> Asset:
    return Asset(id="1", name="Rate", type=kind, value=value)


def test_an_asset_is_put_as_it_is_or_becomes_a_field() -> None:
    step = Step(kind=Kind.ASSET, name="Rate", to="New", verdict=Verdict.COPY, settings={"description": "d"})
    assert mapping.asset_put(step, asset(7, AssetType.INTEGER)) == ("New", 7, "d")
    into = replace(step, settings={"into_credential": "Settings", "field": "rate"})
    fields = mapping.asset_as_field(into, asset(True, AssetType.BOOLEAN))
    assert {name: one.get_secret_value() for name, one in fields.items()} == {"rate": "true"}
    assert (mapping.goes_into_credential(into), mapping.credential_name(into)) == (True, "Settings")
    with pytest.raises(InvalidError, match="no value that another platform could hold"):
        mapping.asset_put(step, asset(None))


async def test_secrets_come_from_the_platform_or_from_references() -> None:
    fields = {"user": {"from": "platform", "field": "username"}, "password": {"reference": "${env:P}"}}
    step = Step(kind=Kind.CREDENTIAL, name="SAP", to="S", verdict=Verdict.COPY, settings={"fields": fields})
    async with Bridge({"connections": {"local": {"adapter": "local", "path": ":memory:"}}}) as bridge:
        source = bridge["local"]
        await source.credentials.put("SAP", {"username": SecretStr("one-canary"), "x": SecretStr("two-canary")})
        found = await mapping.secret_fields(step, source, lambda reference: SecretStr(f"of {reference}"))
        gone = replace(step, settings={"fields": {"user": {"from": "platform", "field": "name"}}})
        with pytest.raises(NotFoundError, match="'SAP' no longer has name"):
            await mapping.secret_fields(gone, source, SecretStr)
        only = replace(step, name="not there", settings={"fields": {"password": fields["password"]}})
        assert (await mapping.secret_fields(only, source, SecretStr))["password"].get_secret_value() == "${env:P}"
    assert "canary" not in repr(found)
    assert {name: one.get_secret_value() for name, one in found.items()} == {
        "user": "one-canary",
        "password": "of ${env:P}",
    }


def test_a_file_goes_where_the_first_fitting_place_says() -> None:
    places = [
        {"match": "reports/**", "name": "{container}-{job}-{name}", "job": "4711"},
        {"match": "**", "container": "{container}"},
    ]
    step = Step(kind=Kind.ARTIFACTS, name="", to="", verdict=Verdict.COPY, settings={"places": places})
    file = Artifact(id="1", name="a/{b}.pdf", container="Reports")
    assert mapping.file_place(step, file) == ("Reports--a/{b}.pdf", None, "4711")
    assert mapping.file_place(step, replace(file, container="Other")) == ("a/{b}.pdf", "Other", None)
    assert mapping.file_place(step, replace(file, container=None)) == ("a/{b}.pdf", None, None)
