"""Many items at once: each is accounted for, none is pushed twice, and not too many are under way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    AddResult,
    AddStatus,
    DeniedError,
    ItemDraft,
    NotFoundError,
    OutcomeUnknownError,
    UnavailableError,
)
from rpa_bridge.contract.features import Limits
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.base import Request, Response
from rpa_bridge_botmaestro.mapping import common, queues
from rpa_bridge_botmaestro.queues import BotMaestroQueues, pushes
from rpa_bridge_botmaestro.queues.pushes import MOST_AT_ONCE, MOST_LOST

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]
AtThe = Callable[[int, str], Awaitable[None]]
PUSH = "POST */push"
VIEW = "GET */view[?]*"
LOST = [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.HTML, FaultKind.STATUS]
ADDED, REFUSED, UNKNOWN = AddStatus.ADDED, AddStatus.REFUSED, AddStatus.UNKNOWN


def drafts(count: int) -> list[ItemDraft]:
    """Items, every other one with a reference that all of these share."""
    return [ItemDraft(values={"n": n}, reference="it's ☃" if n % 2 else None) for n in range(count)]


def held(state: Any) -> dict[str, int]:
    """The number in each entry that the sandbox holds, by the entry's id."""
    return {one["id"]: one["values"]["n"] for one in state["pools"]["Invoices"]["entries"].values()}


def by_position(results: list[AddResult]) -> dict[int, AddResult]:
    """The results; each position may only be there once."""
    assert max(Counter(one.position for one in results).values(), default=1) == 1
    return {one.position: one for one in results}


@pytest.fixture
def at_the(sandbox: Sandbox, requests: Requests, monkeypatch: pytest.MonkeyPatch) -> AtThe:
    """Waits until so many requests of a kind have reached the sandbox."""
    note, came = sandbox.world.note, asyncio.Event()

    def noted(exchange: Exchange) -> None:
        note(exchange)
        came.set()

    monkeypatch.setattr(sandbox.world, "note", noted)

    async def wait(count: int, pattern: str) -> None:
        while len(requests(pattern)) < count:
            await came.wait()
            came.clear()

    return wait


async def test_many_items_are_pushed_once_each_and_reported_with_their_ids(
    maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    results: list[AddResult] = []

    summary = await maestro.queues.add_many("Invoices", drafts(60), on_result=results.append)

    assert (summary.added, summary.refused, summary.unknown, summary.problems) == (60, 0, 0, ())
    told = by_position(results)
    assert {position: held(kept())[str(one.item_id)] for position, one in told.items()} == {n: n for n in range(60)}
    assert [told[n].reference for n in range(2)] == [None, "it's ☃"]
    assert (len(requests(PUSH)), len(requests(VIEW))) == (60, 0)
    items = [one async for one in maestro.queues.items("Invoices")]
    assert all(set(one.values) == {"n"} for one in items), "our marks do not show"
    marks = [json.loads(one.body)["values"][common.KEY] for one in requests(PUSH)]
    assert len(set(marks)) == 60


@pytest.mark.parametrize("kind", LOST)
async def test_items_whose_answers_are_lost_are_found_in_one_pass_and_not_pushed_again(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=PUSH, when=When.AFTER, skip=3, times=7))
    results: list[AddResult] = []

    assert (await maestro.queues.add_many("Invoices", drafts(40), on_result=results.append)).added == 40

    told = by_position(results)
    assert {n: held(kept())[str(told[n].item_id)] for n in told} == {n: n for n in range(40)}
    assert (len(requests(PUSH)), len(requests(VIEW))) == (40, 1)


@pytest.mark.parametrize("kind", LOST)
async def test_items_that_never_arrived_are_unknown_and_not_pushed_again(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=PUSH, skip=3, times=2))
    sandbox.world.faults.add(Fault(kind, match=PUSH, when=When.AFTER, skip=9, times=2))
    results: list[AddResult] = []

    summary = await maestro.queues.add_many("Invoices", drafts(30), on_result=results.append)

    assert (summary.added, summary.refused, summary.unknown) == (28, 0, 2)
    there = set(held(kept()).values())
    assert {one.position for one in summary.problems} == set(range(30)) - there
    assert "was not found within 120 seconds; look for it in queue 'Invoices' before" in str(
        summary.problems[0].problem
    )
    assert len(by_position(results)) == len(requests(PUSH)) == 30
    assert len(requests(VIEW)) <= 8


