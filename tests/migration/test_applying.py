"""Carrying out plans, between all pairs of platforms, on good days and on bad ones."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import AddResult, AddStatus, Item, ItemDraft, ItemState, QueueDraft
from rpa_bridge.errors import AuthError, MigrationError, RemoteError, UnavailableError
from rpa_bridge.migration.applying.apply import apply
from rpa_bridge.migration.applying.item_looks import LONGEST_SEND
from rpa_bridge.migration.applying.item_moves import ItemMove
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.ending.rollback import rollback
from rpa_bridge.migration.journal.base import LANDED, Change, RowState, StepKey
from rpa_bridge.migration.letters import requeue
from rpa_bridge.migration.running import Progress, Run
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.verifying.verify import verify
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from tests.migration.ends import FILES, ONCE, QUEUE, SECRETS, Ends, drafts, fitting_rules
from tests.migration.moved import draft_of, new_items
from tests.migration.moves import Crash, applied, assets_of, crash_at, files_of, items_of, planned, running

ITEMS = Selection(queues=("Move*",))
TO_UIPATH = pytest.mark.parametrize("ends", [("local", "uipath")], indirect=True)
TO_BOTMAESTRO = pytest.mark.parametrize("ends", [("local", "botmaestro")], indirect=True)
LABELS = [
    "stock.rows",
    "stock.step",
    "stock.taken",
    "things.intended",
    "things.made",
    "things.settled",
    "items.read",
    "items.intended",
    "items.answered",
    "items.settled",
    "files.intended",
    "files.uploaded",
    "files.settled",
    "step.done",
]


def forget(folder: Path) -> None:
    """Takes the journal away, as its sentence says where it is damaged."""
    for file in folder.glob("journal.db*"):
        if file.suffix != ".seq":
            file.unlink()


def at(label: str, act: Callable[[], None]) -> Callable[[str], None]:
    """Acts whenever the point is reached."""

    def reached(here: str) -> None:
        if here == label:
            act()

    return reached


async def test_everything_goes_from_each_platform_to_each(ends: Ends, tmp_path: Path) -> None:
    source, target = ends.source.adapter, ends.target.adapter
    document = await planned(ends)

    result = await applied(ends, document, tmp_path)

    assert (result.open, result.letters) == (0, 0)
    for queue in (QUEUE, ONCE):
        here, there = await items_of(source, queue), await items_of(target, queue)
        assert there.total() == here.total()
        losses = [loss for step in document.steps if step.name == queue for loss in step.losses]
        assert there == here or losses, "what is not the same is told in the plan"
    if Feature.ASSET_PUT in source.capabilities and Feature.ASSET_PUT in target.capabilities:
        assert await assets_of(target, "Move") == await assets_of(source, "Move")
    files = await files_of(target)
    assert {name: files.get(name) for name in FILES} == FILES
    if target.capabilities.limits.reads_secrets and source.capabilities.limits.reads_secrets:
        revealed = await target.credentials.reveal("Move login")
        assert {key: value.get_secret_value() for key, value in revealed.fields.items()} == SECRETS


async def test_the_target_stays_inactive_where_it_can_be_switched_off(ends: Ends, tmp_path: Path) -> None:
    await applied(ends, await planned(ends, ITEMS), tmp_path)

    found = await ends.target.adapter.queues.get(QUEUE)

    assert found.active is (Feature.QUEUE_DEACTIVATE not in ends.target.adapter.capabilities)


async def test_carrying_it_out_again_sends_nothing_more(ends: Ends, tmp_path: Path) -> None:
    document = await planned(ends)
    await applied(ends, document, tmp_path)
    before = ends.target.effects()

    result = await applied(ends, document, tmp_path)

    assert result.open == 0
    assert ends.target.effects() == before


async def test_with_a_new_journal_nothing_is_doubled_either(ends: Ends, tmp_path: Path) -> None:
    """The marks tell, even where the journal was lost."""
    document = await planned(ends, ITEMS)
    await applied(ends, document, tmp_path)
    (tmp_path / "other").mkdir()

    await applied(ends, document, tmp_path / "other")

    assert (await items_of(ends.target.adapter, QUEUE)).total() == len(drafts(ends.source.adapter))


@pytest.mark.parametrize("label", LABELS)
async def test_it_can_die_at_every_point_and_goes_on(local_ends: Ends, tmp_path: Path, label: str) -> None:
    document = await planned(local_ends)
    deaths = 0
    for _ in range(60):
        try:
            result = await applied(local_ends, document, tmp_path, reached=crash_at(label))
        except Crash:
            deaths += 1
            # one who dies before the point is crossed once would die there for ever: let it pass this time
            with_one_more = crash_at(label, after=deaths)
            try:
                result = await applied(local_ends, document, tmp_path, reached=with_one_more)
            except Crash:
                continue
        break

    assert deaths
    assert (result.open, result.letters) == (0, 0)
    for queue in (QUEUE, ONCE):
        assert await items_of(local_ends.target.adapter, queue) == await items_of(local_ends.source.adapter, queue)
    assert await files_of(local_ends.target.adapter) == FILES


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
@pytest.mark.parametrize("ends", [("local", "uipath"), ("local", "botmaestro")], indirect=True)
async def test_an_answer_that_is_lost_loses_and_doubles_nothing(ends: Ends, when: When, tmp_path: Path) -> None:
    document = await planned(ends, ITEMS)
    assert ends.target.sandbox is not None
    for match in ("POST */odata/Queues/*", "POST */push*", "POST */datapool*", "POST */odata/QueueDefinitions*"):
        ends.target.sandbox.faults.add(Fault(FaultKind.CUT, match, when=when, times=2))

    result = await applied(ends, document, tmp_path)

    assert (result.open, result.letters) == (0, 0)
    for queue in (QUEUE, ONCE):
        there = await items_of(ends.target.adapter, queue)
        assert there.total() == (await items_of(ends.source.adapter, queue)).total()


@TO_UIPATH
async def test_a_target_that_is_down_pauses_the_move_and_does_not_end_it(ends: Ends, tmp_path: Path) -> None:
    document = await planned(ends, ITEMS)
    assert ends.target.sandbox is not None
    ends.target.sandbox.faults.add(Fault(FaultKind.STATUS, "*/odata/*", status=503, times=60))
    notes: list[str] = []

    async with running(ends, document, tmp_path, on_progress=lambda told: notes.append(told.stage)) as run:
        result = await apply(run, allow_live=True)

    assert "paused" in notes
    assert (result.open, result.letters) == (0, 0)


@TO_UIPATH
async def test_a_target_that_stays_down_ends_it_when_patience_is_over(ends: Ends, tmp_path: Path) -> None:
    document = await planned(ends, ITEMS)
    assert ends.target.sandbox is not None
    ends.target.sandbox.faults.add(Fault(FaultKind.STATUS, "*/odata/*", status=503, times=100_000))

    async with running(ends, document, tmp_path) as run:
        with pytest.raises(MigrationError, match="resume"):
            await apply(run, allow_live=True, patience=600)

    ends.target.sandbox.faults.clear()
    assert (await applied(ends, document, tmp_path)).open == 0


@TO_UIPATH
async def test_a_login_that_is_refused_is_raised_at_once_and_it_goes_on_later(ends: Ends, tmp_path: Path) -> None:
    document = await planned(ends, ITEMS)
    assert ends.target.sandbox is not None
    ends.target.sandbox.faults.add(Fault(FaultKind.STATUS, "POST *BulkAdd*", status=401, times=2))

    with pytest.raises((AuthError, RemoteError)):
        await applied(ends, document, tmp_path)

    ends.target.sandbox.faults.clear()
    await ends.clock.sleep(1000)  # a refused login is remembered for a while
    assert (await applied(ends, document, tmp_path)).open == 0


async def test_a_source_that_changed_since_the_plan_is_refused_before_anything_is_sent(
    local_ends: Ends, tmp_path: Path
) -> None:
    document = await planned(local_ends, ITEMS)
    await local_ends.source.adapter.queues.add(QUEUE, ItemDraft(values={"late": True}))

    with pytest.raises(MigrationError, match="plan again"):
        await applied(local_ends, document, tmp_path)

    assert [one async for one in local_ends.target.adapter.queues.find()] == []
    async with running(local_ends, document, tmp_path) as run:
        result = await apply(run, allow_live=True, allow_drift=True)
    assert result.open == 0
    assert (await items_of(local_ends.target.adapter, QUEUE)).total() == len(drafts(local_ends.source.adapter)) + 1


async def test_a_changed_source_and_a_lost_journal_together_need_only_the_leave_that_is_named(
    local_ends: Ends, tmp_path: Path
) -> None:
    source = local_ends.source.adapter
    document = await planned(local_ends, ITEMS)
    await applied(local_ends, document, tmp_path)
    await source.queues.add(QUEUE, ItemDraft(values={"late": True}))
    forget(tmp_path)

    for _ in range(2):
        with pytest.raises(MigrationError, match=r"changed since .* with --allow-drift"):
            await applied(local_ends, document, tmp_path)

    async with running(local_ends, document, tmp_path) as run:
        assert (await apply(run, allow_live=True, allow_drift=True)).open == 0
    assert await items_of(local_ends.target.adapter, QUEUE) == await items_of(source, QUEUE)


@pytest.mark.parametrize("select", [Selection(artifacts=("**",)), ITEMS], ids=["files", "items"])
async def test_stock_that_was_broken_off_is_taken_to_its_end_and_nothing_is_counted_twice(
    local_ends: Ends, tmp_path: Path, select: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.migration.applying.stocktaking.BATCH", 1)
    document = await planned(local_ends, select)
    with pytest.raises(Crash):
        await applied(local_ends, document, tmp_path, reached=crash_at("stock.rows"))

    result = await applied(local_ends, document, tmp_path)

    assert (result.open, result.letters) == (0, 0)


async def test_stock_goes_on_though_the_last_item_that_was_counted_is_gone(
    local_ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.migration.applying.stocktaking.BATCH", 1)
    source = local_ends.source.adapter
    document = await planned(local_ends, Selection(queues=(QUEUE,)))
    with pytest.raises(Crash):
        await applied(local_ends, document, tmp_path, reached=crash_at("stock.rows"))
    await source.queues.remove(await anext(source.queues.items(QUEUE)))

    async with running(local_ends, document, tmp_path) as run:
        result = await apply(run, allow_live=True, allow_drift=True)

    assert (result.open, result.letters) == (0, 1)
    assert await items_of(local_ends.target.adapter, QUEUE) == await items_of(source, QUEUE)


async def test_an_item_that_changes_or_goes_during_the_move_is_a_dead_letter(local_ends: Ends, tmp_path: Path) -> None:
    source = local_ends.source.adapter
    document = await planned(local_ends, ITEMS)
    with pytest.raises(Crash):
        await applied(local_ends, document, tmp_path, reached=crash_at("stock.taken"))
    first, second = [one async for one in source.queues.items(QUEUE)][:2]
    await source.queues.remove(first)
    await source.queues.postpone(second, local_ends.clock.now())

    result = await applied(local_ends, document, tmp_path)

    assert (result.open, result.letters) == (0, 2)
    async with running(local_ends, document, tmp_path) as run:
        letters = {row.src_id: row.code for row in await run.journal.rows(states={RowState.DEAD})}
    assert letters == {first.id: "not_there", second.id: "drifted"}


async def test_a_queue_that_came_meanwhile_gets_no_items_until_a_person_has_looked(
    local_ends: Ends, tmp_path: Path
) -> None:
    document = await planned(local_ends, Selection(queues=(QUEUE,)))
    target = local_ends.target.adapter
    theirs = await target.queues.create(QueueDraft(name=QUEUE, retries=7))
    await target.queues.add(QUEUE, ItemDraft(values={"somebody": "else"}))

    for _ in range(2):
        with pytest.raises(MigrationError, match=r"is at the target already; .* nowhere to go; .* requeue it"):
            await applied(local_ends, document, tmp_path)
    assert (await items_of(target, QUEUE, state=None)).total() == 1
    assert await target.queues.get(QUEUE) == theirs

    await target.queues.delete(QUEUE)
    with pytest.raises(MigrationError, match="requeue it"):
        await applied(local_ends, document, tmp_path)
    async with running(local_ends, document, tmp_path) as run:
        assert await requeue(run.journal, run.clock, codes={"in_the_way"}) == 1
    assert (await applied(local_ends, document, tmp_path)).letters == 0
    assert await items_of(target, QUEUE) == await items_of(local_ends.source.adapter, QUEUE)
    assert not (await target.queues.get(QUEUE)).active


async def test_a_queue_in_the_way_that_holds_copies_already_is_gone_on_with_though_the_journal_is_lost(
    local_ends: Ends, tmp_path: Path
) -> None:
    source, target = local_ends.source.adapter, local_ends.target.adapter
    await source.queues.add_many(QUEUE, [ItemDraft(values={"n": number}) for number in range(200)])
    document = await planned(local_ends, Selection(queues=(QUEUE,)))
    with pytest.raises(Crash):
        await applied(local_ends, document, tmp_path, reached=crash_at("items.settled"))
    assert 0 < (await items_of(target, QUEUE)).total() < (await items_of(source, QUEUE)).total()
    (tmp_path / "other").mkdir()

    result = await applied(local_ends, document, tmp_path / "other")

    assert (result.open, result.letters) == (0, 1)
    assert await items_of(target, QUEUE) == await items_of(source, QUEUE)


@pytest.mark.parametrize("label", ["things.intended", "things.made", "things.settled"])
async def test_a_queue_that_is_replaced_stays_as_active_as_it_was_wherever_the_process_dies(
    local_ends: Ends, tmp_path: Path, label: str
) -> None:
    target = local_ends.target.adapter
    await target.queues.create(QueueDraft(name=QUEUE, retries=7))
    rules = await fitting_rules(target, conflicts={"queues": "replace"})
    document = await planned(local_ends, Selection(queues=(QUEUE,)), rules)
    with pytest.raises(Crash):
        await applied(local_ends, document, tmp_path, reached=crash_at(label))

    assert (await applied(local_ends, document, tmp_path)).letters == 0

    found = await target.queues.get(QUEUE)
    assert (found.retries, found.active) == (2, True)
    async with running(local_ends, document, tmp_path) as run:
        assert [row.existed for row in await run.journal.rows(step=StepKey(Kind.QUEUE, QUEUE))] == [True]


async def test_a_queue_that_was_replaced_stays_active_though_the_journal_forgot_that(
    local_ends: Ends, tmp_path: Path
) -> None:
    target = local_ends.target.adapter
    await target.queues.create(QueueDraft(name=QUEUE, retries=7))
    rules = await fitting_rules(target, conflicts={"queues": "replace"})
    document = await planned(local_ends, Selection(queues=(QUEUE,)), rules)
    await applied(local_ends, document, tmp_path)
    forget(tmp_path)

    assert (await applied(local_ends, document, tmp_path)).letters == 0

    assert (await target.queues.get(QUEUE)).active


async def test_a_live_source_is_refused_unless_one_says_so(local_ends: Ends, tmp_path: Path) -> None:
    await local_ends.source.adapter.queues.take(QUEUE)
    document = await planned(local_ends, ITEMS)

    async with running(local_ends, document, tmp_path) as run:
        with pytest.raises(MigrationError, match="at work"):
            await apply(run)

    assert [one async for one in local_ends.target.adapter.queues.find()] == []


async def test_what_was_allowed_when_it_was_begun_is_so_when_it_goes_on(local_ends: Ends, tmp_path: Path) -> None:
    source, target = local_ends.source.adapter, local_ends.target.adapter
    document = await planned(local_ends, ITEMS)
    assert document.live
    await source.queues.add(QUEUE, ItemDraft(values={"late": True}))
    async with running(local_ends, document, tmp_path, reached=crash_at("stock.step")) as run:
        with pytest.raises(Crash):
            await apply(run, allow_live=True, allow_drift=True)

    async with running(local_ends, document, tmp_path) as run:
        assert (await apply(run)).open == 0
    assert await items_of(target, QUEUE) == await items_of(source, QUEUE)


async def test_a_reference_that_the_queue_has_already_is_a_conflict_and_not_a_loss(
    local_ends: Ends, tmp_path: Path
) -> None:
    target = local_ends.target.adapter
    await target.queues.create(QueueDraft(name=ONCE, unique_references=True))
    await target.queues.add(ONCE, ItemDraft(values={"somebody": "else"}, reference="O-1"))
    rules = await fitting_rules(target, conflicts={"queues": "skip"})
    document = await planned(local_ends, Selection(queues=(ONCE,)), rules)

    result = await applied(local_ends, document, tmp_path)

    assert result.letters == 1
    assert (await items_of(target, ONCE)).total() == 3
    async with running(local_ends, document, tmp_path) as run:
        (row,) = await run.journal.rows(states={RowState.CONFLICT})
    assert (row.code, "requeue" in row.hint) == ("duplicate", True)


async def test_asked_to_drain_it_finishes_what_is_under_way_and_goes_on_later(local_ends: Ends, tmp_path: Path) -> None:
    source = local_ends.source.adapter
    await source.queues.add_many(QUEUE, [ItemDraft(values={"n": number}) for number in range(1000)])
    document = await planned(local_ends, ITEMS)
    draining = asyncio.Event()

    result = await applied(local_ends, document, tmp_path, reached=at("items.settled", draining.set), draining=draining)

    assert result.open > 0
    landed = sum(number for step in result.counts.values() for state, number in step.items() if state in LANDED)
    assert landed > 0
    assert (await applied(local_ends, document, tmp_path)).open == 0
    assert await items_of(local_ends.target.adapter, QUEUE) == await items_of(source, QUEUE)


@pytest.mark.parametrize("ends", [("uipath", "local")], indirect=True)
async def test_asked_to_drain_before_stock_is_taken_it_does_not_say_that_all_is_done(
    ends: Ends, tmp_path: Path
) -> None:
    document = await planned(ends, ITEMS)
    assert ends.source.sandbox is not None
    ends.source.sandbox.faults.add(Fault(FaultKind.STATUS, "*/odata/*", status=503, times=100_000))
    draining = asyncio.Event()

    async with running(ends, document, tmp_path, draining=draining, on_progress=lambda _: draining.set()) as run:
        result = await apply(run, allow_live=True)

    assert not result.stocked
    ends.source.sandbox.faults.clear()
    result = await applied(ends, document, tmp_path)
    assert (result.stocked, result.open) == (True, 0)
    assert (await items_of(ends.target.adapter, QUEUE)).total() == (await items_of(ends.source.adapter, QUEUE)).total()


async def test_a_plan_for_other_ends_is_refused(local_ends: Ends, tmp_path: Path) -> None:
    document = await planned(local_ends, ITEMS)
    turned = Ends(local_ends.target, local_ends.source, local_ends.clock)

    with pytest.raises(MigrationError, match="plan again"):
        await applied(turned, document, tmp_path)


async def test_items_worked_at_the_target_meanwhile_are_not_sent_again(local_ends: Ends, tmp_path: Path) -> None:
    document = await planned(local_ends, ITEMS)
    await applied(local_ends, document, tmp_path)
    target = local_ends.target.adapter
    await target.queues.activate(QUEUE)
    item = await target.queues.take(QUEUE)
    assert item is not None
    await target.queues.complete(item)
    (tmp_path / "other").mkdir()

    await applied(local_ends, document, tmp_path / "other")

    assert (await items_of(target, QUEUE, state=None)).total() == len(drafts(local_ends.source.adapter))
    assert (await items_of(target, QUEUE, state=ItemState.DONE)).total() == 1


async def test_what_was_rolled_back_is_not_begun_again_by_mistake(local_ends: Ends, tmp_path: Path) -> None:
    document = await planned(local_ends, ITEMS)
    await applied(local_ends, document, tmp_path)
    async with running(local_ends, document, tmp_path) as run:
        await rollback(run)

    with pytest.raises(MigrationError, match="rolled back"):
        await applied(local_ends, document, tmp_path)

    (tmp_path / "away").mkdir()
    assert (await applied(local_ends, document, tmp_path / "away")).open == 0, "its journal was moved away"
    async with running(local_ends, document, tmp_path / "away") as run:
        await rollback(run)

    (tmp_path / "anew").mkdir()
    rules = await fitting_rules(local_ends.target.adapter, conflicts={"queues": "skip"})
    again = await planned(local_ends, ITEMS, rules)
    assert (await applied(local_ends, again, tmp_path / "anew")).open == 0
    assert await items_of(local_ends.target.adapter, QUEUE) == await items_of(local_ends.source.adapter, QUEUE)


async def test_a_requeued_item_that_is_there_after_all_is_not_sent_again(local_ends: Ends, tmp_path: Path) -> None:
    document = await planned(local_ends, ITEMS)
    await applied(local_ends, document, tmp_path)
    async with running(local_ends, document, tmp_path) as run:
        [row] = [row for row in await run.journal.rows(states={RowState.CONFIRMED}) if row.step.kind is Kind.ITEMS][:1]
        await run.journal.settle([Change(seq=row.seq, to=RowState.CONFLICT, code="other_content")], run.clock.now())
        await requeue(run.journal, run.clock, seqs={row.seq})

    assert (await applied(local_ends, document, tmp_path)).open == 0
    assert await items_of(local_ends.target.adapter, QUEUE) == await items_of(local_ends.source.adapter, QUEUE)


async def test_who_takes_over_waits_until_the_one_that_hangs_can_send_no_more(local_ends: Ends, tmp_path: Path) -> None:
    document = await planned(local_ends, ITEMS)
    with pytest.raises(Crash):
        await applied(local_ends, document, tmp_path, reached=crash_at("items.intended"))
    before = local_ends.clock.monotonic()

    result = await applied(local_ends, document, tmp_path, take_over=True)

    assert local_ends.clock.monotonic() - before >= LONGEST_SEND
    assert result.open == 0
    assert await items_of(local_ends.target.adapter, QUEUE) == await items_of(local_ends.source.adapter, QUEUE)


@TO_BOTMAESTRO
async def test_a_file_that_arrives_after_its_process_died_is_not_sent_again(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await planned(ends)
    with pytest.raises(Crash):
        await applied(ends, document, tmp_path, reached=crash_at("files.intended"))
    job = document.rules["artifacts"][0]["job"]
    waits: list[float] = []

    async def arrive(run: Run, seconds: float) -> None:
        waits.append(seconds)
        there = await files_of(run.target)
        for name, content in FILES.items() if len(waits) == 1 else ():
            if name not in there:
                await run.target.artifacts.upload(name, content, size=len(content), job=job)

    monkeypatch.setattr(Run, "pause", arrive)

    result = await applied(ends, document, tmp_path)

    assert waits
    assert (result.open, result.letters) == (0, 0)
    assert sorted([one.name async for one in ends.target.adapter.artifacts.find()]) == sorted(FILES)


@TO_BOTMAESTRO
async def test_a_record_whose_content_never_came_is_no_obstacle(ends: Ends, tmp_path: Path) -> None:
    document = await planned(ends, Selection(artifacts=("**",)))
    assert ends.target.sandbox is not None
    ends.target.sandbox.faults.add(Fault(FaultKind.CUT, "POST */artifact/log/*", times=12))

    result = await applied(ends, document, tmp_path)

    assert (result.open, result.letters) == (0, 0)
    records = [one async for one in ends.target.adapter.artifacts.find()]
    assert len(records) > len(FILES), "some are without content"
    async with running(ends, document, tmp_path) as run:
        assert (await verify(run, deep=True)).equal


class Held:
    """One of the target's `add_many` is on its way until somebody waits; whoever does not wait has it come too late."""

    def __init__(self, ends: Ends, patch: pytest.MonkeyPatch, *, after: int = 0) -> None:
        """It is the one after so many."""
        queues = ends.target.adapter.queues
        self.waits: list[float] = []
        self._left, self._held, self._add_many = after, list[ItemDraft](), queues.add_many
        patch.setattr(queues, "add_many", self.add_many)

        async def pause(run: Run, seconds: float) -> None:
            self.waits.append(seconds)
            await self.arrive()
            await run.clock.sleep(seconds)

        patch.setattr(Run, "pause", pause)

    async def add_many(self, queue: str, drafts: list[ItemDraft], *, on_result: Callable[[AddResult], None]) -> None:
        if self._left == 0:
            self._left, self._queue, self._held = -1, queue, list(drafts)
            await self.broken_off(on_result)
            return
        self._left -= 1
        await self.arrive()
        await self._add_many(queue, drafts, on_result=on_result)

    async def broken_off(self, on_result: Callable[[AddResult], None]) -> None:
        raise Crash("with a request on its way")

    async def arrive(self) -> None:
        held, self._held = self._held, []
        if held:
            await self._add_many(self._queue, held)


