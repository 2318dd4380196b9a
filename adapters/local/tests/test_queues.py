from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import (
    AddResult,
    AddStatus,
    Failure,
    FailureKind,
    Field,
    Item,
    ItemDraft,
    ItemState,
    QueueDraft,
)
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError
from rpa_bridge.helpers.adding import MOST_PROBLEMS
from rpa_bridge.testing import ManualClock
from rpa_bridge_local import queues as module
from rpa_bridge_local.adapter import LocalAdapter

Opener = Callable[..., LocalAdapter]
APPLICATION = Failure(kind=FailureKind.APPLICATION, reason="the printer is on fire", detail="Traceback")
BUSINESS = Failure(kind=FailureKind.BUSINESS, reason="no such customer")
WORKER = """
import asyncio, json, sys
from rpa_bridge.contract.adapter import AdapterContext
from rpa_bridge_local.adapter import LocalAdapter
from rpa_bridge_local.settings import LocalSettings

async def main():
    adapter = LocalAdapter.open(LocalSettings(path=sys.argv[1]), AdapterContext(connection="worker"))
    taken = []
    await adapter.queues.get("Letters")
    print("ready", flush=True)
    sys.stdin.readline()
    while item := await adapter.queues.take("Letters"):
        taken.append(item.id)
        await adapter.queues.complete(item)
    await adapter.aclose()
    print(json.dumps(taken))

asyncio.run(main())
"""


def drafts(count: int) -> Iterator[ItemDraft]:
    return (ItemDraft(values={"n": number}, reference=f"r{number}") for number in range(count))


def work_in_processes(path: str) -> list[list[str]]:
    """The ids that each of four processes took, all let go at once."""
    command = [sys.executable, "-c", WORKER, path]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]


async def taken(adapter: LocalAdapter) -> Item:
    item = await adapter.queues.take("Letters")
    assert item is not None
    return item


async def test_many_processes_never_take_the_same_item(open_local: Opener, path: str) -> None:
    adapter, count = open_local(), 300
    await adapter.queues.create(QueueDraft(name="Letters"))
    await adapter.queues.add_many("Letters", drafts(count))
    hauls = await asyncio.to_thread(work_in_processes, path)
    ids = [item_id for haul in hauls for item_id in haul]
    assert len(ids) == len(set(ids)) == count
    assert len([haul for haul in hauls if haul]) > 1, "one process took all: nothing was shown"
    assert (await adapter.queues.stats("Letters")).counts[ItemState.DONE] == count


async def test_items_come_by_priority_then_due_date_then_age(open_local: Opener) -> None:
    clock = ManualClock()
    adapter = open_local(clock=clock)
    await adapter.queues.create(QueueDraft(name="Letters"))
    soon, later = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    for name, priority, due_at in (
        ("low", Priority.LOW, soon),
        ("undated", Priority.NORMAL, None),
        ("undated, younger", Priority.NORMAL, None),
        ("later", Priority.NORMAL, later),
        ("soon", Priority.NORMAL, soon),
        ("high", Priority.HIGH, None),
    ):
        await adapter.queues.add("Letters", ItemDraft(values={}, reference=name, priority=priority, due_at=due_at))
    order = [(await taken(adapter)).reference for _ in range(6)]
    assert order == ["high", "soon", "later", "undated", "undated, younger", "low"]


