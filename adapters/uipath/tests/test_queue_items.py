"""Single items on UiPath: counted, postponed, removed, tried again; nothing of them is lost or doubled."""

from __future__ import annotations

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
    Priority,
    ProtocolError,
    UnavailableError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.queues import UiPathQueues

RETRY = "POST *SetItemReviewStatus"
REMOVE = "POST *DeleteBulk"
LIST = "GET */odata/QueueItems[?]*"
Requests = Callable[[str], list[Exchange]]
BUSINESS = Failure(kind=FailureKind.BUSINESS, reason="no")
APPLICATION = Failure(kind=FailureKind.APPLICATION, reason="down")
MOMENT = datetime(2040, 1, 1, 12, 30, tzinfo=UTC)
DATE_LIKE = "2026-11-20T10:00:00.5000000+02:00"
WIRE_ITEM = {"Id": 9, "Status": "New", "RowVersion": "AAAAAAAAB9E=", "SpecificContent": {"n": 1}}
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS, FaultKind.HTML]


def scripted(script: Any) -> UiPathQueues:
    """The service on answers on order."""
    return UiPathQueues(script.client, script.clock, LIMITS)


def item(**members: Any) -> Item:
    """An item that somebody knows."""
    return Item(**{"id": "9", "queue": "Invoices", "state": ItemState.NEW, "native_state": "New"} | members)


