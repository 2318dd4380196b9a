"""Standard tests of lists of items, and of the marks by which whoever added an item finds it again."""

from __future__ import annotations

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import AddStatus, Item, ItemDraft, ItemState
from rpa_bridge.errors import InvalidError, NotFoundError

from .queues import APPLICATION
from .stage import Stage, listed
from .standard import requires

LONGEST = "m" * 61 + "-_."
NO_MARKS = ("", " ", "a b", "größer", "it's", "a,b", "100%", "a\n", "m" * 65)


async def _added(stage: Stage, *marks: str | None) -> list[Item]:
    drafts = [ItemDraft(values={"n": number}, mark=mark) for number, mark in enumerate(marks)]
    return [await stage.adapter.queues.add(stage.queue, draft) for draft in drafts]


class ItemListTests:
    """Standard tests of `items`, and of what it filters by."""

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_come_oldest_first(self, stage: Stage) -> None:
        added = []
        for number in range(3):
            added.append(await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": number})))
            stage.harness.advance(1)
        found = await listed(stage.adapter.queues.items(stage.queue))
        assert [item.id for item in found] == [item.id for item in added]
        assert [item.values for item in found] == [{"n": 0}, {"n": 1}, {"n": 2}]

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_are_filtered_by_state(self, stage: Stage) -> None:
        for number in range(2):
            await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": number}))
        taken = await stage.taken()
        found = {}
        for state in (ItemState.NEW, ItemState.TAKEN, ItemState.DONE):
            found[state] = [item.id async for item in stage.adapter.queues.items(stage.queue, state=state)]
        assert found[ItemState.TAKEN] == [taken.id]
        assert len(found[ItemState.NEW]) == 1
        assert found[ItemState.DONE] == []

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_are_filtered_by_reference(self, stage: Stage) -> None:
        for reference in ("a", "a'b", "A", "ab"):
            await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": 1}, reference=reference))
        for reference in ("a", "a'b"):
            found = await listed(stage.adapter.queues.items(stage.queue, reference=reference))
            assert [item.reference for item in found] == [reference]

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_go_beyond_one_page(self, stage: Stage) -> None:
        count = stage.harness.page + 5
        for number in range(count):
            await stage.adapter.queues.add(stage.queue, ItemDraft(values={"n": number}))
        found = [item.values["n"] async for item in stage.adapter.queues.items(stage.queue)]
        assert found == list(range(count))

    @requires(Feature.QUEUE_ITEMS)
    async def test_an_unknown_queue_has_no_items(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await listed(stage.adapter.queues.items(stage.new_name("queue")))

    @requires("queues.add", "queues.take")
    async def test_a_mark_comes_back_and_stays_out_of_the_values(self, stage: Stage) -> None:
        for mark in ("run-7/0001", LONGEST):
            [added] = await _added(stage, mark)
            taken = await stage.taken()
            assert (added.mark, taken.mark) == (mark, mark)
            assert added.values == taken.values == {"n": 0}

    @requires("queues.add")
    async def test_a_mark_that_not_every_platform_could_keep_is_refused_before_sending(self, stage: Stage) -> None:
        for mark in NO_MARKS:
            with stage.refused(InvalidError, unsent=True):
                await _added(stage, mark)

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_are_found_by_what_their_marks_begin_with(self, stage: Stage) -> None:
        marks = ("run-7/1", "RUN-7/1", "run-7/10", None, "run-71", "run", "x/run-7/1", LONGEST)
        items = await _added(stage, *marks)
        for start in ("run-7/", "run-7/1", "run-7/10", "run", "X", LONGEST):
            found = [one.mark async for one in stage.adapter.queues.items(stage.queue, mark=start)]
            assert found == [mark for mark in marks if mark is not None and mark.startswith(start)]
        assert items[3].id in [one.id async for one in stage.adapter.queues.items(stage.queue)]
        await stage.taken()
        taken = stage.adapter.queues.items(stage.queue, mark="run-7/", state=ItemState.TAKEN)
        assert [one.id async for one in taken] == [items[0].id]

    @requires(Feature.QUEUE_ITEMS)
    async def test_what_can_be_no_mark_is_not_looked_for(self, stage: Stage) -> None:
        for mark in NO_MARKS:
            with stage.refused(InvalidError, unsent=True):
                await listed(stage.adapter.queues.items(stage.queue, mark=mark))

    @requires(Feature.QUEUE_ITEMS, "queues.get", "queues.fail")
    async def test_a_retry_carries_the_mark_of_the_first_attempt(self, stage: Stage) -> None:
        retries = (await stage.adapter.queues.get(stage.queue)).retries
        item = await stage.taken_new(ItemDraft(values={"n": 1}, mark="run-7/1"))
        await stage.adapter.queues.fail(item, APPLICATION)
        found = [one.retry_of async for one in stage.adapter.queues.items(stage.queue, mark="run-7/1")]
        assert found == ([None, item.id] if retries else [None])

    @requires(Feature.QUEUE_ADD_MANY, Feature.QUEUE_ITEMS)
    async def test_each_of_many_items_carries_its_own_mark(self, stage: Stage) -> None:
        count = (stage.limits.batch_size or 20) + 5
        drafts = [ItemDraft(values={"n": number}, mark=f"run-7/{number}") for number in range(count)]
        drafts += [ItemDraft(values={"n": -1}), ItemDraft(values={"n": -2}, mark="run 7")]
        summary = await stage.adapter.queues.add_many(stage.queue, drafts)
        assert (summary.added, summary.refused, summary.unknown) == (count + 1, 1, 0)
        assert [(one.position, one.status) for one in summary.problems] == [(count + 1, AddStatus.REFUSED)]
        found = [one async for one in stage.adapter.queues.items(stage.queue, mark="run-7/")]
        assert {one.mark: one.values["n"] for one in found} == {one.mark: one.values["n"] for one in drafts[:count]}
        assert len(found) == count

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_after_one_are_all_that_follow_it(self, stage: Stage) -> None:
        ids = [one.id for one in await _added(stage, *("run-7/1", "x") * (stage.harness.page // 2 + 3))]
        for place in (0, 2, len(ids) - 1):
            found = [one.id async for one in stage.adapter.queues.items(stage.queue, after=ids[place])]
            assert found == ids[place + 1 :]
        marked = stage.adapter.queues.items(stage.queue, mark="run", after=ids[1])
        assert [one.id async for one in marked] == ids[2::2]

    @requires(Feature.QUEUE_ITEMS)
    async def test_items_are_not_listed_after_what_is_no_id(self, stage: Stage) -> None:
        for after in ("", " "):
            with stage.refused(InvalidError, NotFoundError, unsent=True):
                await listed(stage.adapter.queues.items(stage.queue, after=after))