async def test_taking_needs_no_look_at_items_that_are_done(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters"))
    values = {"queue": 1, "now": "2030"}
    plan = await adapter._database.read(
        lambda db: [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {module.TAKE}", values)]
    )
    assert any("items_next" in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


async def test_a_failed_attempt_is_followed_by_a_new_item_with_all_it_had(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters", retries=1, unique_references=True))
    draft = ItemDraft(values={"to": "Ann"}, reference="r1", priority=Priority.HIGH, mark="m/1")
    first = await adapter.queues.add("Letters", draft)
    await adapter.queues.fail(await taken(adapter), APPLICATION)
    old = await adapter.queues.get_item("Letters", first.id)
    assert (old.state, old.failure) == (ItemState.RETRIED, APPLICATION)
    second = await taken(adapter)
    assert (second.retry_of, second.attempt) == (first.id, 2)
    assert (second.values, second.reference, second.priority) == (first.values, "r1", Priority.HIGH)
    assert [one.id async for one in adapter.queues.items("Letters", mark="m/1")] == [first.id, second.id]
    await adapter.queues.fail(second, APPLICATION)
    assert (await adapter.queues.get_item("Letters", second.id)).state is ItemState.FAILED
    assert await adapter.queues.take("Letters") is None


async def test_a_reference_is_free_again_when_its_item_was_removed(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters", unique_references=True))
    draft = ItemDraft(values={}, reference="r1")
    item = await adapter.queues.add("Letters", draft)
    with pytest.raises(ConflictError, match=f"has an item with reference 'r1' already \\(item {item.id}\\)"):
        await adapter.queues.add("Letters", draft)
    await adapter.queues.remove(item)
    assert (await adapter.queues.add("Letters", draft)).id != item.id


async def test_an_item_that_is_not_reported_in_time_lapses(open_local: Opener) -> None:
    clock = ManualClock()
    adapter = open_local(clock=clock, lapse_after=60)
    await adapter.queues.create(QueueDraft(name="Letters"))
    await adapter.queues.add("Letters", ItemDraft(values={"n": 1}))
    item = await taken(adapter)
    clock.advance(59)
    await adapter.queues.progress(item, "nearly done")
    clock.advance(2)
    with pytest.raises(ConflictError, match=f"item {item.id} is lapsed, not taken"):
        await adapter.queues.complete(item)
    assert await adapter.queues.take("Letters") is None
    again = await adapter.queues.retry(item)
    assert (await taken(adapter)).id == again.id


async def test_only_failed_or_lapsed_items_are_tried_again(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters"))
    item = await adapter.queues.add("Letters", ItemDraft(values={}))
    with pytest.raises(ConflictError, match="is new; only a failed or lapsed one"):
        await adapter.queues.retry(item)
    await adapter.queues.fail(await taken(adapter), BUSINESS)
    await adapter.queues.retry(item)
    with pytest.raises(ConflictError, match="is retried; only"):
        await adapter.queues.retry(item)
    assert (await adapter.queues.stats("Letters")).counts[ItemState.NEW] == 1


FIELDS = (
    Field(name="number", type="integer", required=True, unique=True),
    Field(name="amount", type="number"),
    Field(name="paid", type="boolean"),
    Field(name="day", type="date"),
    Field(name="name"),
)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "'number' is missing"),
        ({"number": None}, "'number' is missing"),
        ({"number": True}, "'number' must be of type integer"),
        ({"number": 1, "amount": "12"}, "'amount' must be of type number"),
        ({"number": 1, "paid": 1}, "'paid' must be of type boolean"),
        ({"number": 1, "day": "tomorrow"}, "'day' must be of type date"),
        ({"number": 1, "name": 5}, "'name' must be of type text"),
    ],
)
async def test_values_must_fit_the_fields(open_local: Opener, values: dict[str, object], problem: str) -> None:
    adapter = open_local(path=":memory:")
    await adapter.queues.create(QueueDraft(name="Letters", fields=FIELDS))
    with pytest.raises(InvalidError, match=problem):
        await adapter.queues.add("Letters", ItemDraft(values=values))
    assert await adapter.queues.take("Letters") is None


async def test_a_unique_field_takes_a_value_once_and_again_after_a_retry(open_local: Opener) -> None:
    adapter = open_local()
    made = await adapter.queues.create(QueueDraft(name="Letters", fields=FIELDS, retries=1))
    assert made.fields == FIELDS
    good = {"number": 7, "amount": 1.5, "paid": False, "day": "2030-01-31", "name": "Ann", "more": []}
    await adapter.queues.add("Letters", ItemDraft(values=good))
    await adapter.queues.fail(await taken(adapter), APPLICATION)
    with pytest.raises(ConflictError, match="this value of 'number' already"):
        await adapter.queues.add("Letters", ItemDraft(values={"number": 7}))
    assert not (await adapter.queues.add_many("Letters", [ItemDraft(values={"number": 7})])).problems[0].duplicate
    await adapter.queues.remove(await anext(adapter.queues.items("Letters", state=ItemState.NEW)))
    await adapter.queues.add("Letters", ItemDraft(values={"number": 7}))


async def test_a_field_of_an_unknown_type_is_refused(open_local: Opener) -> None:
    with pytest.raises(InvalidError, match="no type 'money'; take one of text"):
        await open_local().queues.create(QueueDraft(name="Letters", fields=(Field(name="sum", type="money"),)))


async def test_many_items_are_added_batch_by_batch_and_each_is_told(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters", unique_references=True))
    count = 2 * module.BATCH + 1
    results: list[AddResult] = []
    twice = [*drafts(count), *drafts(count)]
    summary = await adapter.queues.add_many("Letters", twice, on_result=results.append)
    assert (summary.added, summary.refused) == (count, count)
    assert [one.position for one in results] == list(range(2 * count))
    assert {one.status for one in results[:count]} == {AddStatus.ADDED}
    assert len(summary.problems) == MOST_PROBLEMS
    assert {one.duplicate for one in results[:count]} == {False}
    assert {one.duplicate for one in results[count:]} == {True}
    assert (await adapter.queues.stats("Letters")).counts[ItemState.NEW] == count


async def test_a_setting_of_another_platform_is_refused_and_no_queue_is_made(open_local: Opener) -> None:
    adapter = open_local()
    with pytest.raises(UnsupportedError, match="queue option 'SlaInMinutes'"):
        await adapter.queues.create(QueueDraft(name="Letters", options={"SlaInMinutes": 5}))
    assert [one async for one in adapter.queues.find()] == []


async def test_one_reference_that_cannot_be_stored_does_not_hold_up_the_batch(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters"))
    odd = [ItemDraft(values={}, reference="a"), ItemDraft(values={}, reference="\ud800")]
    summary = await adapter.queues.add_many("Letters", odd)
    assert (summary.added, summary.refused) == (1, 1)
    assert "no text that can be stored" in str(summary.problems[0].problem)


async def test_items_are_listed_by_what_their_marks_begin_with_in_every_direction(open_local: Opener) -> None:
    adapter = open_local()
    for queue in ("Letters", "Others"):
        await adapter.queues.create(QueueDraft(name=queue))
    marks = ("a/1", "a/-", "A/1", "a0", "a/zz", None, "a/", "b", "a")
    for queue in ("Letters", "Others"):
        for mark in marks:
            await adapter.queues.add(queue, ItemDraft(values={}, mark=mark))

    async def listed(mark: str | None = None, after: str | None = None) -> list[str | None]:
        return [one.mark async for one in adapter.queues.items("Letters", mark=mark, after=after)]

    assert await listed(mark="a/") == ["a/1", "a/-", "a/zz", "a/"]
    assert await listed(mark="a") == ["a/1", "a/-", "a0", "a/zz", "a/", "a"]
    assert await listed(mark="a/", after="2") == ["a/zz", "a/"]
    assert await listed(mark="a/", after="7") == await listed(mark="c") == []
    assert await listed() == [*marks]


@pytest.mark.parametrize("sql", [module.LIST, module.MARKED])
async def test_a_list_of_items_sorts_nothing_and_reads_no_more_than_it_must(open_local: Opener, sql: str) -> None:
    values = {"last": 0, "until": 9, "queue": 1, "state": None, "reference": None, "mark": "a/", "page": 100}
    plan = await open_local()._database.read(
        lambda db: [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    )
    assert len(plan) == 1, plan
    assert "PRIMARY KEY (rowid>? AND rowid<?)" in plan[0] or "COVERING INDEX items_mark" in plan[0]


async def test_a_queue_can_be_renamed_and_takes_its_items_along(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters"))
    await adapter.queues.create(QueueDraft(name="Invoices"))
    item = await adapter.queues.add("Letters", ItemDraft(values={}))
    with pytest.raises(ConflictError, match="a queue 'Invoices' already"):
        await adapter.queues.update("Letters", QueueDraft(name="Invoices"))
    await adapter.queues.update("Letters", QueueDraft(name="Mail", retries=2))
    assert (await adapter.queues.get_item("Mail", item.id)).queue == "Mail"
    with pytest.raises(NotFoundError, match="there is no queue 'Letter' here"):
        await adapter.queues.get("Letter")


async def test_a_deleted_queue_leaves_nothing_behind(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Letters", fields=FIELDS))
    await adapter.queues.add("Letters", ItemDraft(values={"number": 1}))
    await adapter.queues.delete("Letters")
    left = "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM unique_values)"
    assert tuple(await adapter._database.read(lambda db: db.execute(left).fetchone())) == (0, 0)


async def test_a_misspelt_name_is_answered_with_the_right_one(open_local: Opener) -> None:
    adapter = open_local()
    await adapter.queues.create(QueueDraft(name="Invoices"))
    with pytest.raises(NotFoundError, match="no queue 'Invoces' here; did you mean 'Invoices'"):
        await adapter.queues.take("Invoces")


async def test_what_one_connection_adds_the_next_one_takes(open_local: Opener) -> None:
    first, second = open_local(), open_local()
    await first.queues.create(QueueDraft(name="Letters"))
    await first.queues.add("Letters", ItemDraft(values={"n": 1}))
    await first.aclose()
    assert (await taken(second)).values == {"n": 1}
