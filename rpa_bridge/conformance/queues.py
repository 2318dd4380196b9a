"""Standard tests of queues: finding and keeping them, taking work out, and reporting what became of it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Failure, FailureKind, ItemDraft, ItemState, QueueDraft
from rpa_bridge.errors import BusinessError, ConflictError, InvalidError, NotFoundError, UnsupportedError

from .automations import ODD_NAMES
from .stage import Stage, listed
from .standard import requires

BUSINESS = Failure(kind=FailureKind.BUSINESS, reason="größer ☃ than allowed")
APPLICATION = Failure(kind=FailureKind.APPLICATION, reason="the printer is on fire")


class QueueTests:
    """Standard tests of queues and of the life of an item."""

    @requires("queues.get")
    async def test_get_gives_the_queue(self, stage: Stage) -> None:
        queue = await stage.adapter.queues.get(stage.queue)
        assert queue.id
        assert queue.name == stage.queue
        assert queue.active
        assert queue.retries >= 0

    @requires("queues.get")
    async def test_an_unknown_queue_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("queue")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.queues.get(name)
        assert name in str(caught.value), "the error must name what is not there"

    @requires("queues.get")
    async def test_an_oddly_named_queue_is_not_found(self, stage: Stage) -> None:
        for name in ODD_NAMES:
            with stage.refused(NotFoundError, InvalidError):
                await stage.adapter.queues.get(name)

    @requires("queues.get")
    async def test_a_queue_without_a_name_is_refused(self, stage: Stage) -> None:
        with stage.refused(InvalidError, NotFoundError, unsent=True):
            await stage.adapter.queues.get("")

    @requires("queues.take")
    async def test_take_from_an_empty_queue_gives_none(self, stage: Stage) -> None:
        assert await stage.adapter.queues.take(stage.queue) is None

    @requires("queues.take")
    async def test_nothing_can_be_taken_from_an_unknown_queue(self, stage: Stage) -> None:
        name = stage.new_name("queue")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.queues.take(name)
        assert name in str(caught.value)

    @requires("queues.take", "queues.add")
    async def test_take_gives_the_item_that_was_added(self, stage: Stage) -> None:
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        taken = await stage.taken()
        assert (taken.id, taken.queue, taken.values) == (added.id, stage.queue, {"n": 1})
        assert taken.state is ItemState.TAKEN
        assert taken.native_state
        assert taken.attempt == 1

    @requires("queues.take", "queues.add")
    async def test_a_taken_item_is_not_given_again(self, stage: Stage) -> None:
        await stage.taken_new()
        assert await stage.adapter.queues.take(stage.queue) is None

    @requires("queues.take", "queues.add")
    async def test_no_item_is_given_to_two_takers_at_the_same_time(self, stage: Stage) -> None:
        added = [await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": number})) for number in range(8)]
        taken = await asyncio.gather(*(stage.adapter.queues.take(stage.queue) for _ in range(12)))
        ids = [item.id for item in taken if item is not None]
        assert sorted(ids) == sorted(item.id for item in added)

    @requires("queues.take", "queues.add")
    async def test_higher_priorities_are_taken_first(self, stage: Stage) -> None:
        order = [Priority.LOW, Priority.NORMAL, Priority.HIGH]
        for priority in order:
            added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}, priority=priority))
            assert added.priority is priority
        assert [(await stage.taken()).priority for _ in order] == order[::-1]

    @requires("queues.take", "queues.add")
    async def test_of_equal_items_the_oldest_is_taken_first(self, stage: Stage) -> None:
        for number in range(3):
            await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": number}))
            stage.harness.advance(1)
        assert [(await stage.taken()).values["n"] for _ in range(3)] == [0, 1, 2]

    @requires("queues.take", "queues.add")
    async def test_an_item_waits_for_its_time_or_is_refused(self, stage: Stage) -> None:
        moment = stage.harness.now() + timedelta(hours=1)
        draft = ItemDraft(values={"n": 1}, not_before=moment)
        added = await stage.unless_refused(stage.adapter.queues.add(stage.queue, draft))
        if added is None:
            return
        assert added.not_before is not None
        assert abs(added.not_before - moment) < timedelta(seconds=1)
        assert await stage.adapter.queues.take(stage.queue) is None
        stage.harness.advance(3700)
        assert (await stage.taken()).id == added.id

    @requires("queues.complete", "queues.take", "queues.add")
    async def test_a_completed_item_is_not_given_again(self, stage: Stage) -> None:
        await stage.adapter.queues.complete(await stage.taken_new())
        assert await stage.adapter.queues.take(stage.queue) is None

    @requires("queues.complete", "queues.take", "queues.add")
    async def test_an_item_is_completed_once(self, stage: Stage) -> None:
        item = await stage.taken_new()
        await stage.adapter.queues.complete(item)
        with stage.refused(ConflictError):
            await stage.adapter.queues.complete(item)
        with stage.refused(ConflictError):
            await stage.adapter.queues.fail(item, BUSINESS)

    @requires("queues.complete", "queues.add")
    async def test_an_item_that_was_not_taken_cannot_be_completed(self, stage: Stage) -> None:
        item = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        with stage.refused(ConflictError):
            await stage.adapter.queues.complete(item)

    @requires("queues.fail", "queues.take", "queues.add")
    async def test_a_failed_item_is_not_completed_any_more(self, stage: Stage) -> None:
        item = await stage.taken_new()
        await stage.adapter.queues.fail(item, BUSINESS)
        with stage.refused(ConflictError):
            await stage.adapter.queues.complete(item)

    @requires("queues.fail", "queues.take", "queues.add")
    async def test_an_item_that_is_at_fault_is_not_tried_again(self, stage: Stage) -> None:
        await stage.adapter.queues.fail(await stage.taken_new(), BUSINESS)
        assert await stage.adapter.queues.take(stage.queue) is None

    @requires("queues.fail", "queues.take", "queues.add", "queues.get")
    async def test_an_item_is_tried_again_as_often_as_the_queue_says(self, stage: Stage) -> None:
        retries = (await stage.adapter.queues.get(stage.queue)).retries
        item = await stage.taken_new(ItemDraft(values={"n": 1}))
        for attempt in range(2, retries + 2):
            await stage.adapter.queues.fail(item, APPLICATION)
            item = await stage.taken()
            assert (item.attempt, item.values) == (attempt, {"n": 1})
        await stage.adapter.queues.fail(item, APPLICATION)
        assert await stage.adapter.queues.take(stage.queue) is None

    @requires("queues.lease", "queues.add", "queues.take")
    async def test_a_lease_of_an_empty_queue_gives_none(self, stage: Stage) -> None:
        async with stage.adapter.queues.lease(stage.queue) as item:
            assert item is None

    @requires("queues.lease", "queues.add", Feature.QUEUE_GET_ITEM)
    async def test_a_lease_that_ends_well_completes_the_item(self, stage: Stage) -> None:
        await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        async with stage.adapter.queues.lease(stage.queue) as item:
            assert item is not None
        assert (await stage.adapter.queues.get_item(stage.queue, item.id)).state is ItemState.DONE

    @requires("queues.lease", "queues.add", Feature.QUEUE_GET_ITEM)
    async def test_a_lease_sends_the_output(self, stage: Stage) -> None:
        await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        async with stage.adapter.queues.lease(stage.queue) as item:
            assert item is not None
            item.output["total"] = 3
        assert (await stage.adapter.queues.get_item(stage.queue, item.id)).output == {"total": 3}

    @requires("queues.lease", "queues.add", Feature.QUEUE_GET_ITEM)
    async def test_a_lease_that_ends_with_a_business_error_fails_the_item(self, stage: Stage) -> None:
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        with pytest.raises(BusinessError, match="no such customer"):
            async with stage.adapter.queues.lease(stage.queue):
                raise BusinessError("no such customer")
        item = await stage.adapter.queues.get_item(stage.queue, added.id)
        assert item.failure is not None
        assert item.state is ItemState.FAILED
        assert (item.failure.kind, item.failure.reason) == (FailureKind.BUSINESS, "no such customer")

    @requires("queues.lease", "queues.add", Feature.QUEUE_GET_ITEM)
    async def test_a_lease_that_ends_with_another_error_blames_the_application(self, stage: Stage) -> None:
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        with pytest.raises(ZeroDivisionError):
            async with stage.adapter.queues.lease(stage.queue):
                raise ZeroDivisionError("by nothing")
        item = await stage.adapter.queues.get_item(stage.queue, added.id)
        assert item.failure is not None
        assert item.state in {ItemState.FAILED, ItemState.RETRIED}
        assert item.failure.kind is FailureKind.APPLICATION
        assert "by nothing" in item.failure.reason

    @requires(Feature.QUEUE_FIND)
    async def test_find_yields_the_queues(self, stage: Stage) -> None:
        found = await listed(stage.adapter.queues.find())
        assert stage.queue in [one.name for one in found]
        assert len({one.id for one in found}) == len(found)

    @requires(Feature.QUEUE_CREATE)
    async def test_a_new_queue_is_there_and_can_be_worked(self, stage: Stage) -> None:
        name = stage.new_name("queue")
        made = await stage.adapter.queues.create(QueueDraft(name=name, retries=2))
        got = await stage.adapter.queues.get(name)
        assert (got.id, got.name, got.retries, got.active) == (made.id, name, 2, True)
        added = await stage.adapter.queues.add(name, ItemDraft(values={"n": 1}))
        assert (await stage.taken(name)).id == added.id

    @requires(Feature.QUEUE_CREATE)
    async def test_unique_references_are_kept_exactly_where_they_are_declared(self, stage: Stage) -> None:
        draft = QueueDraft(name=stage.new_name("queue"), unique_references=True)
        if stage.limits.unique_references:
            assert (await stage.adapter.queues.create(draft)).unique_references
        else:
            with stage.refused(InvalidError, UnsupportedError, unsent=True):
                await stage.adapter.queues.create(draft)

    @requires(Feature.QUEUE_CREATE)
    async def test_a_queues_name_is_given_once(self, stage: Stage) -> None:
        with stage.refused(ConflictError):
            await stage.adapter.queues.create(QueueDraft(name=stage.queue))

    @requires(Feature.QUEUE_CREATE)
    async def test_an_empty_or_overlong_name_of_a_queue_is_refused_before_sending(self, stage: Stage) -> None:
        longest = stage.limits.name_length
        for name in ("", *(["q" * (longest + 1)] if longest else [])):
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.queues.create(QueueDraft(name=name))

    @requires(Feature.QUEUE_UPDATE)
    async def test_an_updated_queue_has_its_new_settings(self, stage: Stage) -> None:
        old = await stage.adapter.queues.get(stage.queue)
        new = await stage.adapter.queues.update(stage.queue, QueueDraft(name=stage.queue, retries=old.retries + 1))
        assert (new.id, new.retries) == (old.id, old.retries + 1)
        assert (await stage.adapter.queues.get(stage.queue)).retries == old.retries + 1

    @requires(Feature.QUEUE_UPDATE)
    async def test_an_unknown_queue_cannot_be_updated(self, stage: Stage) -> None:
        name = stage.new_name("queue")
        with stage.refused(NotFoundError):
            await stage.adapter.queues.update(name, QueueDraft(name=name))

    @requires(Feature.QUEUE_DELETE)
    async def test_a_deleted_queue_is_gone(self, stage: Stage) -> None:
        await stage.adapter.queues.delete(stage.queue)
        with stage.refused(NotFoundError):
            await stage.adapter.queues.get(stage.queue)
        with stage.refused(NotFoundError):
            await stage.adapter.queues.delete(stage.queue)

    @requires(Feature.QUEUE_STATS)
    async def test_stats_count_the_items(self, stage: Stage) -> None:
        for number in range(3):
            await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": number}))
        await stage.adapter.queues.complete(await stage.taken())
        await stage.taken()
        counts = (await stage.adapter.queues.stats(stage.queue)).counts
        assert [counts.get(one) for one in (ItemState.NEW, ItemState.TAKEN, ItemState.DONE)] == [1, 1, 1]

    @requires(Feature.QUEUE_STATS)
    async def test_an_unknown_queue_has_no_stats(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.queues.stats(stage.new_name("queue"))

    @requires(Feature.QUEUE_DEACTIVATE)
    async def test_nothing_is_taken_from_an_inactive_queue(self, stage: Stage) -> None:
        assert not (await stage.adapter.queues.deactivate(stage.queue)).active
        await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        with contextlib.suppress(ConflictError):
            assert await stage.adapter.queues.take(stage.queue) is None

    @requires(Feature.QUEUE_ACTIVATE, Feature.QUEUE_DEACTIVATE)
    async def test_an_activated_queue_gives_items_again(self, stage: Stage) -> None:
        await stage.adapter.queues.deactivate(stage.queue)
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        assert (await stage.adapter.queues.activate(stage.queue)).active
        assert (await stage.taken()).id == added.id

    @requires(Feature.QUEUE_ACTIVATE)
    async def test_an_unknown_queue_cannot_be_activated(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.queues.activate(stage.new_name("queue"))

    @requires(Feature.QUEUE_DEACTIVATE)
    async def test_an_unknown_queue_cannot_be_deactivated(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.queues.deactivate(stage.new_name("queue"))
