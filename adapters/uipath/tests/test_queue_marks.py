"""Marks of the caller's own on UiPath: never lost, never mistaken for another's, and what finds their items."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    AddResult,
    AddStatus,
    InvalidError,
    ItemDraft,
    NotFoundError,
    OutcomeUnknownError,
    UnsupportedError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.queues import UiPathQueues
from rpa_bridge_uipath.queues.marks import MOST_NAMED, Marks

ADD = "POST *AddQueueItem"
BULK = "POST *BulkAddQueueItems"
LIST = "GET */odata/QueueItems[?]*"
Requests = Callable[[str], list[Exchange]]
DEFINITION = {"Id": 3, "Name": "Invoices"}
UNBOUND = {"message": "itemData must not be null", "errorCode": 0}
MARKED = ItemDraft(values={"n": 1}, mark="m/1")
OURS = {"Id": 9, "Status": "New", "ParentOperationId": "m/1", "QueueDefinitionId": 3}


def marked(count: int, first: int = 0) -> list[ItemDraft]:
    """Items of one migration, whose marks are as long as marks can be."""
    return [ItemDraft(values={"n": n}, mark=f"{'m' * 58}/{n:05}") for n in range(first, first + count)]


def scripted(script: Any) -> UiPathQueues:
    """The service on answers on order."""
    return UiPathQueues(script.client, script.clock, LIMITS)


def rows(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The items that the sandbox holds now."""
    return [dict(row) for row in sandbox.faces["uipath"].dump()["items"]]


def intent(queues: UiPathQueues, operation: str, key: str, count: int = 1) -> Intent:
    """What a process that died has left."""
    now = queues.clock.now()
    return Intent(
        op_id="op", connection="script", place="nowhere", operation=operation, subject="Invoices", key=key,
        count=count, what="items", at=now, settles_at=now + timedelta(seconds=360),
    )  # fmt: skip


@pytest.mark.parametrize("reference", [None, "R-1"])
async def test_a_marked_item_whose_answer_is_lost_is_found_and_not_sent_again(
    sandbox: Sandbox, erp: Adapter, requests: Requests, reference: str | None
) -> None:
    await erp.queues.add("Invoices", ItemDraft(values={"n": 0}, reference=reference, mark="m/10"))
    sandbox.faults.add(Fault(FaultKind.CUT, match=ADD, when=When.AFTER))

    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}, reference=reference, mark="m/1"))

    assert (added.mark, added.values) == ("m/1", {"n": 1})
    assert len(requests(ADD)) == len(rows(sandbox)) == 2
    assert [row["ParentOperationId"] for row in rows(sandbox)] == ["m/10", "m/1"]


async def test_an_answer_with_another_mark_is_not_believed(script: Any) -> None:
    script.answer(OURS | {"Id": 8, "ParentOperationId": "m/10"}, status=201)
    script.page(DEFINITION)
    script.page(OURS)
    script.answer(OURS | {"SpecificContent": {"n": 1}})

    assert (await scripted(script).add("Invoices", MARKED)).id == "9"
    assert "ParentOperationId in ('m/1')" in script.requests[2].params["$filter"]
    assert sum(one.method == "POST" for one in script.requests) == 1


async def test_an_answer_is_not_told_by_a_mark_of_the_callers_which_may_stand_in_others_too(script: Any) -> None:
    script.answer(OURS | {"ParentOperationId": "m1"}, status=201)
    script.answer(OURS | {"Reference": "R-1"}, status=201)
    await scripted(script).add("Invoices", ItemDraft(values={}, mark="m1"))
    await scripted(script).add("Invoices", ItemDraft(values={}, reference="R-1"))

    assert [one.mark for one in script.requests] == ["", "rb-id-1"]


async def test_a_marked_item_that_never_arrived_is_unknown_by_its_mark(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=ADD))

    with pytest.raises(OutcomeUnknownError, match="an item with mark 'm/1' in queue 'Invoices' was not found"):
        await erp.queues.add("Invoices", MARKED)
    assert rows(sandbox) == []


