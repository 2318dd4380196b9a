"""Taking back what was copied: only what this migration made, and only while nobody has touched it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Item, ItemDraft, ItemState
from rpa_bridge.errors import MigrationError, NotFoundError, RemoteError, UnavailableError
from rpa_bridge.migration.applying.item_looks import LONGEST_SEND
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.ending.retire import retire
from rpa_bridge.migration.journal.base import Change, RowState
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.verifying.verdicts import Outcome
from rpa_bridge.migration.verifying.verify import verify
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from tests.migration.ends import CONTAINER, CREDENTIAL, ONCE, QUEUE, Ends, fitting_rules
from tests.migration.moved import (
    ENOUGH,
    MANY,
    Moved,
    OpenEnds,
    activated,
    asset_names,
    draft_of,
    everything,
    moved,
    new_items,
    retired,
    rolled_back,
    told_of,
    verified,
    with_many,
)
from tests.migration.moves import Crash, crash_at, files_of, planned

ITEMS = Selection(queues=("Move*",))


async def test_what_was_copied_from_each_platform_to_each_is_taken_back(ends: Ends) -> None:
    done = await verified(ends, select=ITEMS)
    own = await done.target.queues.add(QUEUE, ItemDraft(values={"somebody": "else"}))
    before = await new_items(done.source, QUEUE)

    result = await rolled_back(done)

    assert [one.id for one in await new_items(done.target, QUEUE)] == [own.id]
    assert await new_items(done.source, QUEUE) == before
    assert {row.state for row in await done.rows(Kind.ITEMS, QUEUE)} == {RowState.ROLLED_BACK}
    assert told_of(result, Kind.ITEMS, QUEUE).removed == len(before)
    assert "by hand" in told_of(result, Kind.QUEUE, QUEUE).findings[0]
    found = await done.target.queues.get(QUEUE)
    assert found.active is (Feature.QUEUE_DEACTIVATE not in done.target.capabilities)
    assert all(one.removed == 0 for one in (await rolled_back(done)).steps)
    assert "rolled back" in (await done.verdict(Kind.ITEMS, QUEUE)).warnings[-1]
    with pytest.raises(MigrationError, match="rolled back"):
        await activated(done)


async def test_things_are_taken_back_where_nobody_touched_them(local_ends: Ends) -> None:
    done = await verified(local_ends)
    await done.target.assets.put("Move count", 1)

    result = await rolled_back(done)

    assert await asset_names(done.target) == {"Move count"}
    assert await files_of(done.target) == {}
    assert [one async for one in done.target.credentials.find()] == []
    assert "changed at the target" in told_of(result, Kind.ASSET, "Move count").findings[0]


async def test_a_file_of_the_same_size_with_other_content_stays(local_ends: Ends) -> None:
    done = await moved(local_ends, Selection(artifacts=("**",)))
    row, other = await done.rows(Kind.ARTIFACTS, CONTAINER)
    await done.journal.settle(
        [Change(seq=row.seq, to=RowState.VERIFIED, expect_hash="0" * 64)], local_ends.clock.now()
    )  # which is how it looks when somebody has put other content there

    result = await rolled_back(done)

    assert len(await files_of(done.target)) == 1
    assert row.src_id in told_of(result, Kind.ARTIFACTS, CONTAINER).findings[0]
    assert other.src_id not in everything(result)


async def test_credentials_are_taken_back_by_their_fields_where_others_have_some_in_the_same_set(
    open_ends: OpenEnds,
) -> None:
    ends = await open_ends("local", "botmaestro")
    done = await moved(ends, Selection(credentials=("Move*",)))
    await done.target.credentials.put(CREDENTIAL, {"pin": SecretStr("canary-of-others")})

    result = await rolled_back(done)

    assert everything(result) == ""
    assert {key async for one in done.target.credentials.find() for key in one.keys if one.name == CREDENTIAL} == {
        "pin"
    }


async def test_secrets_that_nobody_can_read_back_stay_and_are_told(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "uipath", reveals=False)
    done = await moved(ends, Selection(credentials=("Move*",)))

    result = await rolled_back(done)

    assert told_of(result, Kind.CREDENTIAL, CREDENTIAL).stays == 1
    assert [one.name async for one in done.target.credentials.find() if one.name == CREDENTIAL] == [CREDENTIAL]


async def test_what_was_taken_or_changed_at_the_target_stays_and_is_told(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    await activated(done)
    taken = await done.target.queues.take(ONCE)
    assert taken is not None
    changed = await done.replace(await done.copy_of(QUEUE), priority=Priority.HIGH, values={"other": 1})

    result = await rolled_back(done)

    (why,) = told_of(result, Kind.ITEMS, ONCE).findings
    assert taken.id in why
    assert "worked twice" in why
    assert changed.id in told_of(result, Kind.ITEMS, QUEUE).findings[0]
    assert [one.id for one in await new_items(done.target, QUEUE)] == [changed.id]
    assert (await done.target.queues.get_item(ONCE, taken.id)).state is ItemState.TAKEN
    assert {row.state for row in await done.rows(Kind.ITEMS, ONCE)} == {RowState.ROLLED_BACK, RowState.VERIFIED}


async def test_both_of_a_doubled_item_are_taken_back(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    await done.target.queues.add(QUEUE, draft_of(await done.copy_of(QUEUE)))

    result = await rolled_back(done)

    assert await new_items(done.target, QUEUE) == []
    assert told_of(result, Kind.ITEMS, QUEUE).removed == len(await done.rows(Kind.ITEMS, QUEUE)) + 1
    assert {row.state for row in await done.rows(Kind.ITEMS, QUEUE)} == {RowState.ROLLED_BACK}


@pytest.mark.parametrize("other_is", ["first", "last"])
async def test_of_two_with_the_mark_of_one_that_was_perhaps_sent_the_equal_one_is_taken_back(
    local_ends: Ends, other_is: str
) -> None:
    done = Moved(local_ends, await planned(local_ends, ITEMS))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at("items.answered", after=1))
    copy = await done.copy_of(QUEUE)
    other = await done.target.queues.add(QUEUE, replace(draft_of(copy), values={"it is": "another"}))
    if other_is == "first":
        await done.target.queues.remove(copy)
        await done.target.queues.add(QUEUE, draft_of(copy))

    result = await rolled_back(done)

    assert [one.id for one in await new_items(done.target, QUEUE)] == [other.id]
    assert other.id in told_of(result, Kind.ITEMS, QUEUE).findings[0]


async def test_what_was_at_the_target_before_stays(local_ends: Ends) -> None:
    target = local_ends.target.adapter
    await target.assets.put("Move count", 1)
    first = await moved(local_ends, Selection(queues=(QUEUE,)))
    rules = await fitting_rules(target, conflicts={"queues": "skip", "assets": "replace"})
    done = Moved(local_ends, await planned(local_ends, Selection(queues=(QUEUE,), assets=("Move*",)), rules))
    await done.apply()
    there = await new_items(target, QUEUE)

    result = await rolled_back(done)

    assert await new_items(target, QUEUE) == there
    assert len(there) == len(await first.rows(Kind.ITEMS, QUEUE))
    assert await asset_names(target) == {"Move count"}
    assert "before this migration" in told_of(result, Kind.ITEMS, QUEUE).findings[0]
    assert "before this migration" in told_of(result, Kind.ASSET, "Move count").findings[0]


@pytest.mark.parametrize("label", ["rollback.intent", "rollback.removed", "rollback.seen", "rollback.settled"])
@pytest.mark.parametrize("after", [0, 2])
async def test_rolling_back_can_die_at_every_point_and_goes_on(local_ends: Ends, label: str, after: int) -> None:
    done = await verified(await with_many(local_ends))
    number = {name: len(await new_items(done.source, name)) for name in (QUEUE, ONCE, MANY)}
    with pytest.raises(Crash):
        await rolled_back(done, reached=crash_at(label, after=after))

    result = await rolled_back(done)

    for name, here in number.items():
        assert await new_items(done.target, name) == []
        assert len(await new_items(done.source, name)) == here
        assert told_of(result, Kind.ITEMS, name).stays == 0
        assert {row.state for row in await done.rows(Kind.ITEMS, name)} == {RowState.ROLLED_BACK}
    assert (await files_of(done.target), await asset_names(done.target)) == ({}, set())


async def test_whoever_retires_after_a_rollback_that_died_loses_nothing(local_ends: Ends) -> None:
    """The one is about to take the copies away, the other the originals."""
    done = await verified(local_ends, select=ITEMS)
    with pytest.raises(Crash):
        await rolled_back(done, reached=crash_at("rollback.seen"))
    assert await new_items(done.target, ONCE) == []

    await retired(done)

    assert len(await new_items(done.source, ONCE)) == len(await done.rows(Kind.ITEMS, ONCE))


async def test_what_a_rollback_may_still_remove_is_neither_verified_nor_retired(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    remove, flying = done.target.queues.remove, list[Item]()

    async def fly(item: Item) -> None:
        flying.append(item)
        raise Crash("the process dies, and its requests live on")

    done.target.queues.remove = fly  # type: ignore[method-assign]
    with pytest.raises(Crash):
        await rolled_back(done)
    done.target.queues.remove = remove  # type: ignore[method-assign]
    local_ends.clock.advance(LONGEST_SEND - 1)

    told = await done.verdict(Kind.ITEMS, ONCE)
    result = await retired(done)
    with pytest.raises(MigrationError, match="rolled back"):
        await activated(done)
    for item in flying:
        await remove(item)

    assert (told.outcome, len(flying)) == (Outcome.UNFINISHED, 3)
    assert "rollback" in told.findings[0]
    assert told_of(result, Kind.ITEMS, ONCE).stays == 3
    assert len(await new_items(done.source, ONCE)) == 3
    assert {row.state for row in await done.rows(Kind.ITEMS, ONCE)} == {RowState.ROLLING_BACK}
    await rolled_back(done, leave_retired=True)
    assert {row.state for row in await done.rows(Kind.ITEMS, ONCE)} == {RowState.ROLLED_BACK}


@pytest.mark.parametrize("select", [ITEMS, Selection(assets=("Move*",)), Selection(artifacts=("**",))])
async def test_what_a_rollback_can_no_longer_remove_is_verified_again(local_ends: Ends, select: Selection) -> None:
    done = await verified(local_ends, select=select)
    with pytest.raises(Crash):
        await rolled_back(done, reached=crash_at("rollback.intent"))
    assert RowState.ROLLING_BACK in await done.states()
    local_ends.clock.advance(LONGEST_SEND + done.target.settle_window - 1)
    assert not (await done.verify(deep=True)).equal
    assert RowState.ROLLING_BACK in await done.states()
    local_ends.clock.advance(1)

    assert (await done.verify(deep=True)).equal
    assert await done.states() == {RowState.VERIFIED}


async def test_one_that_hung_in_a_rollback_takes_no_copy_whose_original_was_retired(
    local_ends: Ends, tmp_path: Path
) -> None:
    done = Moved(local_ends, await planned(local_ends, ITEMS))
    path, remove = tmp_path / "journal.db", done.target.queues.remove
    hangs, goes_on = asyncio.Event(), asyncio.Event()
    done.journal = SqliteJournal(path, local_ends.clock)
    await done.apply()
    assert (await done.verify()).equal

    async def hang(item: Item) -> None:
        hangs.set()
        await goes_on.wait()
        await remove(item)

    done.target.queues.remove = hang  # type: ignore[method-assign]
    first = asyncio.create_task(rolled_back(done))
    await hangs.wait()
    done.journal = SqliteJournal(path, local_ends.clock)
    async with done.run(take_over=True) as run:
        await verify(run)
        await retire(run)
    goes_on.set()
    with pytest.raises(MigrationError, match="another process"):
        await first

    for name, number in ((QUEUE, 9), (ONCE, 3)):
        assert len(await new_items(done.source, name)) + len(await new_items(done.target, name)) == number


async def test_one_that_was_stopped_in_a_rollback_removes_nothing_when_it_goes_on_too_late(local_ends: Ends) -> None:
    done = await verified(local_ends)

    def stop(label: str) -> None:
        if label == "rollback.intent":
            local_ends.clock.advance(LONGEST_SEND)

    for _ in range(2):
        with pytest.raises(UnavailableError):
            await rolled_back(done, reached=stop)

    assert (len(await new_items(done.target, ONCE)), len(await new_items(done.target, QUEUE))) == (3, 9)


async def test_things_that_a_rollback_is_stopped_at_too_long_stay(local_ends: Ends) -> None:
    done = await verified(local_ends, select=Selection(assets=("Move*",), artifacts=("**",)))
    with pytest.raises(UnavailableError):
        await rolled_back(done, reached=lambda _: local_ends.clock.advance(LONGEST_SEND))

    assert (len(await asset_names(done.target)), len(await files_of(done.target))) == (3, 2)


async def test_what_was_only_found_after_the_journal_was_lost_is_not_taken_back(
    local_ends: Ends, tmp_path: Path
) -> None:
    """Another plan may have put it there."""
    await moved(local_ends, Selection(queues=(QUEUE,), assets=("Move*",)))
    target = local_ends.target.adapter
    rules = await fitting_rules(target, conflicts={"queues": "skip", "assets": "replace"})
    done = Moved(local_ends, await planned(local_ends, Selection(queues=(QUEUE,), assets=("Move*",)), rules))
    for _ in range(2):
        for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)  # but not .seq: it is known that there was one
        done.journal = SqliteJournal(tmp_path / "journal.db", local_ends.clock)
        await done.apply()

    result = await rolled_back(done)

    assert (len(await new_items(target, QUEUE)), len(await asset_names(target))) == (9, 3)
    assert "when the journal was lost" in told_of(result, Kind.ITEMS, QUEUE).findings[0]
    assert sum(one.removed for one in result.steps) == 0


async def test_all_fields_that_assets_became_in_one_credential_are_taken_back(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "botmaestro")
    done = await moved(ends, Selection(assets=("Move*",)))

    result = await rolled_back(done)

    assert (everything(result), [one.removed for one in result.steps]) == ("", [1, 1, 1])
    assert [one.keys async for one in done.target.credentials.find() if one.name == "Move settings"] == [()]


async def test_a_rollback_after_a_crash_in_the_move_waits_for_what_was_perhaps_sent(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "uipath")
    done = Moved(ends, await planned(ends, ITEMS))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at("items.answered"))
    assert {row.state for row in await done.rows(Kind.ITEMS, ONCE)} == {RowState.INTENT}
    waited = len(ends.clock.slept)

    await rolled_back(done)

    assert sum(ends.clock.slept[waited:]) >= done.target.settle_window
    assert await new_items(done.target, ONCE) == []
    assert {row.state for row in await done.rows(Kind.ITEMS, ONCE)} == {RowState.ROLLED_BACK}


async def test_what_was_retired_is_not_taken_back(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    await activated(done)
    kept = await done.source.queues.take(ONCE)
    await retired(done)

    with pytest.raises(MigrationError, match="only copy"):
        await rolled_back(done)
    result = await rolled_back(done, leave_retired=True)

    assert kept is not None
    assert len(await new_items(done.target, QUEUE)) == len(await done.rows(Kind.ITEMS, QUEUE))
    assert len(await new_items(done.target, ONCE)) == 2
    assert "retired" in told_of(result, Kind.ITEMS, QUEUE).findings[0]
    assert (await done.target.queues.get(QUEUE)).active, "those are worked there"


async def test_a_queue_that_is_no_longer_to_be_seen_takes_nothing_back(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    await done.target.queues.delete(QUEUE)

    result = await rolled_back(done)

    told = told_of(result, Kind.ITEMS, QUEUE)
    assert (told.removed, told.stays) == (0, len(await done.rows(Kind.ITEMS, QUEUE)))
    assert RowState.ROLLED_BACK not in {row.state for row in await done.rows(Kind.ITEMS, QUEUE)}
    with pytest.raises(NotFoundError):
        await done.target.queues.get(QUEUE)


async def test_asked_to_drain_rolling_back_ends_early_and_goes_on_later(
    local_ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.migration.verifying.sightings.BATCH", 100)
    done = await verified(await with_many(local_ends), select=Selection(queues=(MANY,)))
    draining = asyncio.Event()

    def drain(label: str) -> None:
        if label == "rollback.removed":
            draining.set()

    result = await rolled_back(done, reached=drain, draining=draining)

    left = len(await new_items(done.target, MANY))
    assert (result.drained, 0 < left < ENOUGH) == (True, True)
    assert told_of(await rolled_back(done), Kind.ITEMS, MANY).removed == left
    assert await new_items(done.target, MANY) == []


@pytest.mark.parametrize(("kind", "match"), [("uipath", "POST *DeleteBulk*"), ("botmaestro", "PUT */cancel")])
async def test_a_target_that_goes_down_in_the_middle_ends_it_in_a_typed_error_and_it_goes_on(
    open_ends: OpenEnds, kind: str, match: str
) -> None:
    ends = await open_ends("local", kind)
    done = await verified(ends, select=ITEMS)
    assert ends.target.sandbox is not None
    faults = ends.target.sandbox.world.faults
    faults.add(Fault(FaultKind.CUT, match, when=When.AFTER, skip=2, times=2))
    faults.add(Fault(FaultKind.STATUS, match, status=503, skip=2, times=10_000))

    with pytest.raises(RemoteError):
        await rolled_back(done)

    faults.clear()
    await ends.clock.sleep(600)  # until the connection tries again
    await rolled_back(done)
    assert await new_items(done.target, QUEUE) == []
    assert {row.state for row in await done.rows(Kind.ITEMS, QUEUE)} == {RowState.ROLLED_BACK}
