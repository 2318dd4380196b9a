"""Standard tests of queue items: what they hold, and every verb that looks at or changes a single one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import AddResult, AddStatus, FailureKind, ItemDraft, ItemState
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError

from .queues import BUSINESS
from .stage import Stage
from .standard import requires
from .values import DATE_LIKE, NESTED, NOT_JSON, NUMBERS, TEXTS


async def _round_trip(stage: Stage, values: dict[str, Any]) -> dict[str, Any]:
    added = await stage.adapter.queues.add(stage.queue, ItemDraft(values=values))
    assert added.values == values
    return (await stage.taken()).values


class ItemTests:
    """Standard tests of single items, and of many at once."""

    @requires("queues.add")
    async def test_add_gives_the_new_item(self, stage: Stage) -> None:
        item = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        assert item.id
        assert (item.queue, item.values, item.state) == (stage.queue, {"n": 1}, ItemState.NEW)
        assert item.native_state
        assert item.created_at is None or item.created_at.utcoffset() is not None

    @requires("queues.add")
    async def test_nothing_can_be_added_to_an_unknown_queue(self, stage: Stage) -> None:
        name = stage.new_name("queue")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.queues.add(name, ItemDraft(values={"n": 1}))
        assert name in str(caught.value)

    @requires("queues.add", "queues.take")
    async def test_texts_survive(self, stage: Stage) -> None:
        assert await _round_trip(stage, dict(TEXTS)) == TEXTS

    @requires("queues.add", "queues.take")
    async def test_a_text_that_looks_like_a_date_survives(self, stage: Stage) -> None:
        assert await _round_trip(stage, {"text": DATE_LIKE}) == {"text": DATE_LIKE}

    @requires("queues.add", "queues.take")
    async def test_numbers_survive(self, stage: Stage) -> None:
        values = await _round_trip(stage, dict(NUMBERS))
        assert values == NUMBERS
        assert {name: type(value) for name, value in values.items()} == {n: type(v) for n, v in NUMBERS.items()}

    @requires("queues.add", "queues.take")
    async def test_booleans_survive(self, stage: Stage) -> None:
        values = await _round_trip(stage, {"yes": True, "no": False})
        assert values["yes"] is True
        assert values["no"] is False

    @requires("queues.add", "queues.take")
    async def test_null_survives(self, stage: Stage) -> None:
        assert await _round_trip(stage, {"nothing": None, "n": 1}) == {"nothing": None, "n": 1}

    @requires("queues.add", "queues.take")
    async def test_unusual_names_of_values_survive(self, stage: Stage) -> None:
        values = {"größer": "1", "two words": "2", "it's": "3", "100%": "4", "a/b": "5", "CamelCase": "6", "_": "7"}
        assert await _round_trip(stage, values) == values

    @requires("queues.add", "queues.take")
    async def test_nested_values_survive_or_are_refused_before_sending(self, stage: Stage) -> None:
        if not stage.limits.flat_values:
            assert await _round_trip(stage, NESTED) == NESTED
            return
        for name, value in NESTED.items():
            with stage.refused(InvalidError, unsent=True) as caught:
                await stage.adapter.queues.add(stage.queue, ItemDraft(values={name: value}))
            assert name in str(caught.value), "the error must name the value"

    @requires("queues.add")
    async def test_values_that_json_cannot_hold_are_refused_before_sending(self, stage: Stage) -> None:
        for value in NOT_JSON:
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.queues.add(stage.queue, ItemDraft(values={"value": value}))

    @requires("queues.add", "queues.take")
    async def test_an_item_as_large_as_declared_fits_and_a_larger_one_is_refused(self, stage: Stage) -> None:
        limit = stage.limits.item_bytes
        values = {"text": "x" * ((limit or 50_000) - len('{"text": ""}'))}
        assert await _round_trip(stage, values) == values
        if limit is not None:
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.queues.add(stage.queue, ItemDraft(values={"text": "x" * limit}))

    @requires("queues.add", "queues.take")
    async def test_a_reference_survives_or_is_refused(self, stage: Stage) -> None:
        for reference in ("invoice-1", "it's 100 %/☃", "007"):
            draft = ItemDraft(values={"n": 1}, reference=reference)
            added = await stage.unless_refused(stage.adapter.queues.add(stage.queue, draft))
            assert added is None or (added.reference, (await stage.taken()).reference) == (reference, reference)

    @requires("queues.add")
    async def test_an_empty_or_overlong_reference_is_refused_before_sending(self, stage: Stage) -> None:
        longest = stage.limits.reference_length
        for reference in ("", *(["r" * (longest + 1)] if longest else [])):
            with stage.refused(InvalidError, UnsupportedError, unsent=True):
                await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}, reference=reference))

    @requires("queues.add")
    async def test_an_items_time_without_a_zone_is_refused_before_sending(self, stage: Stage) -> None:
        naive = datetime(2040, 1, 1)  # noqa: DTZ001 - on purpose
        for draft in (ItemDraft(values={}, not_before=naive), ItemDraft(values={}, due_at=naive)):
            with stage.refused(InvalidError, UnsupportedError, unsent=True):
                await stage.adapter.queues.add(stage.queue, draft)

    @requires("queues.add", "queues.take")
    async def test_a_unique_queue_refuses_a_reference_for_the_second_time(self, stage: Stage) -> None:
        draft = ItemDraft(values={"n": 1}, reference="once")
        if not stage.limits.unique_references:
            assert stage.harness.unique_queue is None, "the platform has a unique queue, yet the limits deny it"
            return
        await stage.adapter.queues.add(stage.unique_queue, draft)
        with stage.refused(ConflictError):
            await stage.adapter.queues.add(stage.unique_queue, draft)
        await stage.taken(stage.unique_queue)
        assert await stage.adapter.queues.take(stage.unique_queue) is None

    @requires("queues.add", "queues.take")
    async def test_an_ordinary_queue_takes_equal_items(self, stage: Stage) -> None:
        ids = {(await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))).id for _ in range(2)}
        assert len(ids) == 2
        assert {(await stage.taken()).id for _ in range(2)} == ids

    @requires(Feature.QUEUE_GET_ITEM)
    async def test_an_item_can_be_followed_to_its_end(self, stage: Stage) -> None:
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        states = [(await stage.adapter.queues.get_item(stage.queue, added.id)).state]
        taken = await stage.taken()
        states.append((await stage.adapter.queues.get_item(stage.queue, added.id)).state)
        await stage.adapter.queues.complete(taken)
        done = await stage.adapter.queues.get_item(stage.queue, added.id)
        assert [*states, done.state] == [ItemState.NEW, ItemState.TAKEN, ItemState.DONE]
        assert (done.id, done.queue, done.values) == (added.id, stage.queue, {"n": 1})

    @requires(Feature.QUEUE_GET_ITEM)
    async def test_an_output_comes_back(self, stage: Stage) -> None:
        output = {"total": 3, "text": "größer ☃", "yes": True}
        item = await stage.taken_new()
        await stage.adapter.queues.complete(item, output)
        assert (await stage.adapter.queues.get_item(stage.queue, item.id)).output == output

    @requires(Feature.QUEUE_GET_ITEM)
    async def test_a_failure_comes_back(self, stage: Stage) -> None:
        item = await stage.taken_new()
        await stage.adapter.queues.fail(item, BUSINESS)
        failed = await stage.adapter.queues.get_item(stage.queue, item.id)
        assert failed.failure is not None
        assert failed.state is ItemState.FAILED
        assert (failed.failure.kind, failed.failure.reason) == (FailureKind.BUSINESS, BUSINESS.reason)

    @requires(Feature.QUEUE_GET_ITEM)
    async def test_an_unknown_item_is_not_found(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.queues.get_item(stage.queue, stage.harness.missing_id)

    @requires(Feature.QUEUE_ADD_MANY)
    async def test_many_items_are_added_and_counted(self, stage: Stage) -> None:
        count = (stage.limits.batch_size or 20) + 5
        results: list[AddResult] = []
        drafts = (ItemDraft(values={"n": number}) for number in range(count))
        summary = await stage.adapter.queues.add_many(stage.queue, drafts, on_result=results.append)
        assert (summary.added, summary.refused, summary.unknown, summary.problems) == (count, 0, 0, ())
        assert sorted(one.position for one in results) == list(range(count))
        assert {one.status for one in results} == {AddStatus.ADDED}
        taken = [(await stage.taken()).values["n"] for _ in range(count)]
        assert sorted(taken) == list(range(count))

    @requires(Feature.QUEUE_ADD_MANY)
    async def test_many_items_may_come_one_by_one_or_not_at_all(self, stage: Stage) -> None:
        async def stream(values: Iterable[int]) -> AsyncIterator[ItemDraft]:
            for number in values:
                yield ItemDraft(values={"n": number})

        assert (await stage.adapter.queues.add_many(stage.queue, stream(range(3)))).added == 3
        assert (await stage.adapter.queues.add_many(stage.queue, stream([]))).added == 0
        assert (await stage.adapter.queues.add_many(stage.queue, [])).added == 0

    @requires(Feature.QUEUE_ADD_MANY)
    async def test_one_bad_item_does_not_hold_up_the_others(self, stage: Stage) -> None:
        drafts = [ItemDraft(values={"n": 0}), ItemDraft(values={"n": object()}), ItemDraft(values={"n": 2})]
        results: list[AddResult] = []
        summary = await stage.adapter.queues.add_many(stage.queue, drafts, on_result=results.append)
        assert (summary.added, summary.refused, summary.unknown) == (2, 1, 0)
        assert [(one.position, one.status) for one in summary.problems] == [(1, AddStatus.REFUSED)]
        assert summary.problems[0].problem
        assert not summary.problems[0].duplicate
        assert {one.position: one.status for one in results}[1] is AddStatus.REFUSED
        assert sorted([(await stage.taken()).values["n"] for _ in range(2)]) == [0, 2]

    @requires(Feature.QUEUE_ADD_MANY)
    async def test_of_many_items_a_unique_queue_refuses_the_known_ones(self, stage: Stage) -> None:
        if not stage.limits.unique_references:
            assert stage.harness.unique_queue is None, "the platform has a unique queue, yet the limits deny it"
            return
        drafts = [ItemDraft(values={"n": 1}, reference=reference) for reference in ("a", "b", "a")]
        summary = await stage.adapter.queues.add_many(stage.unique_queue, drafts)
        assert (summary.added, summary.refused, summary.unknown) == (2, 1, 0)
        assert [(one.reference, one.duplicate) for one in summary.problems] == [("a", True)]

    @requires(Feature.QUEUE_ADD_MANY)
    async def test_many_items_need_a_queue_that_is_there(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.queues.add_many(stage.new_name("queue"), [ItemDraft(values={"n": 1})])

    @requires(Feature.QUEUE_PROGRESS, Feature.QUEUE_GET_ITEM)
    async def test_progress_is_noted(self, stage: Stage) -> None:
        item = await stage.taken_new()
        await stage.adapter.queues.progress(item, "half way ☃")
        assert (await stage.adapter.queues.get_item(stage.queue, item.id)).progress == "half way ☃"
        await stage.adapter.queues.complete(item)

    @requires(Feature.QUEUE_POSTPONE)
    async def test_a_postponed_item_is_taken_later(self, stage: Stage) -> None:
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        await stage.adapter.queues.postpone(added, stage.harness.now() + timedelta(hours=1))
        assert await stage.adapter.queues.take(stage.queue) is None
        stage.harness.advance(3700)
        taken = await stage.taken()
        assert (taken.id, taken.values) == (added.id, {"n": 1})

    @requires(Feature.QUEUE_REMOVE)
    async def test_a_removed_item_is_not_taken(self, stage: Stage) -> None:
        added = await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}))
        await stage.adapter.queues.remove(added)
        assert await stage.adapter.queues.take(stage.queue) is None

    @requires(Feature.QUEUE_REMOVE)
    async def test_a_taken_item_cannot_be_removed(self, stage: Stage) -> None:
        item = await stage.taken_new()
        with stage.refused(ConflictError):
            await stage.adapter.queues.remove(item)
        await stage.adapter.queues.complete(item)

    @requires(Feature.QUEUE_RETRY)
    async def test_a_failed_item_is_tried_again_on_request(self, stage: Stage) -> None:
        item = await stage.taken_new()
        await stage.adapter.queues.fail(item, BUSINESS)
        again = await stage.adapter.queues.retry(item)
        assert again.id != item.id
        assert (again.retry_of, again.state, again.values) == (item.id, ItemState.NEW, item.values)
        assert (await stage.taken()).id == again.id
