"""Queues on UiPath: servers of every age, and answers that were lost."""

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
    Item,
    ItemDraft,
    ItemState,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.queues import UiPathQueues

ADD = "POST *AddQueueItem"
REPORT = "POST *SetTransactionResult"
TAKE = "POST *StartTransaction"
Requests = Callable[[str], list[Exchange]]
DRAFT = ItemDraft(values={"n": 1}, reference="R-1")
WIRE_ITEM = {"Id": 9, "Status": "New", "Reference": "R-1", "QueueDefinitionId": 3}
UNBOUND = {"message": "itemData must not be null", "errorCode": 0}
CLOSED = {"message": "The item is in a final state.", "errorCode": 1017}
BUSINESS = Failure(kind=FailureKind.BUSINESS, reason="no")


def scripted(script: Any) -> UiPathQueues:
    """The service on answers on order."""
    return UiPathQueues(script.client, script.clock, LIMITS)


def item(**members: Any) -> Item:
    """An item that was taken."""
    return Item(**{"id": "9", "queue": "Invoices", "state": ItemState.TAKEN, "native_state": "InProgress"} | members)


async def test_a_server_that_does_not_filter_queues_by_name_is_asked_for_all(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.world.switches["uipath.no_queue_name_filter"] = True

    assert (await erp.queues.get("letters")).name == "Letters"
    assert len(requests("GET */odata/QueueDefinitions*")) == 2
    with pytest.raises(NotFoundError, match="no queue 'Nothing' in this folder"):
        await erp.queues.get("Nothing")


async def test_an_older_server_takes_the_item_without_our_mark_and_is_not_asked_again(script: Any) -> None:
    queues = scripted(script)
    script.answer(UNBOUND, status=400)
    script.answer(WIRE_ITEM, status=201)
    script.answer(WIRE_ITEM | {"Id": 10}, status=201)

    assert ((await queues.add("Invoices", DRAFT)).id, (await queues.add("Invoices", DRAFT)).id) == ("9", "10")
    marked = ["ParentOperationId" in one.json["itemData"] for one in script.requests]
    assert marked == [True, False, False]


async def test_an_item_that_is_refused_without_the_mark_too_is_an_error_and_says_nothing_of_the_server(
    script: Any,
) -> None:
    queues = scripted(script)
    for _ in range(2):
        script.answer(UNBOUND, status=400)
    with pytest.raises(InvalidError, match="itemData must not be null"):
        await queues.add("Invoices", DRAFT)

    script.answer(WIRE_ITEM, status=201)
    await queues.add("Invoices", DRAFT)
    assert "ParentOperationId" in script.requests[-1].json["itemData"]


async def test_an_older_server_whose_answer_is_lost_leaves_the_outcome_unknown(script: Any) -> None:
    script.answer(UNBOUND, status=400)
    script.answer(status=502)

    with pytest.raises(OutcomeUnknownError, match="may be in queue 'Invoices'; look before you add it again") as caught:
        await scripted(script).add("Invoices", DRAFT)
    assert "give items a reference" not in str(caught.value), "it has one"


async def test_an_item_of_another_refusal_is_not_sent_a_second_time(script: Any) -> None:
    script.answer({"message": "Invalid argument.", "errorCode": 1009}, status=400)

    with pytest.raises(InvalidError):
        await scripted(script).add("Invoices", DRAFT)
    assert len(script.requests) == 1


async def test_an_answer_that_names_another_item_is_not_believed(script: Any) -> None:
    script.answer(WIRE_ITEM | {"Reference": "somebody-elses"}, status=201)
    script.page({"Id": 3, "Name": "Invoices"})
    script.page(WIRE_ITEM | {"ParentOperationId": "rb-other"}, WIRE_ITEM | {"Id": 11, "ParentOperationId": "rb-id-1"})

    assert (await scripted(script).add("Invoices", DRAFT)).id == "11"
    assert sum(one.path.endswith("AddQueueItem") for one in script.requests) == 1


async def test_a_second_item_with_a_unique_reference_is_a_conflict(erp: Adapter, requests: Requests) -> None:
    await erp.queues.add("Letters", DRAFT)

    with pytest.raises(ConflictError, match="Duplicate Reference") as caught:
        await erp.queues.add("Letters", DRAFT)
    assert not caught.value.maybe_applied
    assert sum(one.executed for one in requests(ADD)) == 1


async def test_a_unique_item_whose_answer_is_lost_is_found_and_no_conflict(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.TRUNCATE, match=ADD, when=When.AFTER))

    assert (await erp.queues.add("Letters", DRAFT)).reference == "R-1"
    assert len(requests(ADD)) == 1


@pytest.mark.parametrize("mark", [":", ".", ",", "@", '"', "#"])
async def test_a_value_name_that_uipath_cannot_hold_is_refused_unsent(
    sandbox: Sandbox, erp: Adapter, mark: str
) -> None:
    with pytest.raises(InvalidError, match="rename it"):
        await erp.queues.add("Invoices", ItemDraft(values={f"a{mark}b": 1}))
    assert sandbox.world.exchanges == []


async def test_an_empty_value_name_is_refused_unsent(sandbox: Sandbox, erp: Adapter) -> None:
    with pytest.raises(InvalidError, match="rename it"):
        await erp.queues.add("Invoices", ItemDraft(values={"": 1}))
    assert sandbox.world.exchanges == []


async def test_a_take_with_nothing_to_take_is_none(script: Any) -> None:
    script.answer(status=204)

    assert await scripted(script).take("Invoices") is None


