"""Datapools: made once, changed without touching what was not named, and never deleted by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    ConflictError,
    Failure,
    FailureKind,
    InvalidError,
    ItemDraft,
    ItemState,
    NotFoundError,
    OutcomeUnknownError,
    QueueDraft,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.contract.queues import Field
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock

from .conftest import scripted

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
CREATE = "POST */datapool"
CHANGE = "POST */datapool/Invoices"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS]
OPTIONS = {
    "consumptionPolicy": "LIFO",
    "trigger": "NO_TASK_ACTIVE",
    "defaultAutomation": "Letters",
    "maxErrorsBeforeInactive": 5,
    "itemMaxProcessingTime": 90,
    "repositoryLabel": "FINANCE",
    "displayValue": ["größe"],
}
DRAFT = QueueDraft(
    name="Rechnungen ☃",
    description='what "SAP" sends',
    retries=3,
    fields=(Field(name="größe", type="number"), Field(name="id", type="integer", unique=True), Field(name="note")),
    options=OPTIONS,
)
POOL = {"id": "p-1", "label": "Invoices", "name": "Invoices", "autoRetry": False, "maxAutoRetry": 0, "schema": []}


def pools(state: Any) -> dict[str, Any]:
    found: dict[str, Any] = state["pools"]
    return found


async def test_a_new_datapool_is_as_drafted_and_all_of_it_is_sent(
    maestro: Adapter, kept: Callable[[], Any], requests: Requests
) -> None:
    made = await maestro.queues.create(DRAFT)

    assert (made.name, made.description, made.retries, made.fields) == (
        DRAFT.name,
        DRAFT.description,
        DRAFT.retries,
        DRAFT.fields,
    )
    stored = pools(kept())[DRAFT.name]
    assert stored["default_activity"] == "Letters", "written as defaultAutomation, read as defaultActivity"
    assert [stored[name] for name in ("consumption_policy", "trigger", "repository_label")] == [
        "LIFO",
        "NO_TASK_ACTIVE",
        "FINANCE",
    ]
    assert [stored[name] for name in ("auto_retry", "max_auto_retry", "active")] == [True, 3, True]
    assert [stored[name] for name in ("abort_on_error", "max_errors_before_inactive")] == [True, 5], "a limit counts"
    assert [stored[name] for name in ("enable_processing_time", "item_max_processing_time")] == [True, 90]
    assert [one["display_value"] for one in stored["schema_"]] == [True, False, False]
    assert set(json.loads(requests(CREATE)[0].body)) == {
        *("label", "name", "defaultAutomation", "consumptionPolicy", "schema", "trigger", "autoRetry", "maxAutoRetry"),
        *("abortOnError", "maxErrorsBeforeInactive", "enableProcessingTime", "itemMaxProcessingTime", "active"),
        "repositoryLabel",
    }
    assert await maestro.queues.get(DRAFT.name) == made


async def test_a_datapool_without_limits_neither_stops_nor_times_out(
    sandbox: Sandbox, maestro: Adapter, kept: Callable[[], Any]
) -> None:
    sandbox.world.switches["botmaestro.zero_errors_stop"] = True
    made = await maestro.queues.create(QueueDraft(name="Plain"))
    assert (made.description, made.retries, made.fields) == (None, 0, ())

    stored = pools(kept())["Plain"]
    assert [stored[name] for name in ("auto_retry", "abort_on_error", "enable_processing_time")] == [False] * 3
    await maestro.queues.add("Plain", ItemDraft(values={"n": 1}))
    item = await maestro.queues.take("Plain")
    assert item is not None
    await maestro.queues.fail(item, Failure(kind=FailureKind.APPLICATION, reason="printer on fire"))
    assert (await maestro.queues.get("Plain")).active


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("kind", LOST)
async def test_a_datapool_whose_answer_is_lost_is_made_once(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match=CREATE, when=when, times=2))

    assert (await maestro.queues.create(DRAFT)).description == DRAFT.description
    assert sum(one.executed for one in requests(CREATE)) == 1


async def test_a_datapool_whose_every_answer_is_lost_is_found(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=CREATE, when=When.AFTER, times=99))

    assert (await maestro.queues.create(DRAFT)).retries == 3
    assert sum(one.executed for one in requests(CREATE)) == 1


async def test_a_web_page_instead_of_an_answer_is_looked_through_and_not_repeated(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.HTML, match=CREATE, when=When.AFTER))
    assert (await maestro.queues.create(DRAFT)).retries == 3

    sandbox.world.faults.add(Fault(FaultKind.HTML, match=CREATE))
    with pytest.raises(OutcomeUnknownError, match="a queue 'New' with these settings was not found"):
        await maestro.queues.create(QueueDraft(name="New"))
    assert [one.executed for one in requests(CREATE)] == [True, False]


async def test_somebody_elses_datapool_is_not_taken_for_ours_after_a_lost_answer(
    sandbox: Sandbox, maestro: Adapter
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=CREATE))

    with pytest.raises(ConflictError, match="there is a queue 'Invoices' already; take another name"):
        await maestro.queues.create(QueueDraft(name="Invoices", retries=7))


async def test_the_label_of_a_deleted_datapool_stays_taken(maestro: Adapter, kept: Callable[[], Any]) -> None:
    await maestro.queues.delete("Letters")

    with pytest.raises(ConflictError, match="already exists"):
        await maestro.queues.create(QueueDraft(name="Letters"))
    assert "Letters" not in pools(kept())


@pytest.mark.parametrize("body", ["full", "bare", "text"])
async def test_a_label_that_is_taken_is_a_conflict_however_the_server_says_so(
    sandbox: Sandbox, maestro: Adapter, body: str
) -> None:
    sandbox.world.switches["botmaestro.error_body"] = body

    with pytest.raises(ConflictError, match="there is a queue 'Invoices' already"):
        await maestro.queues.create(QueueDraft(name="Invoices"))


async def test_a_strict_server_knows_all_that_is_sent(sandbox: Sandbox, maestro: Adapter) -> None:
    for name, value in {"refuse_unknown_members": True, "coerce_numbers": False}.items():
        sandbox.world.switches[f"botmaestro.{name}"] = value

    await maestro.queues.create(DRAFT)
    await maestro.queues.update(DRAFT.name, QueueDraft(name=DRAFT.name, retries=1))
    assert not (await maestro.queues.deactivate(DRAFT.name)).active
    assert (await maestro.queues.activate(DRAFT.name)).active
    assert (await maestro.queues.add_many(DRAFT.name, [ItemDraft(values={"n": n}) for n in range(3)])).added == 3
    for end in ("complete", "fail"):
        item = await maestro.queues.take(DRAFT.name)
        assert item is not None
        await maestro.queues.progress(item, "half way")
        if end == "complete":
            await maestro.queues.complete(item, {"paid": True})
        else:
            await maestro.queues.fail(item, Failure(kind=FailureKind.BUSINESS, reason="no"))
    [left] = [one async for one in maestro.queues.items(DRAFT.name, state=ItemState.NEW)]
    await maestro.queues.remove(left)
    await maestro.queues.delete(DRAFT.name)


async def test_a_refusal_is_a_conflict_when_the_label_is_taken_whatever_its_words(script: Any) -> None:
    script.answer({"message": "não é possível"}, status=400)
    script.answer(POOL)
    with pytest.raises(ConflictError, match="there is a queue 'Invoices' already"):
        await scripted(script).create(QueueDraft(name="Invoices"))

    script.answer({"message": "schema: too many fields"}, status=400)
    script.answer({"message": "not found"}, status=404)
    with pytest.raises(InvalidError, match="too many fields"):
        await scripted(script).create(QueueDraft(name="Invoices"))


async def test_an_unknown_automation_is_named(maestro: Adapter, kept: Callable[[], Any]) -> None:
    draft = QueueDraft(name="Invoices", options={"defaultAutomation": "Nöthing"})
    for call in (
        maestro.queues.create(QueueDraft(name="New", options=draft.options)),
        maestro.queues.update("Invoices", draft),
    ):
        with pytest.raises(NotFoundError, match="there is no automation 'Nöthing'"):
            await call
    assert set(pools(kept())) == {"Invoices", "Letters"}


BAD: dict[str, QueueDraft] = {
    "label": QueueDraft(name="a/b"),
    "empty": QueueDraft(name=" "),
    "retries": QueueDraft(name="q", retries=-1),
    "no name of a field": QueueDraft(name="q", fields=(Field(name=""),)),
    "a field twice": QueueDraft(name="q", fields=(Field(name="a"), Field(name="a", type="integer"))),
    "a field of ours": QueueDraft(name="q", fields=(Field(name="_rb_key"),)),
    "policy": QueueDraft(name="q", options={"consumptionPolicy": "fifo"}),
    "trigger": QueueDraft(name="q", options={"trigger": ["ALWAYS"]}),
    "automation": QueueDraft(name="q", options={"defaultAutomation": ""}),
    "flag": QueueDraft(name="q", options={"abortOnError": 1}),
    "minutes": QueueDraft(name="q", options={"itemMaxProcessingTime": True}),
    "negative": QueueDraft(name="q", options={"maxErrorsBeforeInactive": -1}),
    "shown": QueueDraft(name="q", fields=(Field(name="a"),), options={"displayValue": ["b"]}),
}
BEYOND: dict[str, QueueDraft] = {
    "option": QueueDraft(name="q", options={"maxAutoRetry": 1}),
    "unique references": QueueDraft(name="q", unique_references=True),
    "type": QueueDraft(name="q", fields=(Field(name="a", type="date"),)),
    "required": QueueDraft(name="q", fields=(Field(name="a", required=True),)),
}


@pytest.mark.parametrize("draft", BAD.values(), ids=BAD)
async def test_wrong_settings_are_refused_before_anything_is_sent(
    maestro: Adapter, requests: Requests, draft: QueueDraft
) -> None:
    for call in (maestro.queues.create(draft), maestro.queues.update(draft.name, draft)):
        with pytest.raises(InvalidError):
            await call
    assert not requests("*")


@pytest.mark.parametrize("draft", BEYOND.values(), ids=BEYOND)
async def test_what_a_datapool_cannot_hold_is_refused_before_anything_is_sent(
    maestro: Adapter, requests: Requests, draft: QueueDraft
) -> None:
    for call in (maestro.queues.create(draft), maestro.queues.update(draft.name, draft)):
        with pytest.raises(UnsupportedError):
            await call
    assert not requests("*")


async def test_a_datapool_cannot_be_renamed(maestro: Adapter, requests: Requests) -> None:
    with pytest.raises(UnsupportedError, match="renaming queues; a label stays"):
        await maestro.queues.update("Invoices", QueueDraft(name="Bills"))
    assert not requests("*")


async def test_an_update_touches_nothing_but_what_the_draft_says(
    maestro: Adapter, rewrite: Rewrite, kept: Callable[[], Any], requests: Requests
) -> None:
    await maestro.queues.add("Invoices", ItemDraft(values={"n": 1}))
    rewrite(lambda state: pools(state)["Invoices"].update(active=False, trigger="ALWAYS", repository_label="FINANCE"))
    before = pools(kept())["Invoices"]
    draft = QueueDraft(
        name="Invoices",
        description="new",
        retries=5,
        fields=(Field(name="amount", type="text"), Field(name="number", unique=True)),
        options={"consumptionPolicy": "LIFO"},
    )

    changed = await maestro.queues.update("Invoices", draft)

    assert (changed.retries, changed.description, changed.fields, changed.active) == (5, "new", draft.fields, False)
    after = pools(kept())["Invoices"]
    named = {"name", "max_auto_retry", "schema_", "consumption_policy"}
    assert {name for name in before if before[name] != after[name]} == named
    assert [(one["label"], one["display_value"]) for one in after["schema_"]] == [("amount", False), ("number", True)]
    body = json.loads(requests(CHANGE)[0].body)
    assert body["defaultAutomation"] == "Invoices"
    assert {"id", "defaultActivity"}.isdisjoint(body)


async def test_members_that_we_do_not_know_go_back_as_they_came(script: Any) -> None:
    script.answer(POOL | {"newerSetting": {"a": 1}, "active": True, "schema": None})
    script.answer()
    script.answer(POOL | {"newerSetting": {"a": 1}, "active": False})

    await scripted(script).deactivate("Invoices")

    sent = script.requests[1].json
    assert (sent["newerSetting"], sent["active"], sent["schema"]) == ({"a": 1}, False, [])


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("when", When)
async def test_a_change_whose_answer_is_lost_is_made_all_the_same(
    sandbox: Sandbox, maestro: Adapter, kept: Callable[[], Any], kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match=CHANGE, when=when, times=2))

    assert not (await maestro.queues.deactivate("Invoices")).active
    assert pools(kept())["Invoices"]["active"] is False


async def test_a_change_that_cannot_be_sent_is_an_error(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CHANGE, times=99))

    with pytest.raises(UnavailableError):
        await maestro.queues.deactivate("Invoices")


async def test_what_is_so_already_is_not_written(maestro: Adapter, requests: Requests) -> None:
    assert (await maestro.queues.activate("Invoices")).active
    for _ in range(2):
        assert not (await maestro.queues.deactivate("Invoices")).active
    for _ in range(2):
        await maestro.queues.update("Letters", QueueDraft(name="Letters", retries=2))

    assert len(requests(CHANGE)) == 1
    assert len(requests("POST */datapool/Letters")) == 1


async def test_a_change_that_somebody_else_writes_over_is_told(script: Any) -> None:
    script.answer(POOL | {"active": False})
    script.answer(POOL)
    script.answer(POOL | {"active": False})

    with pytest.raises(ConflictError, match="'Invoices' is not as it was written: somebody else changed it"):
        await scripted(script).activate("Invoices")
    assert script.lines == ["GET /datapool/Invoices", "POST /datapool/Invoices", "GET /datapool/Invoices"]


async def test_an_inactive_datapool_gives_no_items_until_it_is_active_again(maestro: Adapter) -> None:
    await maestro.queues.deactivate("Invoices")
    added = await maestro.queues.add("Invoices", ItemDraft(values={"n": 1}))
    assert await maestro.queues.take("Invoices") is None

    await maestro.queues.activate("Invoices")
    taken = await maestro.queues.take("Invoices")
    assert taken is not None
    assert taken.id == added.id


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.STATUS])
@pytest.mark.parametrize("when", When)
async def test_a_deletion_whose_answer_is_lost_is_no_error(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], kind: FaultKind, when: When
) -> None:
    sandbox.world.faults.add(Fault(kind, match="DELETE *", when=when))

    await maestro.queues.delete("Invoices")

    assert set(pools(kept())) == {"Letters"}
    assert sum(one.executed for one in requests("DELETE *")) == 1


async def test_a_datapool_that_is_not_there_is_not_found_by_any_verb(maestro: Adapter, requests: Requests) -> None:
    queues = maestro.queues
    for call in (
        queues.delete("Nöthing"),
        queues.stats("Nöthing"),
        queues.activate("Nöthing"),
        queues.update("Nöthing", QueueDraft(name="Nöthing")),
        queues.add_many("Nöthing", []),
    ):
        with pytest.raises(NotFoundError, match="there is no queue 'Nöthing'"):
            await call
    assert not requests("POST */datapool/*")


async def test_stats_count_every_state_that_the_platform_counts(
    sandbox: Sandbox, clock: ManualClock, maestro: Adapter
) -> None:
    sandbox.world.switches["botmaestro.count_canceled"] = True
    for number in range(4):
        await maestro.queues.add("Invoices", ItemDraft(values={"n": number}))
    for _ in range(2):
        assert await maestro.queues.take("Invoices")
    for each in (sandbox.world.clock, clock):
        each.advance(3601)
    assert await maestro.queues.take("Invoices")
    [waiting] = [one async for one in maestro.queues.items("Invoices", state=ItemState.NEW)]
    await maestro.queues.remove(waiting)

    assert (await maestro.queues.stats("Invoices")).counts == {
        ItemState.NEW: 0,
        ItemState.TAKEN: 1,
        ItemState.DONE: 0,
        ItemState.FAILED: 0,
        ItemState.LAPSED: 2,
        ItemState.CANCELLED: 1,
    }


async def test_a_state_that_the_platform_does_not_count_is_absent(script: Any) -> None:
    script.answer({"countPending": 2, "avgDone": 1.5, "active": True})

    assert (await scripted(script).stats("Invoices")).counts == {ItemState.NEW: 2}