def rows(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The items that the sandbox holds now."""
    return [dict(row) for row in sandbox.faces["uipath"].dump()["items"]]


async def taken(erp: Adapter, **members: Any) -> Item:
    """An item that was added and taken."""
    await erp.queues.add("Invoices", ItemDraft(**{"values": {"n": 1}} | members))
    found = await erp.queues.take("Invoices")
    assert found is not None
    return found


async def failed(erp: Adapter) -> Item:
    """An item that was at fault."""
    found = await taken(erp, reference="R-1")
    await erp.queues.fail(found, BUSINESS)
    return found


async def test_stats_count_every_state_with_one_empty_list_each(erp: Adapter, requests: Requests) -> None:
    await erp.queues.complete(await taken(erp))
    await erp.queues.fail(await taken(erp), BUSINESS)
    await erp.queues.fail(await taken(erp), APPLICATION)
    await erp.queues.remove(await erp.queues.add("Invoices", ItemDraft(values={"n": 2})))
    again = await erp.queues.take("Invoices")
    assert again is not None
    for _ in range(2):
        await erp.queues.add("Invoices", ItemDraft(values={"n": 3}))

    assert (await erp.queues.stats("Invoices")).counts == {
        ItemState.NEW: 2,
        ItemState.TAKEN: 1,
        ItemState.FAILED: 1,
        ItemState.DONE: 1,
        ItemState.LAPSED: 0,
        ItemState.RETRIED: 1,
        ItemState.REMOVED: 1,
    }
    assert len(requests(LIST)) == 7
    assert all("$count=true&$top=0" in one.path for one in requests(LIST))


async def test_a_server_that_does_not_count_is_not_read_as_an_empty_queue(script: Any) -> None:
    script.page({"Id": 3, "Name": "Invoices"})
    script.page()

    with pytest.raises(ProtocolError, match=r"queues\.stats: the platform was asked to count and did not"):
        await scripted(script).stats("Invoices")


async def test_a_postponed_item_keeps_everything_else(sandbox: Sandbox, erp: Adapter) -> None:
    draft = ItemDraft(
        values={"date": DATE_LIKE, "n": 1, "nothing": None}, reference="R-1", priority=Priority.HIGH, due_at=MOMENT
    )
    added = await erp.queues.add("Invoices", draft)
    [before] = rows(sandbox)

    await erp.queues.postpone(added, MOMENT)

    [after] = rows(sandbox)
    assert {name for name in after if after[name] != before[name]} == {"DeferDate", "RowVersion"}
    now = await erp.queues.get_item("Invoices", added.id)
    assert (now.values, now.not_before, now.due_at) == (draft.values, MOMENT, MOMENT)


async def test_notes_of_types_go_back_as_they_came_when_an_item_is_postponed(script: Any) -> None:
    content = {"@odata.type": "#Content", "at@odata.type": "#DateTimeOffset", "at": DATE_LIKE, "text": "2026-01-01 x"}
    script.answer(
        WIRE_ITEM | {"SpecificContent": content, "Progress": "half", "DueDate": "2040-01-01T00:00:00.1234567Z"}
    )
    script.answer()

    await scripted(script).postpone(item(), MOMENT)

    assert script.requests[-1].json == {
        "Progress": "half",
        "DueDate": "2040-01-01T00:00:00.1234567Z",
        "DeferDate": "2040-01-01T12:30:00+00:00",
        "SpecificContent": {
            "at@odata.type": "#DateTimeOffset", "at": DATE_LIKE, "text@odata.type": "#String", "text": "2026-01-01 x",
        },
    }  # fmt: skip


async def test_an_encrypted_item_whose_values_are_hidden_is_not_emptied(script: Any) -> None:
    script.answer(WIRE_ITEM | {"SpecificContent": {}, "Encrypted": True})

    with pytest.raises(InvalidError, match="shows no values, which a change would erase"):
        await scripted(script).postpone(item(), MOMENT)
    assert [one.method for one in script.requests] == ["GET"]


async def test_only_a_new_item_is_postponed_or_removed(erp: Adapter, requests: Requests) -> None:
    one = await taken(erp)

    with pytest.raises(ConflictError, match=f"item {one.id} is InProgress; only a new one can be postponed"):
        await erp.queues.postpone(one, MOMENT)
    with pytest.raises(ConflictError, match="only a new one can be removed"):
        await erp.queues.remove(one)
    assert requests("PUT *") == requests(REMOVE) == []


async def test_an_item_that_is_taken_while_it_is_postponed_is_a_conflict(script: Any) -> None:
    script.answer(WIRE_ITEM)
    script.answer({"message": "The item has changed.", "errorCode": 1017}, status=409)

    with pytest.raises(ConflictError, match="has changed"):
        await scripted(script).postpone(item(), MOMENT)


async def test_a_time_without_a_zone_is_refused_unsent(script: Any) -> None:
    with pytest.raises(InvalidError, match="no time zone"):
        await scripted(script).postpone(item(), datetime(2040, 1, 1))  # noqa: DTZ001 - on purpose
    assert script.requests == []


@pytest.mark.parametrize("when", list(When))
async def test_a_postponement_whose_answer_is_lost_is_repeated(sandbox: Sandbox, erp: Adapter, when: When) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    sandbox.faults.add(Fault(FaultKind.CUT, match="PUT *", when=when))

    await erp.queues.postpone(added, MOMENT)

    assert (await erp.queues.get_item("Invoices", added.id)).not_before == MOMENT


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS])
async def test_a_removal_whose_answer_is_lost_is_done_all_the_same(
    sandbox: Sandbox, erp: Adapter, kind: FaultKind, when: When
) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    sandbox.faults.add(Fault(kind, match=REMOVE, when=when))

    await erp.queues.remove(added)

    assert [row["Status"] for row in rows(sandbox)] == ["Deleted"]


async def test_an_item_is_removed_once(erp: Adapter, requests: Requests) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    for _ in range(2):
        await erp.queues.remove(added)

    assert len(requests(REMOVE)) == 1


async def test_an_item_that_is_taken_while_it_is_removed_stays_with_its_worker(script: Any) -> None:
    script.answer(WIRE_ITEM)
    script.answer({"Success": False, "FailedItems": [9]})
    script.answer(WIRE_ITEM | {"Status": "InProgress"})

    with pytest.raises(ConflictError, match="item 9 is InProgress; somebody changed it meanwhile"):
        await scripted(script).remove(item())
    assert script.requests[1].json == {"queueItems": [{"Id": 9, "RowVersion": WIRE_ITEM["RowVersion"]}]}


@pytest.mark.parametrize("answer", [{"Success": False}, {"Success": None}, {"Success": True, "FailedItems": [9]}])
async def test_a_removal_that_is_not_wholly_confirmed_is_not_believed(script: Any, answer: Any) -> None:
    script.answer(WIRE_ITEM)
    script.answer(answer)
    script.answer(WIRE_ITEM)

    with pytest.raises(ConflictError, match="it was not removed"):
        await scripted(script).remove(item())


async def test_a_removal_that_fails_for_good_may_be_asked_for_again(sandbox: Sandbox, erp: Adapter) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    sandbox.faults.add(Fault(FaultKind.CUT, match=REMOVE, when=When.AFTER, times=5))
    with pytest.raises(UnavailableError):
        await erp.queues.remove(added)

    await erp.queues.remove(added)


@pytest.mark.parametrize("ends_status", [False, True])
async def test_an_item_is_tried_again_once(
    sandbox: Sandbox, erp: Adapter, requests: Requests, ends_status: bool
) -> None:
    sandbox.world.switches["uipath.manual_retry_ends_status"] = ends_status
    one = await failed(erp)

    again = await erp.queues.retry(one)

    assert (again.retry_of, again.attempt, again.reference, again.state) == (one.id, 2, "R-1", ItemState.NEW)
    with pytest.raises(ConflictError, match="tried again"):
        await erp.queues.retry(one)
    assert len(requests(RETRY)) == 1
    assert len(rows(sandbox)) == 2


@pytest.mark.parametrize("kind", LOST)
async def test_a_retry_whose_answer_is_lost_is_found_and_not_repeated(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind
) -> None:
    one = await failed(erp)
    sandbox.faults.add(Fault(kind, match=RETRY, when=When.AFTER))

    assert (await erp.queues.retry(one)).retry_of == one.id
    assert len(requests(RETRY)) == 1
    assert len(rows(sandbox)) == 2


async def test_a_retry_that_never_arrived_is_not_claimed_and_not_repeated(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    one = await failed(erp)
    sandbox.faults.add(Fault(FaultKind.CUT, match=RETRY))

    with pytest.raises(OutcomeUnknownError, match=f"the new attempt at item {one.id} was not found"):
        await erp.queues.retry(one)
    assert len(requests(RETRY)) == 1
    assert len(rows(sandbox)) == 1


@pytest.mark.parametrize("status", [400, 404, 503])
async def test_a_retry_that_was_made_is_no_failure_because_the_look_at_it_fails(
    sandbox: Sandbox, erp: Adapter, requests: Requests, status: int
) -> None:
    one = await failed(erp)
    sandbox.faults.add(Fault(FaultKind.STATUS, match=LIST, status=status, times=6))

    assert (await erp.queues.retry(one)).retry_of == one.id
    assert len(requests(RETRY)) == 1


async def test_a_lapsed_item_is_tried_again(sandbox: Sandbox, clock: ManualClock, erp: Adapter) -> None:
    one = await taken(erp)
    for each in (sandbox.world.clock, clock):
        each.advance(25 * 3600)

    assert (await erp.queues.retry(one)).retry_of == one.id


async def test_what_did_not_fail_is_not_tried_again(erp: Adapter, requests: Requests) -> None:
    one = await taken(erp)
    await erp.queues.complete(one)

    with pytest.raises(ConflictError, match=f"item {one.id} is Successful; only a failed or lapsed one"):
        await erp.queues.retry(one)
    assert requests(RETRY) == []


async def test_an_item_that_changed_since_it_was_seen_is_not_tried_again(script: Any) -> None:
    script.answer(WIRE_ITEM | {"Status": "Failed"})
    script.answer({"Success": False, "FailedItems": [9]})

    with pytest.raises(ConflictError, match="the platform does not try it again"):
        await scripted(script).retry(item())


async def test_progress_is_noted_though_the_first_answer_is_lost(sandbox: Sandbox, erp: Adapter) -> None:
    one = await taken(erp)
    sandbox.faults.add(Fault(FaultKind.CUT, match="POST *SetTransactionProgress", when=When.AFTER))

    await erp.queues.progress(one, "half way ☃")

    assert rows(sandbox)[0]["Progress"] == "half way ☃"


async def test_progress_of_an_item_that_nobody_works_on_is_a_conflict(erp: Adapter) -> None:
    one = await taken(erp)
    await erp.queues.complete(one)

    with pytest.raises(ConflictError):
        await erp.queues.progress(one, "half way")


async def test_what_is_too_long_for_uipath_is_refused_unsent(script: Any) -> None:
    queues = scripted(script)
    for call, most in (
        (queues.progress(item(), "x" * 104_858), 104_857),
        (queues.fail(item(), Failure(kind=FailureKind.BUSINESS, reason="x" * 102_401)), 102_400),
        (queues.fail(item(), Failure(kind=FailureKind.BUSINESS, reason="x", detail="x" * 102_401)), 102_400),
    ):
        with pytest.raises(InvalidError, match=f"at most {most} fit"):
            await call
    assert script.requests == []


async def test_what_is_just_long_enough_is_kept(sandbox: Sandbox, erp: Adapter) -> None:
    one = await taken(erp)
    await erp.queues.progress(one, "x" * 104_857)
    await erp.queues.fail(one, Failure(kind=FailureKind.BUSINESS, reason="r" * 102_400, detail="d" * 102_400))

    assert rows(sandbox)[0]["Status"] == "Failed"


@pytest.mark.parametrize("item_id", ["", "x", "-1", "9/..", "9" * 20])
async def test_what_is_no_items_id_is_not_found_unsent(script: Any, item_id: str) -> None:
    queues, one = scripted(script), item(id=item_id)
    for call in (queues.progress(one, "x"), queues.postpone(one, MOMENT), queues.remove(one), queues.retry(one)):
        with pytest.raises(NotFoundError, match="there is no item"):
            await call
    assert script.requests == []


@pytest.mark.parametrize(
    "text", [DATE_LIKE, "2026-11-20", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.100", " 2026-01-01T00:00:00+00:00"]
)
async def test_a_text_that_looks_like_a_date_comes_back_as_it_was(erp: Adapter, requests: Requests, text: str) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"at": text, "n": "007"}))

    assert added.values == {"at": text, "n": "007"}
    assert (await erp.queues.get_item("Invoices", added.id)).values == added.values
    content = json.loads(requests("POST *AddQueueItem")[0].body)["itemData"]["SpecificContent"]
    assert list(content) == ["at@odata.type", "at", "n"], "the note stands before its value, and other texts need none"