@pytest.mark.parametrize("body", [None, [], {"Status": "InProgress"}])
async def test_a_take_whose_answer_cannot_be_read_is_never_an_empty_queue(script: Any, body: Any) -> None:
    script.answer(body)

    with pytest.raises(OutcomeUnknownError, match="without a worker"):
        await scripted(script).take("Invoices")
    assert len(script.requests) == 1


async def test_a_report_whose_answer_is_lost_is_repeated_and_its_refusal_is_success(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    taken = await erp.queues.take("Invoices")
    assert taken is not None
    sandbox.faults.add(Fault(FaultKind.CUT, match=REPORT, when=When.AFTER))

    await erp.queues.fail(taken, BUSINESS)

    assert [one.status for one in requests(REPORT)] == [None, 409]
    assert (await erp.queues.get_item("Invoices", taken.id)).failure == BUSINESS


async def test_an_application_failure_whose_answer_is_lost_is_retried_by_the_platform_once(
    sandbox: Sandbox, erp: Adapter
) -> None:
    await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    taken = await erp.queues.take("Invoices")
    assert taken is not None
    sandbox.faults.add(Fault(FaultKind.CUT, match=REPORT, when=When.AFTER))

    await erp.queues.fail(taken, Failure(kind=FailureKind.APPLICATION, reason="down"))

    states = [one.state async for one in erp.queues.items("Invoices")]
    assert states == [ItemState.RETRIED, ItemState.NEW]


@pytest.mark.parametrize("status", ["Failed", "Abandoned", "Retried", "New"])
async def test_a_repeated_report_that_finds_another_end_is_a_conflict(script: Any, status: str) -> None:
    script.answer(status=502)
    script.answer(CLOSED, status=409)
    script.answer(WIRE_ITEM | {"Status": status})

    with pytest.raises(ConflictError, match="final state"):
        await scripted(script).complete(item())


async def test_a_first_report_that_is_refused_is_a_conflict_at_once(script: Any) -> None:
    script.answer(CLOSED, status=409)

    with pytest.raises(ConflictError, match="final state"):
        await scripted(script).complete(item())
    assert len(script.requests) == 1


async def test_an_output_goes_with_the_completion_and_the_items_own_otherwise(script: Any) -> None:
    for _ in range(3):
        script.answer()
    queues = scripted(script)
    await queues.complete(item(output={"paid": "yes"}))
    await queues.complete(item(output={"paid": "yes"}), {"paid": "no"})
    await queues.complete(item(output={"paid": "yes"}), {})

    sent = [one.json["transactionResult"]["Output"] for one in script.requests]
    assert sent == [{"paid": "yes"}, {"paid": "no"}, {}]


async def test_an_output_that_is_too_large_is_refused_unsent(script: Any) -> None:
    with pytest.raises(InvalidError, match="at most 102400 fit"):
        await scripted(script).complete(item(), {"text": "x" * 102_400})
    assert script.requests == []


async def test_an_item_of_another_queue_is_not_found(erp: Adapter) -> None:
    added = await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))

    with pytest.raises(NotFoundError, match=f"there is no item '{added.id}' in queue 'Letters'"):
        await erp.queues.get_item("Letters", added.id)
    with pytest.raises(NotFoundError, match="no queue 'Nothing'"):
        await erp.queues.get_item("Nothing", added.id)
    assert (await erp.queues.get_item("invoices", added.id)).id == added.id


async def test_a_queue_is_looked_for_once_and_again_after_it_was_made_anew(script: Any) -> None:
    queues = scripted(script)
    script.answer(WIRE_ITEM)
    script.page({"Id": 3, "Name": "Invoices"})
    script.answer(WIRE_ITEM)
    script.answer(WIRE_ITEM | {"QueueDefinitionId": 4})
    script.page({"Id": 4, "Name": "Invoices"})

    for _ in range(3):
        assert (await queues.get_item("Invoices", "9")).id == "9"
    assert len(script.requests) == 5


async def test_another_item_than_the_one_asked_for_is_not_believed(script: Any) -> None:
    script.answer(WIRE_ITEM)

    with pytest.raises(ProtocolError, match="asked for item 8, got 9"):
        await scripted(script).get_item("Invoices", "8")


@pytest.mark.parametrize("item_id", ["", "x", "-1", "9/..", "9" * 20])
async def test_what_is_no_items_id_is_not_found_unsent(script: Any, item_id: str) -> None:
    queues = scripted(script)
    for call in (
        queues.get_item("Invoices", item_id),
        queues.complete(item(id=item_id)),
        queues.fail(item(id=item_id), BUSINESS),
    ):
        with pytest.raises(NotFoundError, match="there is no item"):
            await call
    assert script.requests == []


async def test_a_name_with_quotes_reaches_the_server_whole(erp: Adapter, requests: Requests) -> None:
    with pytest.raises(NotFoundError, match="O'Brien & Söhne"):
        await erp.queues.get("O'Brien & Söhne")
    assert requests("GET */odata/QueueDefinitions*")[0].path.endswith(
        "?$filter=Name%20eq%20%27O%27%27Brien%20%26%20S%C3%B6hne%27&$top=2"
    )


async def test_our_mark_travels_with_an_item_that_has_a_reference(erp: Adapter, requests: Requests) -> None:
    await erp.queues.add("Invoices", DRAFT)
    await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))

    sent = [json.loads(one.body)["itemData"] for one in requests(ADD)]
    assert sent[0]["ParentOperationId"].startswith("rb-")
    assert not {"ParentOperationId", "Reference"} & set(sent[1])