async def test_marked_items_whose_answer_is_lost_are_looked_for_by_name_and_no_others_are_read(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    await erp.queues.add_many("Invoices", marked(200, first=500))
    sandbox.faults.add(Fault(FaultKind.CUT, match=BULK, when=When.AFTER))
    results: list[AddResult] = []

    summary = await erp.queues.add_many("Invoices", marked(100), on_result=results.append)

    assert summary.added == 100
    held = {str(row["Id"]): row["SpecificContent"]["n"] for row in rows(sandbox)}
    assert [held[str(one.item_id)] for one in results] == list(range(100))
    assert len(requests(LIST)) == 100 / MOST_NAMED
    assert max(len(one.path) for one in requests(LIST)) < 2000
    assert len(requests(BULK)) == 3


async def test_items_with_and_without_marks_of_their_own_do_not_go_together(erp: Adapter, requests: Requests) -> None:
    many = [*marked(2), ItemDraft(values={"n": 2}), ItemDraft(values={":": 1}), *marked(1, first=3)]

    summary = await erp.queues.add_many("Invoices", many)

    assert (summary.added, summary.refused) == (4, 1)
    sent = [[one["ParentOperationId"] for one in json.loads(bulk.body)["queueItems"]] for bulk in requests(BULK)]
    assert [len(one) for one in sent] == [2, 1, 1]
    assert sent[0] + sent[2] == [draft.mark for draft in (*marked(2), *marked(1, first=3))]
    assert sent[1][0].startswith("rb-")


async def test_what_was_removed_is_not_taken_for_what_was_sent_again_under_its_mark(
    sandbox: Sandbox, erp: Adapter
) -> None:
    await erp.queues.remove(await erp.queues.add("Invoices", MARKED))
    await erp.queues.remove(await erp.queues.add("Invoices", ItemDraft(values={}, reference="R-1", mark="m/2")))
    sandbox.faults.add(Fault(FaultKind.CUT, match=ADD, times=2))
    sandbox.faults.add(Fault(FaultKind.CUT, match=BULK))

    for draft in (MARKED, ItemDraft(values={}, reference="R-1", mark="m/2")):
        with pytest.raises(OutcomeUnknownError):
            await erp.queues.add("Invoices", draft)
    assert (await erp.queues.add_many("Invoices", [MARKED])).unknown == 1


async def test_an_older_server_is_never_given_a_marked_item_without_its_mark(script: Any) -> None:
    queues = scripted(script)
    script.answer(UNBOUND, status=400)
    with pytest.raises(UnsupportedError, match=r"does not take it \(.*must not be null.*\); leave the mark out"):
        await queues.add("Invoices", MARKED)

    script.page(DEFINITION)
    for _ in range(3):  # together, then each alone
        script.answer(UNBOUND, status=400)
    summary = await queues.add_many("Invoices", marked(2))
    assert (summary.refused, summary.unknown) == (2, 0)
    assert all("leave the mark out" in str(one.problem) for one in summary.problems)
    assert all("ParentOperationId" in json.dumps(one.json) for one in script.requests if one.method == "POST")


async def test_a_server_that_is_known_to_be_older_is_not_asked_again(script: Any) -> None:
    queues = scripted(script)
    script.answer(UNBOUND, status=400)
    script.answer(OURS | {"Reference": "R-1"}, status=201)
    await queues.add("Invoices", ItemDraft(values={"n": 1}, reference="R-1"))
    sent = len(script.requests)

    with pytest.raises(UnsupportedError, match="older than ParentOperationId; leave the mark out"):
        await queues.add("Invoices", MARKED)
    with pytest.raises(UnsupportedError):
        queues.check_item(MARKED)
    script.page(DEFINITION)
    results: list[AddResult] = []
    await queues.add_many("Invoices", [MARKED], on_result=results.append)
    assert [one.status for one in results] == [AddStatus.REFUSED]
    assert len(script.requests) == sent + 1, "the question for the queue"


async def test_items_are_listed_by_what_their_marks_begin_with_whoever_made_them(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    for mark in ("run-7/1", "RUN-7/1", "run-71", "run-7/2"):
        await erp.queues.add("Invoices", ItemDraft(values={"n": 1}, mark=mark))
    await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    await erp.queues.add("Letters", ItemDraft(values={"n": 1}, reference="R-1", mark="run-7/1"))
    state = sandbox.faces["uipath"].dump()
    state["items"][-2]["ParentOperationId"] = "{0f8fad5b-d9cd-469f-a165-70867728950e}"
    sandbox.faces["uipath"].load(state)

    assert [one.mark async for one in erp.queues.items("Invoices", mark="run-7/")] == ["run-7/1", "run-7/2"]
    assert "startswith%28ParentOperationId" in requests(LIST)[-1].path
    listed = [one.mark async for one in erp.queues.items("Invoices")]
    assert listed[-1] == "{0f8fad5b-d9cd-469f-a165-70867728950e}"


async def test_a_server_that_does_not_filter_by_marks_is_read_whole_from_where_it_stopped(script: Any) -> None:
    queues = scripted(script)
    full = [OURS | {"Id": number} for number in range(1, 101)]
    script.page(DEFINITION)
    script.page(*full)
    script.answer({"message": "Invalid OData query options.", "errorCode": 1000}, status=400)
    script.page(OURS | {"Id": 101, "ParentOperationId": "other"}, OURS | {"Id": 102}, OURS | {"Id": 103, "Status": "?"})

    found = [one.id async for one in queues.items("Invoices", mark="m/")]

    assert found == [str(number) for number in (*range(1, 101), 102, 103)]
    assert script.requests[-1].params["$filter"] == "QueueDefinitionId eq 3 and Id gt 100"


async def test_a_list_that_is_refused_for_another_reason_says_so(script: Any) -> None:
    script.page(DEFINITION)
    for _ in range(2):
        script.answer({"message": "Invalid OData query options.", "errorCode": 1000}, status=400)

    with pytest.raises(InvalidError, match="Invalid OData"):
        await anext(scripted(script).items("Invoices", mark="m/"))


async def test_items_after_one_are_asked_for_by_their_ids(script: Any) -> None:
    script.page(DEFINITION)
    script.page(OURS | {"Id": 12})

    assert [one.id async for one in scripted(script).items("Invoices", after="11")] == ["12"]
    assert script.requests[-1].params["$filter"] == "QueueDefinitionId eq 3 and Id gt 11"


@pytest.mark.parametrize("after", ["", "x", "-1", "1 or Id gt 0"])
async def test_what_is_no_items_id_is_refused_unsent(script: Any, after: str) -> None:
    with pytest.raises(NotFoundError, match="there is no item"):
        await anext(scripted(script).items("Invoices", after=after))
    assert script.requests == []


async def test_a_lost_marked_item_is_found_by_whoever_comes_later_even_if_it_was_removed(script: Any) -> None:
    queues = scripted(script)
    script.page(DEFINITION)
    script.page(OURS | {"Status": "Deleted"})
    assert await queues.added(intent(queues, "queues.add", "m/1 ")) == ("9",)

    script.page(DEFINITION)
    script.page(OURS | {"Id": 8, "ParentOperationId": "other"}, OURS | {"Status": "Deleted"})
    assert await queues.added(intent(queues, "queues.add", "m/1 R-1")) == ("9",)
    assert "Reference eq 'R-1'" in script.requests[-1].params["$filter"]


def test_marks_come_back_from_the_outbox_as_they_were() -> None:
    for marks in (Marks.of("rb-1/", 3), Marks.given(["a/"]), Marks.given(["m/1", "m/2", "rb-x/"])):
        assert Marks.of_key(marks.key, len(marks.ordinals)) == marks