async def test_each_item_triggers_one_task_although_answers_are_lost(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite, kept: Callable[[], Any]
) -> None:
    rewrite(lambda state: state["pools"]["Invoices"].update(trigger="ALWAYS"))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, skip=2, times=5))
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=PUSH, when=When.BEFORE, times=3, status=429))

    assert (await maestro.queues.add_many("Invoices", drafts(20))).added == 20
    assert sorted(held(kept()).values()) == list(range(20))
    assert len(kept()["tasks"]) == 20


@pytest.fixture
def never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No circuit breaker: it would end such a day sooner, and not by the guard under test."""
    monkeypatch.setattr("rpa_bridge.transport.breaker.LEAST_RESULTS", 10_000)


@pytest.mark.usefixtures("never_broken")
async def test_more_lost_answers_than_are_kept_are_settled_on_the_way(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    count = 3 * MOST_LOST
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, times=count))

    assert (await maestro.queues.add_many("Invoices", drafts(count))).added == count
    assert sorted(held(kept()).values()) == list(range(count))
    assert len(requests(VIEW)) <= 6


async def test_a_platform_that_fails_most_of_the_time_is_left_alone_and_all_that_was_sent_is_told(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, times=999))
    results: list[AddResult] = []

    with pytest.raises(UnavailableError, match="most attempts failed lately"):
        await maestro.queues.add_many("Invoices", drafts(500), on_result=results.append)

    sent = len(requests(PUSH))
    assert sent < MOST_LOST + MOST_AT_ONCE
    assert [one.status for one in results].count(ADDED) == len(held(kept())) == sent
    assert {one.status for one in results} == {ADDED, REFUSED}


@pytest.mark.usefixtures("never_broken")
@pytest.mark.parametrize("deaf", [False, True], ids=["it can be read", "it cannot be read"])
async def test_a_platform_that_takes_nothing_is_not_pushed_at_for_ever(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], deaf: bool
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=PUSH, times=999))
    if deaf:
        sandbox.world.faults.add(Fault(FaultKind.STATUS, match=VIEW, times=999))
    results: list[AddResult] = []

    with pytest.raises(OutcomeUnknownError, match="items in queue 'Invoices' was not found within 120 seconds"):
        await maestro.queues.add_many("Invoices", drafts(500), on_result=results.append)

    assert MOST_LOST <= len(requests(PUSH)) <= MOST_LOST + MOST_AT_ONCE
    assert {one.status for one in results} == {UNKNOWN}
    assert sorted(by_position(results)) == list(range(len(requests(PUSH))))
    assert held(kept()) == {}


async def test_a_retry_that_carries_the_mark_of_its_first_attempt_is_not_taken_for_it(script: Any) -> None:
    mark = {common.KEY: "rb-id-1"}
    entry = {"state": "ERROR", "dataPoolLabel": "Invoices", "values": mark}
    script.answer({"label": "Invoices"})
    script.answer(status=502)
    script.page(
        entry | {"id": "e-8", "parent": "e-7"}, entry | {"id": "e-6", "values": {common.KEY: ["rb-id-1"]}}, last=False
    )
    script.page(entry | {"id": "e-7"}, last=True)
    results: list[AddResult] = []

    await BotMaestroQueues(script.client, script.clock, Limits()).add_many(
        "Invoices", drafts(1), on_result=results.append
    )

    assert [one.item_id for one in results] == ["e-7"]


async def test_drafts_that_entries_cannot_hold_are_refused_each_and_not_sent(
    maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    many = [
        ItemDraft(values={"list": [1]}), *drafts(1), ItemDraft(values={queues.OUTPUT: "1"}),
        ItemDraft(values={"n": 3}, due_at=datetime(2030, 1, 1, tzinfo=UTC)), ItemDraft(values={"n": 4}),
        ItemDraft(values={"n": 5}, reference=" "), ItemDraft(values={"n": float("nan")}),
    ]  # fmt: skip

    summary = await maestro.queues.add_many("Invoices", many)

    assert (summary.added, summary.refused, summary.unknown) == (2, 5, 0)
    assert [one.position for one in summary.problems] == [0, 2, 3, 5, 6]
    for one, words in zip(
        summary.problems, ("JSON text", "rename the value", "leave it out", "empty", "as JSON"), strict=True
    ):
        assert words in str(one.problem)
    assert sorted(held(kept()).values()) == [0, 4]
    assert len(requests(PUSH)) == 2


async def test_an_item_that_the_platform_refuses_does_not_hold_up_the_others(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any]
) -> None:
    sandbox.world.switches["botmaestro.refuse_duplicate_keys"] = True
    many = [ItemDraft(values={"n": n, "number": key}) for n, key in enumerate("abc")]
    await maestro.queues.add("Invoices", ItemDraft(values={"n": 9, "number": "b"}))

    summary = await maestro.queues.add_many("Invoices", many)

    assert [(one.position, one.status) for one in summary.problems] == [(1, REFUSED)]
    assert "already exists" in str(summary.problems[0].problem)
    assert sorted(held(kept()).values()) == [0, 2, 9]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_drafts_that_break_off_are_raised_after_what_was_under_way_is_reported(
    sandbox: Sandbox, maestro: Adapter, kept: Callable[[], Any], asynchronous: bool
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, skip=5, times=3))

    def broken() -> Iterator[ItemDraft]:
        yield from drafts(13)
        raise OSError("the file is gone")

    async def stream() -> AsyncIterator[ItemDraft]:
        for draft in broken():
            yield draft

    results: list[AddResult] = []
    with pytest.raises(OSError, match="the file is gone"):
        await maestro.queues.add_many("Invoices", stream() if asynchronous else broken(), on_result=results.append)

    assert {n: one.status for n, one in by_position(results).items()} == dict.fromkeys(range(13), ADDED)
    assert sorted(held(kept()).values()) == list(range(13))


@pytest.mark.parametrize(("status", "error"), [(403, DeniedError), (404, NotFoundError)])
async def test_an_error_that_no_item_is_to_blame_for_ends_the_call_and_leaves_nothing_untold(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, kept: Callable[[], Any], status: int, error: type[Exception]
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=PUSH, skip=20, status=status, times=999))
    results: list[AddResult] = []
    many = iter(drafts(300))

    with pytest.raises(error):
        await maestro.queues.add_many("Invoices", many, on_result=results.append)

    told = by_position(results)
    assert len(requests(PUSH)) == len(told) == 300 - len(list(many)) <= 20 + 2 * MOST_AT_ONCE
    assert Counter(one.status for one in told.values()) == {ADDED: 20, REFUSED: len(told) - 20}
    assert {n for n, one in told.items() if one.status is ADDED} == set(held(kept()).values())


async def test_a_listener_that_fails_ends_the_call_and_hears_of_what_was_under_way(
    maestro: Adapter, kept: Callable[[], Any]
) -> None:
    heard: list[AddResult] = []

    def listen(result: AddResult) -> None:
        heard.append(result)
        if len(heard) == 3:
            raise ZeroDivisionError("by nothing")

    many = iter(drafts(300))
    with pytest.raises(ZeroDivisionError):
        await maestro.queues.add_many("Invoices", many, on_result=listen)

    assert sorted(by_position(heard)) == sorted(held(kept()).values()) == list(range(300 - len(list(many))))


async def test_a_cancelled_call_leaves_nothing_under_way_and_nothing_untold(
    sandbox: Sandbox,
    maestro: Adapter,
    requests: Requests,
    at_the: AtThe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pushes, "GRACE", 0.2)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER, skip=4, times=2))
    sandbox.world.faults.add(Fault(FaultKind.HANG, match=PUSH, when=When.AFTER, skip=10, times=999))
    results: list[AddResult] = []
    many = iter(drafts(300))
    before = asyncio.all_tasks()
    call = asyncio.create_task(maestro.queues.add_many("Invoices", many, on_result=results.append))
    await at_the(10 + MOST_AT_ONCE + 2, PUSH)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    begun = 300 - len(list(many))
    told = by_position(results)
    assert sorted(told) == list(range(begun))
    assert Counter(one.status for one in told.values()) == {ADDED: begun - MOST_AT_ONCE - 2, UNKNOWN: MOST_AT_ONCE + 2}
    assert "ended before it was known what became of the item; look for it" in str(
        next(one.problem for one in results if one.status is UNKNOWN)
    )
    assert not [one for one in asyncio.all_tasks() - before if "_carry_out" in repr(one)]
    assert len(requests(PUSH)) == begun


async def test_a_call_that_is_cancelled_while_lost_answers_are_looked_for_tells_of_them(
    sandbox: Sandbox, maestro: Adapter, at_the: AtThe, kept: Callable[[], Any]
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.BEFORE))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=PUSH, when=When.AFTER))
    sandbox.world.faults.add(Fault(FaultKind.HANG, match=VIEW, skip=1, times=99))
    results: list[AddResult] = []
    call = asyncio.create_task(maestro.queues.add_many("Invoices", drafts(4), on_result=results.append))
    await at_the(2, VIEW)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    told = by_position(results)
    there = set(held(kept()).values())
    assert {n: one.status for n, one in told.items()} == {n: ADDED if n in there else UNKNOWN for n in range(4)}
    assert len(there) == 3, "the first pass of the listing had found the one that was there"


class Echo:
    """A platform that takes every push after a few rounds of the loop, and counts how many it has at once."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = self.pushed = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_full = asyncio.Event()

    async def send(self, request: Request) -> Response:
        if request.method == "GET":
            return _json({"label": "Invoices"})
        self.pushed += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.at_once == MOST_AT_ONCE:
            self.is_full.set()
        for _ in range(1 + self.pushed % 5):
            await asyncio.sleep(0)
        await self.may_answer.wait()
        self.at_once -= 1
        return _json({"id": f"e-{self.pushed}", "state": "PENDING", "values": request.json["values"]})

    async def aclose(self) -> None:
        """Nothing is held open."""


