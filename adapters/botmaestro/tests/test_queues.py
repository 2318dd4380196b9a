"""Entries: nothing is reported twice, nothing that others wrote is lost, and every item is told from its twins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    ConflictError,
    Failure,
    FailureKind,
    InvalidError,
    Item,
    ItemDraft,
    ItemState,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RemoteError,
    UnsupportedError,
    deadline,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge_botmaestro.client import PAGE
from rpa_bridge_botmaestro.mapping import common, queues

from .conftest import entries, scripted, wire_entry

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
PUSH = "POST */push"
SAVE = "POST */entry/*"
APPLICATION = Failure(kind=FailureKind.APPLICATION, reason="printer on fire", detail="Traceback\n\nof it")
BUSINESS = Failure(kind=FailureKind.BUSINESS, reason="no such customer")
DRAFT = ItemDraft(values={"number": "1", "amount": 2.5}, reference="INV-1")


async def taken(maestro: Adapter, draft: ItemDraft = DRAFT) -> Item:
    """A new item, taken from the queue that retries once."""
    await maestro.queues.add("Invoices", draft)
    item = await maestro.queues.take("Invoices")
    assert item is not None
    return item


ITEM = Item(id="e-7", queue="Invoices", state=ItemState.TAKEN, native_state="PROCESSING")


@pytest.mark.parametrize("state", ["PENDING", "DONE", "ERROR", "CANCELED", "NEW_WORD"])
async def test_an_entry_that_is_not_taken_is_a_conflict_and_nothing_is_saved(script: Any, state: str) -> None:
    for report in (scripted(script).complete(ITEM, {"a": 1}), scripted(script).fail(ITEM, BUSINESS)):
        script.answer(wire_entry(state))
        with pytest.raises(ConflictError, match=rf"item e-7 is {state}, not taken"):
            await report
    assert script.lines == ["GET /datapool/Invoices/entry/e-7"] * 2


@pytest.mark.parametrize("state", ["PROCESSING", "TIMEOUT"])
async def test_an_entry_that_is_taken_or_late_is_reported(script: Any, state: str) -> None:
    for report, reached in (
        (scripted(script).complete(ITEM), "DONE"),
        (scripted(script).fail(ITEM, BUSINESS), "ERROR"),
    ):
        script.answer(wire_entry(state))
        script.answer(wire_entry(reached))
        await report
        assert script.requests[-1].json["state"] == reached


async def test_an_item_that_lapsed_can_still_be_completed(
    sandbox: Sandbox, clock: ManualClock, maestro: Adapter
) -> None:
    item = await taken(maestro)
    for each in (sandbox.world.clock, clock):
        each.advance(3601)
    assert (await maestro.queues.get_item("Invoices", item.id)).state is ItemState.LAPSED

    await maestro.queues.complete(item, {"paid": True})

    done = await maestro.queues.get_item("Invoices", item.id)
    assert (done.state, done.output) == (ItemState.DONE, {"paid": True})


async def test_a_report_that_comes_second_between_look_and_save_is_a_conflict(script: Any) -> None:
    script.answer(wire_entry("PROCESSING"))
    script.answer({"message": "An entry in state ERROR cannot become DONE"}, status=400)
    script.answer(wire_entry("ERROR"))

    with pytest.raises(ConflictError, match="item e-7 is ERROR, not taken"):
        await scripted(script).complete(ITEM)


async def test_a_report_that_is_refused_for_another_reason_says_so(script: Any) -> None:
    script.answer(wire_entry("PROCESSING"))
    script.answer({"message": "values.amount: too long"}, status=400)
    script.answer(wire_entry("PROCESSING"))

    with pytest.raises(InvalidError, match="too long"):
        await scripted(script).complete(ITEM)


async def test_two_reports_at_the_same_time_are_one(maestro: Adapter, kept: Callable[[], Any]) -> None:
    item = await taken(maestro)

    ends = await asyncio.gather(
        maestro.queues.complete(item), maestro.queues.fail(item, APPLICATION), return_exceptions=True
    )

    assert [type(end) for end in ends if end is not None] == [ConflictError]
    states = {one["state"] for one in entries(kept()).values()}
    assert states in ({"DONE"}, {"ERROR", "PENDING"})


@pytest.mark.parametrize("end", ["complete", "fail"])
async def test_a_save_keeps_what_others_have_written(
    maestro: Adapter, rewrite: Rewrite, kept: Callable[[], Any], requests: Requests, end: str
) -> None:
    item = await taken(maestro)
    written = {"runner": "runner-9", "task_id": "123", "unique_key": "key-9", "display_value": "Nine", "priority": 7}
    rewrite(lambda state: entries(state)[item.id].update(written, values={"number": "changed", "new": 1}))

    if end == "complete":
        await maestro.queues.complete(item, {"paid": True})
    else:
        await maestro.queues.fail(item, BUSINESS)

    after = entries(kept())[item.id]
    assert {name: after[name] for name in written} == written
    assert (after["values"]["number"], after["values"]["new"]) == ("changed", 1)
    body = json.loads(requests(SAVE)[0].body)
    assert [body[name] for name in ("runner", "taskId", "uniqueKey", "displayValue", "priority")] == [*written.values()]
    assert set(body) == {
        *("priority", "values", "dataPoolLabel", "state", "uniqueKey", "displayValue", "message", "errorType"),
        *("retryIndex", "runner", "taskId", "parent", "child"),
    }


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS])
async def test_a_failure_whose_answer_is_lost_makes_one_retry(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], kind: FaultKind
) -> None:
    item = await taken(maestro)
    sandbox.world.faults.add(Fault(kind, match=SAVE, when=When.AFTER, times=9))

    await maestro.queues.fail(item, APPLICATION)

    assert len(requests(SAVE)) == 1, "it is looked up, not sent again"
    assert sorted(one["state"] for one in entries(kept()).values()) == ["ERROR", "PENDING"]
    failed = await maestro.queues.get_item("Invoices", item.id)
    assert (failed.state, failed.failure) == (ItemState.RETRIED, APPLICATION)


async def test_a_failure_that_never_arrived_is_outcome_unknown_and_not_repeated(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    item = await taken(maestro)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=SAVE, when=When.BEFORE))

    with pytest.raises(OutcomeUnknownError, match=rf"item {item.id} as ERROR was not found"):
        await maestro.queues.fail(item, APPLICATION)

    assert len(requests(SAVE)) == 1
    assert [one["state"] for one in entries(kept()).values()] == ["PROCESSING"]


async def test_the_reference_survives_the_whole_life(maestro: Adapter) -> None:
    first = await taken(maestro)
    await maestro.queues.fail(first, APPLICATION)
    second = await maestro.queues.take("Invoices")
    assert second is not None
    await maestro.queues.complete(second, {"paid": True})

    items = [item async for item in maestro.queues.items("Invoices", reference="INV-1")]

    assert [(one.id, one.state, one.attempt, one.retry_of) for one in items] == [
        (first.id, ItemState.RETRIED, 1, None),
        (second.id, ItemState.DONE, 2, first.id),
    ]
    assert all(one.values == DRAFT.values for one in (first, second, *items)), "what is ours never shows among them"
    assert [one async for one in maestro.queues.items("Invoices", reference="INV-2")] == []
    assert [one.id async for one in maestro.queues.items("Invoices", state=ItemState.DONE)] == [second.id]


async def test_two_items_with_one_reference_are_told_apart_by_their_marks(
    sandbox: Sandbox, maestro: Adapter, kept: Callable[[], Any]
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, times=3))

    items = await asyncio.gather(
        *(maestro.queues.add("Invoices", ItemDraft(values={"n": n}, reference="INV-1")) for n in range(6))
    )

    stored = entries(kept())
    assert len(stored) == len({item.id for item in items}) == 6
    assert [stored[item.id]["values"]["n"] for item in items] == list(range(6)), "each call got its own"
    assert len({one["values"][common.KEY] for one in stored.values()}) == 6


async def test_an_item_is_found_on_a_later_page_after_a_lost_answer(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite
) -> None:
    first = await maestro.queues.add("Invoices", ItemDraft(values={"n": 0}))

    def fill(state: Any) -> None:
        pattern = entries(state)[first.id]
        entries(state).update({f"e-{number}": pattern | {"id": f"e-{number}"} for number in range(2 * PAGE)})

    rewrite(fill)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER))

    added = await maestro.queues.add("Invoices", DRAFT)

    assert (added.reference, added.values) == ("INV-1", DRAFT.values)
    assert len([item async for item in maestro.queues.items("Invoices")]) == 2 * PAGE + 2


@pytest.mark.parametrize("member", ["not_before", "due_at"])
async def test_times_that_entries_do_not_have_are_refused_unsent(
    maestro: Adapter, requests: Requests, member: str
) -> None:
    moment: dict[str, Any] = {member: datetime(2030, 1, 1, tzinfo=UTC)}

    with pytest.raises(UnsupportedError, match=f"items with {member}; leave it out"):
        await maestro.queues.add("Invoices", ItemDraft(values={"n": "1"}, **moment))
    assert not requests("*")


@pytest.mark.parametrize("name", sorted(queues.HIDDEN))
async def test_names_of_ours_are_refused_unsent(maestro: Adapter, requests: Requests, name: str) -> None:
    with pytest.raises(InvalidError, match=rf"'{name}' is taken by the bridge; rename the value"):
        await maestro.queues.add("Invoices", ItemDraft(values={name: "1"}))
    assert not requests("*")


async def test_an_inactive_datapool_takes_items_and_gives_none(maestro: Adapter, rewrite: Rewrite) -> None:
    rewrite(lambda state: state["pools"]["Invoices"].update(active=False))

    assert not (await maestro.queues.get("Invoices")).active
    await maestro.queues.add("Invoices", DRAFT)
    assert await maestro.queues.take("Invoices") is None

    rewrite(lambda state: state["pools"]["Invoices"].update(active=True))
    assert await maestro.queues.take("Invoices") is not None


@pytest.mark.parametrize(
    "answer",
    [None, {"values": {}}, [], {"id": "e-7"}, wire_entry("DONE"), wire_entry("PENDING", dataPoolLabel="Letters")],
)
async def test_a_take_that_is_answered_without_an_entry_may_have_reserved_one(script: Any, answer: Any) -> None:
    script.answer(answer)
    script.page(last=True)

    with pytest.raises(
        OutcomeUnknownError, match="may now be in PROCESSING without a worker, though none is to be seen"
    ):
        await scripted(script).take("Invoices")
    assert script.lines == ["GET /datapool/Invoices/pull", "GET /datapool/Invoices/view"]


@pytest.mark.parametrize(
    ("seconds", "slept", "looks"), [(0.2, [], 0), (0.8, [0.0], 1), (2.5, [1.5], 1), (60.0, [2.0], 1)]
)
async def test_a_take_looks_for_a_lost_entry_within_its_deadline_and_not_beyond(
    script: Any, seconds: float, slept: list[float], looks: int
) -> None:
    script.answer(None)
    for _ in range(looks):
        script.page(last=True)

    with deadline(seconds, clock=script.clock), pytest.raises(OutcomeUnknownError, match="PROCESSING without a worker"):
        await scripted(script).take("Invoices")
    assert script.clock.slept == pytest.approx(slept)
    assert script.lines[1:] == ["GET /datapool/Invoices/view"] * looks


async def test_an_added_item_whose_answer_is_of_another_is_looked_up(script: Any) -> None:
    ours = wire_entry("PENDING", values={common.KEY: "rb-id-1", queues.REFERENCE: "INV-1"})
    script.answer(wire_entry("PENDING", id="e-8", values={common.KEY: "rb-other", queues.REFERENCE: "INV-1"}))
    script.page(wire_entry("PENDING", id="e-8", values={queues.REFERENCE: "INV-1"}), ours, last=True)

    assert (await scripted(script).add("Invoices", DRAFT)).id == "e-7"


async def test_the_entry_of_another_question_is_not_taken(script: Any) -> None:
    script.answer(wire_entry("PROCESSING", id="e-8"))

    with pytest.raises(ProtocolError, match="asked for item e-7, got e-8"):
        await scripted(script).complete(ITEM)


@pytest.mark.parametrize("item_id", ["no-such-item", "../../x", "a?b#c%d", "ü"])
async def test_an_item_that_is_not_there_is_not_found(maestro: Adapter, item_id: str) -> None:
    with pytest.raises(NotFoundError):
        await maestro.queues.get_item("Invoices", item_id)


async def test_an_output_that_json_cannot_hold_is_refused_before_anything_is_sent(
    maestro: Adapter, requests: Requests
) -> None:
    with pytest.raises(RemoteError, match="cannot be written as JSON"):
        await maestro.queues.complete(ITEM, {"when": datetime(2030, 1, 1, tzinfo=UTC)})
    assert not requests("*")
