"""Single entries: noted, removed, and looked for after a pull whose answer was lost."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
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
    UnsupportedError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge_botmaestro.queues import BotMaestroQueues
from rpa_bridge_botmaestro.queues.working import CLOCKS_DIFFER, MOST_NAMED

from .conftest import entries, scripted, wire_entry

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
PULL = "GET */pull"
VIEW = "GET */view[?]*"
SAVE = "POST */entry/*"
CANCEL = "PUT */cancel"
DELETE = "DELETE */entry/*"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS]
ITEM = Item(id="e-7", queue="Invoices", state=ItemState.NEW, native_state="PENDING")


async def added(maestro: Adapter, *numbers: int) -> list[Item]:
    return [await maestro.queues.add("Invoices", ItemDraft(values={"n": number})) for number in numbers]


async def taken(maestro: Adapter) -> Item:
    item = await maestro.queues.take("Invoices")
    assert item is not None
    return item


async def lost_take(maestro: Adapter) -> str:
    """What a take says whose answer was lost."""
    with pytest.raises(OutcomeUnknownError) as caught:
        await maestro.queues.take("Invoices")
    return str(caught.value)


@pytest.mark.parametrize("kind", LOST)
async def test_a_pull_whose_answer_is_lost_names_the_entry_and_takes_no_other(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], kind: FaultKind
) -> None:
    first, second = await added(maestro, 1, 2)
    sandbox.world.faults.add(Fault(kind, match=PULL, when=When.AFTER))

    said = await lost_take(maestro)

    assert first.id in said
    assert second.id not in said
    assert len(requests(PULL)) == 1
    assert [one["state"] for one in entries(kept()).values()] == ["PROCESSING", "PENDING"]
    assert (await taken(maestro)).id == second.id, "the lost one is a person's matter now"


@pytest.mark.parametrize("kind", LOST)
async def test_a_pull_that_never_arrived_names_nothing(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], kind: FaultKind
) -> None:
    [item] = await added(maestro, 1)
    sandbox.world.faults.add(Fault(kind, match=PULL))

    said = await lost_take(maestro)

    assert "none is to be seen yet; look for it in the datapool" in said
    assert item.id not in said
    assert len(requests(PULL)) == 1
    assert [one["state"] for one in entries(kept()).values()] == ["PENDING"]


async def test_entries_that_surely_have_a_worker_are_not_named(
    sandbox: Sandbox, clock: ManualClock, maestro: Adapter, open_maestro: Callable[..., Adapter], rewrite: Rewrite
) -> None:
    await added(maestro, *range(6))
    long_ago = await taken(open_maestro())
    for each in (sandbox.world.clock, clock):
        each.advance(CLOCKS_DIFFER.total_seconds() + 1)
    ours, saved, noted, others = (
        await taken(maestro),
        await taken(open_maestro()),
        await taken(open_maestro()),
        await taken(open_maestro()),
    )
    rewrite(lambda state: entries(state)[saved.id].update(task_id="123"))
    await open_maestro().queues.progress(noted, "half way")
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PULL, when=When.AFTER))

    said = await lost_take(maestro)

    [lost] = [one async for one in maestro.queues.items("Invoices") if one.values == {"n": 5}]
    assert lost.state is ItemState.TAKEN
    assert {item.id for item in (lost, others) if item.id in said} == {lost.id, others.id}
    assert not [item.id for item in (long_ago, ours, saved, noted) if item.id in said]
    assert "other workers may have them, so ask before you report one" in said


async def test_an_entry_stays_named_until_it_is_resolved(sandbox: Sandbox, maestro: Adapter) -> None:
    first, second = await added(maestro, 1, 2)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PULL, when=When.AFTER, times=2))
    await lost_take(maestro)

    said = await lost_take(maestro)
    assert first.id in said
    assert second.id in said

    for item in (first, second):
        await maestro.queues.fail(item, Failure(kind=FailureKind.BUSINESS, reason="an operator gave it up"))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PULL, when=When.AFTER))
    assert "none is to be seen yet" in await lost_take(maestro)


async def test_a_datapool_that_cannot_be_read_after_a_lost_pull_is_told_too(sandbox: Sandbox, maestro: Adapter) -> None:
    await added(maestro, 1)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PULL, when=When.AFTER))
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=VIEW, times=99))

    assert "PROCESSING without a worker, and the datapool cannot be read now; look for it" in await lost_take(maestro)


@pytest.mark.parametrize("nothing", [None, ""])
async def test_empty_texts_are_no_sign_of_a_worker(script: Any, nothing: str | None) -> None:
    script.answer({"no": "entry"})
    script.page(wire_entry("PROCESSING", taskId=nothing, message=nothing), last=True)

    with pytest.raises(OutcomeUnknownError, match="this connection was not given e-7; other workers may have them"):
        await scripted(script).take("Invoices")


async def test_of_many_entries_the_nearest_in_time_are_named(script: Any) -> None:
    now = script.clock.now()
    rows = [
        wire_entry("PROCESSING", id=f"e-{n:02}", dateProcessing=(now - timedelta(seconds=n)).isoformat())
        for n in reversed(range(MOST_NAMED + 3))
    ]
    script.answer({"no": "entry"})
    script.page(*rows, wire_entry("PROCESSING", id="undated"), last=True)

    with pytest.raises(OutcomeUnknownError) as caught:
        await scripted(script).take("Invoices")

    assert "e-00, undated, e-01, e-02, e-03, e-04, e-05, e-06, e-07, e-08 and 4 more;" in str(caught.value)


@pytest.mark.parametrize("state", ["PROCESSING", "TIMEOUT"])
async def test_a_note_changes_the_message_and_nothing_else(
    maestro: Adapter, rewrite: Rewrite, kept: Callable[[], Any], requests: Requests, state: str
) -> None:
    await added(maestro, 1)
    item = await taken(maestro)
    rewrite(lambda kept: entries(kept)[item.id].update(state=state, task_id="123", runner="r-9", values={"new": 1}))
    before = entries(kept())[item.id]

    await maestro.queues.progress(item, 'half "way" ☃')

    after = entries(kept())[item.id]
    assert after == before | {"message": 'half "way" ☃'}
    assert (await maestro.queues.get_item("Invoices", item.id)).progress == 'half "way" ☃'
    assert json.loads(requests(SAVE)[0].body)["state"] == state
    await maestro.queues.complete(item)


async def test_a_failures_reason_is_not_taken_for_progress(maestro: Adapter) -> None:
    await added(maestro, 1)
    item = await taken(maestro)
    await maestro.queues.progress(item, "half way")
    await maestro.queues.fail(item, Failure(kind=FailureKind.BUSINESS, reason="no such customer"))

    failed = await maestro.queues.get_item("Invoices", item.id)
    assert failed.failure is not None
    assert (failed.progress, failed.failure.reason) == (None, "no such customer")


@pytest.mark.parametrize("kind", LOST)
async def test_a_note_whose_answer_is_lost_is_looked_up_and_not_sent_again(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kind: FaultKind
) -> None:
    await added(maestro, 1)
    item = await taken(maestro)
    sandbox.world.faults.add(Fault(kind, match=SAVE, when=When.AFTER))
    await maestro.queues.progress(item, "half way")
    assert len(requests(SAVE)) == 1

    sandbox.world.faults.add(Fault(kind, match=SAVE))
    with pytest.raises(OutcomeUnknownError, match=rf"item {item.id} with this note was not found"):
        await maestro.queues.progress(item, "nearly there")
    assert len(requests(SAVE)) == 2


@pytest.mark.parametrize("state", ["PENDING", "DONE", "ERROR", "CANCELED"])
async def test_an_entry_that_is_not_taken_gets_no_note(script: Any, state: str) -> None:
    script.answer(wire_entry(state))

    with pytest.raises(ConflictError, match=rf"item e-7 is {state}, not taken"):
        await scripted(script).progress(ITEM, "half way")
    assert script.lines == ["GET /datapool/Invoices/entry/e-7"]


async def test_a_note_that_was_lost_while_somebody_reported_the_entry_is_a_conflict(script: Any) -> None:
    script.answer(wire_entry("PROCESSING"))
    script.answer(status=502)
    script.answer(wire_entry("DONE", message="half way"))

    with pytest.raises(ConflictError, match="item e-7 is DONE, not taken"):
        await scripted(script).progress(ITEM, "half way")


REPORTS: dict[str, tuple[Callable[[BotMaestroQueues], Awaitable[None]], str]] = {
    "progress": (lambda service: service.progress(ITEM, "half way"), "PROCESSING"),
    "complete": (lambda service: service.complete(ITEM), "DONE"),
    "fail": (lambda service: service.fail(ITEM, Failure(kind=FailureKind.BUSINESS, reason="no")), "ERROR"),
}


@pytest.mark.parametrize(("report", "state"), REPORTS.values(), ids=REPORTS)
async def test_a_save_that_is_answered_with_another_entry_is_looked_up(
    script: Any, report: Callable[[BotMaestroQueues], Awaitable[None]], state: str
) -> None:
    script.answer(wire_entry("PROCESSING"))
    script.answer(wire_entry(state, id="e-8"))
    script.answer(wire_entry(state, message="half way"))

    await report(scripted(script))
    assert [line.partition(" ")[0] for line in script.lines] == ["GET", "POST", "GET"]


async def test_a_removed_item_stays_listed_as_cancelled(
    maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    first, second = await added(maestro, 1, 2)

    await maestro.queues.remove(first)
    await maestro.queues.remove(first)

    assert (await maestro.queues.get_item("Invoices", first.id)).state is ItemState.CANCELLED
    assert entries(kept())[first.id]["message"] == "taken out of the queue by rpa-bridge"
    assert (len(requests(CANCEL)), len(requests(DELETE))) == (1, 0)
    assert (await taken(maestro)).id == second.id


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS])
async def test_a_removal_whose_answer_is_lost_happens_once(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kind: FaultKind, when: When
) -> None:
    [item] = await added(maestro, 1)
    sandbox.world.faults.add(Fault(kind, match=CANCEL, when=when))

    await maestro.queues.remove(item)

    assert (await maestro.queues.get_item("Invoices", item.id)).state is ItemState.CANCELLED
    assert sum(one.executed for one in requests(CANCEL)) == 1
    assert not requests(DELETE)


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_that_cannot_cancel_deletes_the_entry(
    sandbox: Sandbox, maestro: Adapter, kept: Callable[[], Any], requests: Requests, status: int
) -> None:
    first, second = await added(maestro, 1, 2)
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CANCEL, status=status, times=99))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=DELETE, when=When.AFTER))

    await maestro.queues.remove(first)

    assert set(entries(kept())) == {second.id}
    assert sum(one.executed for one in requests(DELETE)) == 1


async def test_a_server_that_can_neither_cancel_nor_delete_says_so(
    sandbox: Sandbox, maestro: Adapter, kept: Callable[[], Any]
) -> None:
    [item] = await added(maestro, 1)
    sandbox.world.switches["botmaestro.cancel_entries"] = False

    with pytest.raises(UnsupportedError, match=r"queues\.remove; this server is too old for it"):
        await maestro.queues.remove(item)
    assert [one["state"] for one in entries(kept()).values()] == ["PENDING"]


@pytest.mark.parametrize("end", ["taken", "done", "failed"])
async def test_only_a_new_item_can_be_removed(maestro: Adapter, requests: Requests, end: str) -> None:
    await added(maestro, 1)
    item = await taken(maestro)
    if end == "done":
        await maestro.queues.complete(item)
    elif end == "failed":
        await maestro.queues.fail(item, Failure(kind=FailureKind.BUSINESS, reason="no"))

    with pytest.raises(ConflictError, match="only a new one can be removed"):
        await maestro.queues.remove(item)
    assert not requests(CANCEL) + requests(DELETE)


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_an_item_that_is_taken_at_the_same_moment_is_not_removed(script: Any, status: int) -> None:
    script.answer(wire_entry("PENDING"))
    script.answer({"message": "no"}, status=status)
    script.answer(wire_entry("PROCESSING"))

    with pytest.raises(ConflictError, match="item e-7 is PROCESSING; only a new one can be removed"):
        await scripted(script).remove(ITEM)
    assert [line.partition(" ")[0] for line in script.lines] == ["GET", "PUT", "GET"]


async def test_a_removal_that_is_refused_for_another_reason_says_so(script: Any) -> None:
    script.answer(wire_entry("PENDING"))
    script.answer({"message": "message: too long"}, status=400)
    script.answer(wire_entry("PENDING"))

    with pytest.raises(InvalidError, match="too long"):
        await scripted(script).remove(ITEM)


async def test_an_unknown_item_cannot_be_removed(maestro: Adapter, requests: Requests) -> None:
    with pytest.raises(NotFoundError):
        await maestro.queues.remove(ITEM)
    assert not requests(CANCEL) + requests(DELETE)