def _json(body: Any) -> Response:
    return Response(200, {"content-type": "application/json"}, json.dumps(body).encode())


async def test_no_more_than_a_few_are_under_way_and_drafts_are_read_no_further(script: Any) -> None:
    echo = Echo()
    service = BotMaestroQueues(replace(script.client, transport=echo), script.clock, Limits())
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

    summary = await service.add_many("Invoices", stream(range(2000)), on_result=note)

    assert (summary.added, read, reported, echo.pushed) == (2000, 2000, 2000, 2000)
    assert echo.most_at_once == ahead == MOST_AT_ONCE


async def test_what_ends_soon_after_a_cancellation_is_told_as_it_ended(script: Any) -> None:
    echo = Echo()
    echo.may_answer.clear()
    service = BotMaestroQueues(replace(script.client, transport=echo), script.clock, Limits())
    results: list[AddResult] = []
    call = asyncio.create_task(service.add_many("Invoices", drafts(300), on_result=results.append))
    await echo.is_full.wait()

    call.cancel()
    asyncio.get_running_loop().call_soon(echo.may_answer.set)
    with pytest.raises(asyncio.CancelledError):
        await call

    assert [one.status for one in by_position(results).values()] == [ADDED] * MOST_AT_ONCE
    assert echo.pushed == MOST_AT_ONCE


async def test_results_come_while_the_drafts_are_still_coming(maestro: Adapter) -> None:
    told = asyncio.Event()

    async def stream() -> AsyncIterator[ItemDraft]:
        for draft in drafts(3):
            yield draft
            await asyncio.wait_for(told.wait(), 5)
            told.clear()

    assert (await maestro.queues.add_many("Invoices", stream(), on_result=lambda _: told.set())).added == 3


async def test_items_of_a_queue_that_is_not_there_are_not_even_read(maestro: Adapter) -> None:
    left = iter(drafts(2))

    with pytest.raises(NotFoundError, match="no queue 'Nothing'"):
        await maestro.queues.add_many("Nothing", left)
    assert len(list(left)) == 2