@TO_BOTMAESTRO
async def test_the_settle_window_counts_from_the_end_of_the_sending(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Held):
        async def broken_off(self, on_result: Callable[[AddResult], None]) -> None:
            ends.clock.advance(LONGEST_SEND - 10)
            for position, draft in enumerate(self._held):
                on_result(AddResult(position=position, reference=draft.reference, status=AddStatus.UNKNOWN))

    document = await planned(ends, Selection(queues=(QUEUE,)))
    held = Slow(ends, monkeypatch)

    result = await applied(ends, document, tmp_path)

    assert held.waits, "for what was sent long after it was written down"
    assert (result.open, result.letters) == (0, 0)
    assert (await items_of(ends.target.adapter, QUEUE)).total() == len(drafts(ends.source.adapter))


@TO_BOTMAESTRO
@pytest.mark.parametrize("by", ["the same plan", "a new plan"])
async def test_without_the_journal_that_knew_it_what_is_on_its_way_is_waited_for(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(ItemMove, "_size", 1)
    document = await planned(ends, Selection(queues=(QUEUE,)))
    held = Held(ends, monkeypatch, after=1)
    with pytest.raises(Crash):
        await applied(ends, document, tmp_path)
    if by == "a new plan":
        rules = await fitting_rules(ends.target.adapter, conflicts={"queues": "skip"})
        document = await planned(ends, Selection(queues=(QUEUE,)), rules)
    (tmp_path / "other").mkdir()

    result = await applied(ends, document, tmp_path / "other")

    assert 0 < sum(held.waits) <= ends.target.adapter.settle_window
    assert result.open == 0
    assert (await items_of(ends.target.adapter, QUEUE)).total() == len(drafts(ends.source.adapter))


@TO_BOTMAESTRO
async def test_a_journal_from_an_older_copy_doubles_nothing(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent since is found, and what of it is on its way is waited for."""
    await ends.source.adapter.queues.add_many(QUEUE, [ItemDraft(values={"n": number}) for number in range(20)])
    monkeypatch.setattr(ItemMove, "_size", 5)
    document = await planned(ends, Selection(queues=(QUEUE,)))
    draining = asyncio.Event()
    journal, older = tmp_path / "journal", tmp_path / "older"
    journal.mkdir()
    await applied(ends, document, journal, reached=at("items.settled", draining.set), draining=draining)
    shutil.copytree(journal, older)
    held = Held(ends, monkeypatch, after=2)
    with pytest.raises(Crash):
        await applied(ends, document, journal)

    result = await applied(ends, document, older)

    assert held.waits
    assert (result.open, result.letters) == (0, 0)
    total = len(drafts(ends.source.adapter)) + 20
    assert (await items_of(ends.target.adapter, QUEUE)).total() == total


@TO_BOTMAESTRO
async def test_nothing_is_waited_for_in_a_queue_that_the_migration_made(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ItemMove, "_size", 5)
    document = await planned(ends, ITEMS)
    draining = asyncio.Event()
    before = ends.clock.monotonic()

    await applied(ends, document, tmp_path, reached=at("items.settled", draining.set), draining=draining)
    result = await applied(ends, document, tmp_path)

    assert result.open == 0
    assert ends.clock.monotonic() - before < ends.target.adapter.settle_window


async def test_what_is_at_the_target_twice_already_stops_nothing(local_ends: Ends, tmp_path: Path) -> None:
    target = local_ends.target.adapter
    document = await planned(local_ends, ITEMS)
    await applied(local_ends, document, tmp_path)
    await target.queues.add(QUEUE, draft_of((await new_items(target, QUEUE))[0]))
    (tmp_path / "other").mkdir()

    result = await applied(local_ends, document, tmp_path / "other")

    assert result.open == 0
    assert (await items_of(target, QUEUE)).total() == len(drafts(local_ends.source.adapter)) + 1


async def test_a_refusal_that_cannot_be_looked_into_leaves_nothing_untold(
    local_ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = local_ends.target.adapter.queues
    await queues.create(QueueDraft(name=ONCE, unique_references=True))
    await queues.add(ONCE, ItemDraft(values={"somebody": "else"}, reference="O-1"))
    rules = await fitting_rules(local_ends.target.adapter, conflicts={"queues": "skip"})
    document = await planned(local_ends, Selection(queues=(ONCE,)), rules)
    items, fails = queues.items, [True]

    async def failing(queue: str, *, reference: str | None = None, **more: Any) -> AsyncIterator[Item]:
        if reference is not None and fails.pop():
            fails.append(False)
            raise UnavailableError("down")
        async for item in items(queue, reference=reference, **more):
            yield item

    monkeypatch.setattr(queues, "items", failing)

    result = await applied(local_ends, document, tmp_path)

    assert (result.open, result.letters) == (0, 1)
    assert (await items_of(local_ends.target.adapter, ONCE)).total() == 3


@TO_UIPATH
async def test_asked_to_drain_while_it_waits_for_files_it_buries_none(ends: Ends, tmp_path: Path) -> None:
    document = await planned(ends, Selection(artifacts=("**",)))
    with pytest.raises(Crash):
        await applied(ends, document, tmp_path, reached=crash_at("files.intended"))
    draining = asyncio.Event()

    def drain(told: Progress) -> None:
        if told.note:
            draining.set()

    result = await applied(ends, document, tmp_path, draining=draining, on_progress=drain)

    assert (result.open, result.letters) == (len(FILES), 0)
    assert (await applied(ends, document, tmp_path)).open == 0
    files = await files_of(ends.target.adapter)
    assert {name: files.get(name) for name in FILES} == FILES
