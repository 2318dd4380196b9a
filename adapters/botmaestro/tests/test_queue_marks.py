"""Marks of the caller's own on BotMaestro: kept unseen, and found among all that is listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    AddResult,
    Failure,
    FailureKind,
    InvalidError,
    ItemDraft,
    NotFoundError,
    OutcomeUnknownError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_botmaestro.mapping import common

from .conftest import entries, scripted, wire_entry

Requests = Callable[[str], list[Exchange]]
PUSH = "POST */push"
VIEW = "GET */view[?]*"
MARKED = ItemDraft(values={"n": 1}, mark="m/1")


async def listed(maestro: Adapter, **wanted: Any) -> list[str]:
    """The ids of such items."""
    return [item.id async for item in maestro.queues.items("Invoices", **wanted)]


async def test_a_mark_is_kept_beside_the_values_and_never_among_them(
    maestro: Adapter, kept: Callable[[], Any], requests: Requests
) -> None:
    added = await maestro.queues.add("Invoices", MARKED)

    assert (added.mark, added.values) == ("m/1", {"n": 1})
    assert entries(kept())[added.id]["values"] == {"n": 1, common.KEY: "m/1"}
    taken = await maestro.queues.take("Invoices")
    assert taken is not None
    assert (taken.mark, taken.values) == ("m/1", {"n": 1})
    with pytest.raises(InvalidError, match=f"'{common.KEY}' is taken by the bridge"):
        await maestro.queues.add("Invoices", ItemDraft(values={common.KEY: "m/1"}, mark="m/1"))
    assert len(requests(PUSH)) == 1


async def test_marked_items_whose_answers_are_lost_are_found_and_not_pushed_again(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, times=4))
    results: list[AddResult] = []

    added = await maestro.queues.add("Invoices", MARKED)
    many = [ItemDraft(values={"n": n}, mark=f"m/1{n}") for n in range(9)]
    assert (await maestro.queues.add_many("Invoices", many, on_result=results.append)).added == 9

    stored = entries(kept())
    assert added.mark == "m/1"
    assert {one.position: stored[str(one.item_id)]["values"]["n"] for one in results} == {n: n for n in range(9)}
    assert len(requests(PUSH)) == len(stored) == 10


async def test_an_answer_is_not_told_by_a_mark_of_the_callers_which_may_stand_in_others_too(script: Any) -> None:
    script.answer(wire_entry("PENDING", values={common.KEY: "m1"}))
    script.answer(wire_entry("PENDING", values={common.KEY: "rb-id-1"}))
    await scripted(script).add("Invoices", ItemDraft(values={}, mark="m1"))
    await scripted(script).add("Invoices", ItemDraft(values={}, reference="R-1"))

    assert [one.mark for one in script.requests] == ["", "rb-id-1"]


async def test_a_marked_item_that_never_arrived_is_unknown_by_its_mark(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH))

    with pytest.raises(OutcomeUnknownError, match="an item with mark 'm/1' in queue 'Invoices' was not found"):
        await maestro.queues.add("Invoices", MARKED)


async def test_what_was_removed_is_not_taken_for_what_was_pushed_again_under_its_mark(
    sandbox: Sandbox, maestro: Adapter
) -> None:
    await maestro.queues.remove(await maestro.queues.add("Invoices", MARKED))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, times=2))

    with pytest.raises(OutcomeUnknownError):
        await maestro.queues.add("Invoices", MARKED)
    assert (await maestro.queues.add_many("Invoices", [MARKED])).unknown == 1


async def test_a_lost_item_is_found_by_whoever_comes_later_even_if_it_was_removed(script: Any) -> None:
    now = script.clock.now()
    left = Intent(
        op_id="op", connection="script", place="nowhere", operation="queues.add", subject="Invoices", key="m/1",
        what="an item", at=now, settles_at=now,
    )  # fmt: skip
    script.page(wire_entry("CANCELED", values={common.KEY: "m/1"}), last=True)

    assert await scripted(script).landed(left) == ("e-7",)


async def test_items_are_listed_by_what_their_marks_begin_with_and_retries_carry_them(maestro: Adapter) -> None:
    first = await maestro.queues.add("Invoices", MARKED)
    for mark in ("M/1", "m2", None):
        await maestro.queues.add("Invoices", ItemDraft(values={"n": 2}, mark=mark))
    taken = await maestro.queues.take("Invoices")
    assert taken is not None
    await maestro.queues.fail(taken, Failure(kind=FailureKind.APPLICATION, reason="printer on fire"))

    found = [item async for item in maestro.queues.items("Invoices", mark="m/")]
    assert [(one.mark, one.retry_of) for one in found] == [("m/1", None), ("m/1", first.id)]


async def test_items_after_one_are_those_that_are_listed_behind_it(maestro: Adapter, requests: Requests) -> None:
    ids = [(await maestro.queues.add("Invoices", ItemDraft(values={"n": n}))).id for n in range(4)]

    assert await listed(maestro, after=ids[1]) == ids[2:]
    assert await listed(maestro, after=ids[-1]) == []
    with pytest.raises(NotFoundError, match="there is no item 'e-none' in queue 'Invoices'; look for it with"):
        await listed(maestro, after="e-none")
    asked = len(requests(VIEW))
    with pytest.raises(NotFoundError):
        await listed(maestro, after=" ")
    assert len(requests(VIEW)) == asked
