"""Many items at once on UiPath: each is accounted for, nothing is added twice, and nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    AddResult,
    AddStatus,
    DeniedError,
    InvalidError,
    ItemDraft,
    NotFoundError,
    UnavailableError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.queues import UiPathQueues
from rpa_bridge_uipath.queues.entries import MOST_BYTES
from rpa_bridge_uipath.queues.marks import CLOCKS_DIFFER

BULK = "POST *BulkAddQueueItems"
LIST = "GET */odata/QueueItems[?]*"
Requests = Callable[[str], list[Exchange]]
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS, FaultKind.HTML]
ADDED, REFUSED, UNKNOWN = AddStatus.ADDED, AddStatus.REFUSED, AddStatus.UNKNOWN
DEFINITION = {"Id": 3, "Name": "Invoices"}
UNBOUND = {"message": "queueItems must not be null", "errorCode": 0}
ALL_ADDED = {"Success": True, "FailedItems": []}


def drafts(*numbers: int) -> list[ItemDraft]:
    """Items without a reference."""
    return [ItemDraft(values={"n": number}) for number in numbers]


def numbers(sandbox: Sandbox) -> list[int]:
    """What the sandbox holds, in the order in which it came."""
    return [row["SpecificContent"]["n"] for row in sandbox.faces["uipath"].dump()["items"]]


def failing(*rows: tuple[int | None, str]) -> dict[str, Any]:
    """The answer to a bulk of which these items failed."""
    failed = [{"Ordinal": ordinal, "ErrorCode": code, "ErrorMessage": f"it is {code}"} for ordinal, code in rows]
    return {"Success": False, "Message": "no", "FailedItems": failed}


def scripted(script: Any) -> UiPathQueues:
    """The service on answers on order; the queue is the first thing that it asks for."""
    script.page(DEFINITION)
    return UiPathQueues(script.client, script.clock, LIMITS)


def answered(sandbox: Sandbox, body: Any, when: When, times: int = 1) -> None:
    """Bulks get this answer, after or instead of being carried out."""
    headers = {"Content-Type": "application/json"}
    sandbox.faults.add(
        Fault(FaultKind.STATUS, match=BULK, when=when, times=times, status=200, headers=headers, body=json.dumps(body))
    )


async def test_many_items_go_by_the_hundred_and_in_order(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    results: list[AddResult] = []

    summary = await erp.queues.add_many("Invoices", drafts(*range(250)), on_result=results.append)

    assert (summary.added, summary.refused, summary.unknown, summary.problems) == (250, 0, 0, ())
    assert [one.position for one in results] == numbers(sandbox) == list(range(250))
    assert len(requests(BULK)) == 3
    assert requests(LIST) == [], "nothing was in doubt"


async def test_large_items_go_in_requests_of_a_few_megabytes(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    large = [ItemDraft(values={"n": number, "text": "x" * 500_000}) for number in range(12)]

    assert (await erp.queues.add_many("Invoices", large)).added == 12
    sizes = [int(one.headers["content-length"]) for one in requests(BULK)]
    assert len(sizes) == 2
    assert max(sizes) < MOST_BYTES + 100_000
    assert numbers(sandbox) == list(range(12))


@pytest.mark.parametrize("kind", LOST)
async def test_a_bulk_whose_answer_is_lost_is_found_item_by_item_and_not_sent_again(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind
) -> None:
    sandbox.faults.add(Fault(kind, match=BULK, when=When.AFTER, skip=1))
    results: list[AddResult] = []

    assert (await erp.queues.add_many("Invoices", drafts(*range(250)), on_result=results.append)).added == 250

    assert numbers(sandbox) == list(range(250))
    assert len(requests(BULK)) == 3
    held = {str(row["Id"]): row["SpecificContent"]["n"] for row in sandbox.faces["uipath"].dump()["items"]}
    assert [held[one.item_id] for one in results[100:200] if one.item_id] == list(range(100, 200))


@pytest.mark.parametrize("kind", LOST)
async def test_a_bulk_that_never_arrived_is_unknown_and_not_sent_again(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind
) -> None:
    sandbox.faults.add(Fault(kind, match=BULK, skip=1))

    summary = await erp.queues.add_many("Invoices", drafts(*range(250)))

    assert (summary.added, summary.refused, summary.unknown) == (150, 0, 100)
    assert [one.position for one in summary.problems] == list(range(100, 200))
    assert "was not found within 120 seconds; look for it in queue 'Invoices' before" in str(
        summary.problems[0].problem
    )
    assert numbers(sandbox) == [*range(100), *range(200, 250)]
    assert len(requests(BULK)) == 3
    assert len(requests(LIST)) <= 8


ODD_ANSWERS: dict[str, Any] = {
    "no answer": None,
    "another shape": [],
    "failure without rows": {"Success": False, "FailedItems": []},
    "neither success nor failure": {"Message": "?"},
    "success with a failed row": {"Success": True, "FailedItems": failing((1, "InvalidRequest"))["FailedItems"]},
    "no ordinal": failing((None, "MultipleErrors")),
    "ordinal 0": failing((0, "InvalidRequest")),
    "ordinal beyond the bulk": failing((4, "InvalidRequest")),
    "one ordinal twice": failing((2, "InvalidRequest"), (2, "InvalidArgument")),
    "one of two without an ordinal": failing((1, "InvalidRequest"), (None, "Unknown")),
}


@pytest.mark.parametrize("body", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_an_answer_that_does_not_tell_of_each_item_is_never_taken_for_the_truth(
    sandbox: Sandbox, erp: Adapter, requests: Requests, body: Any
) -> None:
    answered(sandbox, body, When.AFTER)
    assert (await erp.queues.add_many("Invoices", drafts(0, 1, 2))).added == 3

    answered(sandbox, body, When.BEFORE)
    summary = await erp.queues.add_many("Invoices", drafts(3, 4, 5))
    assert (summary.added, summary.refused, summary.unknown) == (0, 0, 3)
    assert numbers(sandbox) == [0, 1, 2]
    assert len(requests(BULK)) == 2


async def test_items_that_were_refused_without_their_ordinals_are_told_by_who_is_there(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.world.switches["uipath.bulk_ordinals"] = False
    many = [ItemDraft(values={"n": n}, reference=name) for n, name in enumerate(("a", "b", "a", "c", "B"))]
    results: list[AddResult] = []

    summary = await erp.queues.add_many("Letters", many, on_result=results.append)

    assert [one.status for one in results] == [ADDED, ADDED, REFUSED, ADDED, REFUSED]
    assert [one.duplicate for one in results] == [False, False, True, False, True]
    assert "Duplicate Reference" in str(summary.problems[0].problem)
    assert numbers(sandbox) == [0, 1, 3]
    assert len(requests(LIST)) == 1, "the first look settles it"


async def test_a_reference_that_is_taken_is_refused_with_the_platforms_reason(sandbox: Sandbox, erp: Adapter) -> None:
    await erp.queues.add("Letters", ItemDraft(values={"n": 0}, reference="a"))
    many = [ItemDraft(values={"n": n}, reference=name) for n, name in enumerate(("b", "a", "c"), 1)]

    summary = await erp.queues.add_many("Letters", [*many, ItemDraft(values={"n": 4})])

    assert [(one.position, one.reference, one.status) for one in summary.problems] == [
        (1, "a", REFUSED),
        (3, None, REFUSED),
    ]
    assert [one.duplicate for one in summary.problems] == [True, False]
    assert "Duplicate Reference. (DuplicateReference)" in str(summary.problems[0].problem)
    assert "TransactionReferenceRequired" in str(summary.problems[1].problem)
    assert numbers(sandbox) == [0, 1, 3]


async def test_a_retry_that_carries_the_mark_of_its_first_attempt_is_not_taken_for_it(script: Any) -> None:
    queues = scripted(script)
    script.answer(status=502)
    script.page({"Id": 9, "ParentOperationId": "rb-id-1/1"}, {"Id": 12, "ParentOperationId": "rb-id-1/1"})
    results: list[AddResult] = []

    await queues.add_many("Invoices", drafts(0), on_result=results.append)

    assert [one.item_id for one in results] == ["9"]


async def test_somebody_elses_items_are_not_taken_for_ours(script: Any) -> None:
    queues = scripted(script)
    script.answer(status=502)
    for _ in range(7):
        script.page(
            {"Id": 9, "ParentOperationId": "rb-id-1/2"}, {"Id": 10}, {"Id": 11, "ParentOperationId": "RB-ID-1/1"}
        )

    assert (await queues.add_many("Invoices", drafts(0))).unknown == 1


async def test_a_server_that_does_not_filter_by_our_mark_is_asked_for_what_is_new(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=BULK, when=When.AFTER))
    sandbox.faults.add(Fault(FaultKind.STATUS, match="GET *startswith*", status=400, times=99))

    assert (await erp.queues.add_many("Invoices", drafts(*range(100)))).added == 100
    assert "CreationTime%20ge%20" in requests(LIST)[-1].path


async def test_a_look_up_reads_no_more_than_ids_marks_and_states(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=BULK, when=When.AFTER))

    await erp.queues.add_many("Invoices", drafts(0))
    assert requests(LIST)[0].path.endswith("$select=Id%2CParentOperationId%2CStatus")


async def test_what_a_filter_by_marks_does_not_find_is_looked_for_by_time_before_it_is_called_absent(
    script: Any,
) -> None:
    queues, now = scripted(script), script.clock.now()
    left = Intent(
        op_id="op", connection="script", place="nowhere", operation="queues.add_many", subject="Invoices",
        key="rb-id-1/", count=2, what="2 items", at=now, settles_at=now + timedelta(seconds=360),
    )  # fmt: skip
    script.page({"Id": 9, "ParentOperationId": "rb-id-1/2"})
    script.page({"Id": 7, "ParentOperationId": "rb-id-1/1"}, {"Id": 9, "ParentOperationId": "rb-id-1/2"})

    assert await queues.landed(left) == ("7", "9")
    by_time = script.requests[-1].params["$filter"]
    earliest, latest = (odata.literal(moment) for moment in (now - CLOCKS_DIFFER, left.settles_at + CLOCKS_DIFFER))
    assert by_time == f"QueueDefinitionId eq 3 and CreationTime ge {earliest} and CreationTime le {latest}"

    script.page(DEFINITION)
    script.page({"Id": 7, "ParentOperationId": "rb-id-1/1"}, {"Id": 9, "ParentOperationId": "rb-id-1/2"})
    assert await queues.landed(left) == ("7", "9"), "all are there: no second look"


async def test_an_older_server_takes_items_without_our_marks_and_is_not_asked_again(script: Any) -> None:
    queues = scripted(script)
    script.answer(UNBOUND, status=400)
    script.answer(ALL_ADDED)
    script.answer(ALL_ADDED)

    assert (await queues.add_many("Invoices", drafts(*range(101)))).added == 101
    marked = ["ParentOperationId" in one.json["queueItems"][0] for one in script.requests[1:]]
    assert marked == [True, False, False]


async def test_an_older_server_whose_answer_is_lost_leaves_the_items_unknown(script: Any) -> None:
    queues = scripted(script)
    script.answer(UNBOUND, status=400)
    script.answer(status=502)

    summary = await queues.add_many("Invoices", drafts(0, 1))
    assert summary.unknown == 2
    assert "does not let us look for the item" in str(summary.problems[0].problem)


async def test_a_bulk_that_is_refused_as_a_whole_is_sent_in_smaller_parts_until_the_item_at_fault_stands_alone(
    script: Any,
) -> None:
    queues = scripted(script)
    poison = {"message": "Invalid argument 'n'.", "errorCode": 1009}
    for status, body in ((400, poison), (200, ALL_ADDED), (400, poison), (400, poison), (200, ALL_ADDED)):
        script.answer(body, status=status)
    results: list[AddResult] = []

    summary = await queues.add_many("Invoices", drafts(0, 1, 2, 3), on_result=results.append)

    sent = [[one["SpecificContent"]["n"] for one in request.json["queueItems"]] for request in script.requests[1:]]
    assert sent == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]
    assert [one.status for one in results] == [ADDED, ADDED, REFUSED, ADDED]
    assert "Invalid argument 'n'" in str(summary.problems[0].problem)


async def test_drafts_that_uipath_cannot_hold_are_refused_each_and_not_sent(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    long = ItemDraft(values={}, reference="r" * 129)
    many = [
        ItemDraft(values={"a:b": 1}), *drafts(1), ItemDraft(values={"x": "x" * 512_000}), long,
        *drafts(4), ItemDraft(values={"list": [1]}), ItemDraft(values={}, reference=" "),
    ]  # fmt: skip
    results: list[AddResult] = []

    summary = await erp.queues.add_many("Invoices", many, on_result=results.append)

    assert [one.position for one in results] == list(range(7))
    assert [one.status for one in results] == [REFUSED, ADDED, REFUSED, REFUSED, ADDED, REFUSED, REFUSED]
    for one, words in zip(
        summary.problems, ("rename it", "512000 fit", "at most 128 fit", "list", "empty"), strict=True
    ):
        assert words in str(one.problem)
    assert numbers(sandbox) == [1, 4]
    assert len(requests(BULK)) == 1


async def test_only_bad_drafts_send_nothing_but_the_question_for_the_queue(sandbox: Sandbox, erp: Adapter) -> None:
    assert (await erp.queues.add_many("Invoices", [ItemDraft(values={"": 1})] * 120)).refused == 120
    assert [one.method for one in sandbox.world.exchanges] == ["POST", "GET"], "the log-in, and the queue"


async def test_drafts_that_break_off_leave_what_was_sent_reported(sandbox: Sandbox, erp: Adapter) -> None:
    def broken() -> Iterator[ItemDraft]:
        yield from drafts(*range(150))
        raise OSError("the file is gone")

    results: list[AddResult] = []
    with pytest.raises(OSError, match="the file is gone"):
        await erp.queues.add_many("Invoices", broken(), on_result=results.append)
    assert [one.position for one in results] == numbers(sandbox) == list(range(100))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(FaultKind.STATUS, match=BULK, skip=1, status=403), DeniedError),
        (Fault(FaultKind.STATUS, match=BULK, skip=1, status=404), NotFoundError),
    ],
    ids=["denied", "gone"],
)
async def test_an_error_that_no_item_is_to_blame_for_is_raised_after_what_was_sent_is_reported(
    sandbox: Sandbox, erp: Adapter, requests: Requests, fault: Fault, error: type[Exception]
) -> None:
    sandbox.faults.add(fault)
    results: list[AddResult] = []

    with pytest.raises(error):
        await erp.queues.add_many("Invoices", drafts(*range(300)), on_result=results.append)
    assert [one.position for one in results] == numbers(sandbox) == list(range(100))
    assert len(requests(BULK)) == 2


async def test_items_of_a_queue_that_is_not_there_are_not_even_read(erp: Adapter) -> None:
    left = iter(drafts(0, 1))

    with pytest.raises(NotFoundError, match="no queue 'Nothing'"):
        await erp.queues.add_many("Nothing", left)
    with pytest.raises(InvalidError, match="name is empty"):
        await erp.queues.add_many(" ", left)
    assert len(list(left)) == 2


async def test_a_platform_that_is_not_there_is_an_error_and_no_result(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match="GET *QueueDefinitions*", times=99))

    with pytest.raises(UnavailableError):
        await erp.queues.add_many("Invoices", drafts(0))
    assert numbers(sandbox) == []


async def test_drafts_are_read_no_further_than_a_bulk_ahead(erp: Adapter) -> None:
    read, reported, ahead = 0, 0, 0

    def note(_: AddResult) -> None:
        nonlocal reported
        reported += 1

    async def stream(many: Iterable[int]) -> AsyncIterator[ItemDraft]:
        nonlocal read, ahead
        for number in many:
            read += 1
            ahead = max(ahead, read - reported)
            yield ItemDraft(values={"n": number})

    await erp.queues.add_many("Invoices", stream(range(1000)), on_result=note)
    assert (read, reported, ahead) == (1000, 1000, 100)


async def test_values_of_a_bulk_come_back_as_they_were(erp: Adapter) -> None:
    values = {"at": "2026-11-20T10:00:00.5000000+02:00", "digits": "007", "half": 0.5, "yes": True, "nothing": None}
    await erp.queues.add_many("Invoices", [ItemDraft(values=values, reference="it's ☃")])

    [found] = [one async for one in erp.queues.items("Invoices")]
    assert (found.values, found.reference) == (values, "it's ☃")
