"""Clearing the source: only what was read back from the target, and only while nobody has touched it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from rpa_bridge.contract.queues import ItemDraft, ItemState
from rpa_bridge.errors import MigrationError, RemoteError, UnavailableError
from rpa_bridge.migration.applying.item_looks import LONGEST_SEND
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.base import Change, RowState
from rpa_bridge.migration.selection import Selection
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from tests.migration.ends import ASSETS, CONTAINER, CREDENTIAL, FILES, ONCE, QUEUE, Ends
from tests.migration.memory_journal import MemoryJournal
from tests.migration.moved import (
    ENOUGH,
    MANY,
    OpenEnds,
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
from tests.migration.moves import Crash, crash_at, files_of

ITEMS = Selection(queues=("Move*",))
THINGS = (Kind.ASSET, Kind.CREDENTIAL, Kind.ARTIFACTS)


async def test_what_was_read_back_is_removed_at_each_source_and_nothing_else(ends: Ends) -> None:
    done = await verified(ends, select=ITEMS)
    late = await done.source.queues.add(QUEUE, ItemDraft(values={"late": True}))
    there = len(await new_items(done.target, QUEUE))

    result = await retired(done)

    assert [one.id for one in await new_items(done.source, QUEUE)] == [late.id]
    assert told_of(result, Kind.ITEMS, QUEUE).removed == there == len(await new_items(done.target, QUEUE))
    assert (everything(result), result.drained) == ("", False)
    assert {row.state for row in await done.rows(Kind.ITEMS, QUEUE)} == {RowState.SOURCE_DONE}
    assert (await done.verify()).equal
    assert (await retired(done)).steps[0].removed == 0


async def test_what_was_not_read_back_stays_at_the_source(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)
    before = await new_items(done.source, QUEUE)

    result = await retired(done)

    assert await new_items(done.source, QUEUE) == before
    assert told_of(result, Kind.ITEMS, QUEUE).stays == len(before)
    assert "verify" in everything(result)


async def test_an_item_that_was_taken_or_changed_at_the_source_meanwhile_stays_and_is_told(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    taken = await done.source.queues.take(ONCE)
    assert taken is not None
    changed = (await new_items(done.source, QUEUE))[0]
    await done.source.queues.postpone(changed, local_ends.clock.now())

    result = await retired(done)

    (why,) = told_of(result, Kind.ITEMS, ONCE).findings
    assert taken.id in why
    assert "worked twice" in why
    assert str((await done.rows(Kind.ITEMS, ONCE))[0].dst_id) in why
    assert changed.id in told_of(result, Kind.ITEMS, QUEUE).findings[0]
    assert (await done.source.queues.get_item(QUEUE, changed.id)).state is ItemState.NEW
    kept = [
        row for row in await done.journal.rows() if row.src_id in (taken.id, changed.id) and row.key.startswith("rb")
    ]
    assert RowState.VERIFIED in {row.state for row in kept}
    await done.source.queues.complete(taken)
    assert told_of(await retired(done), Kind.ITEMS, ONCE).stays == 1


async def test_an_item_that_somebody_removed_at_the_source_is_told(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    gone = (await new_items(done.source, ONCE))[0]
    await done.source.queues.remove(gone)

    result = await retired(done)

    told = told_of(result, Kind.ITEMS, ONCE)
    assert (told.removed, len(told.findings)) == (2, 1)
    assert gone.id in told.findings[0]


@pytest.mark.parametrize("label", ["retire.intent", "retire.removed", "retire.settled"])
@pytest.mark.parametrize("after", [0, 1])
async def test_retiring_can_die_at_every_point_and_goes_on(local_ends: Ends, label: str, after: int) -> None:
    done = await verified(await with_many(local_ends), select=ITEMS)
    number = {name: len(await new_items(done.target, name)) for name in (QUEUE, ONCE, MANY)}
    with pytest.raises(Crash):
        await retired(done, reached=crash_at(label, after=after))

    result = await retired(done)

    assert everything(result) == ""
    for name, there in number.items():
        assert await new_items(done.source, name) == []
        assert len(await new_items(done.target, name)) == there
        assert {row.state for row in await done.rows(Kind.ITEMS, name)} == {RowState.SOURCE_DONE}


async def test_an_item_that_was_taken_between_a_crash_and_going_on_stays(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    with pytest.raises(Crash):
        await retired(done, reached=crash_at("retire.intent"))
    taken = await done.source.queues.take(QUEUE)
    assert taken is not None

    result = await retired(done)

    assert taken.id in everything(result)
    assert [row.state for row in await done.rows(Kind.ITEMS, QUEUE) if row.src_id == taken.id] == [RowState.VERIFIED]


async def test_what_is_missing_after_a_crash_in_retiring_stays_at_the_source(local_ends: Ends) -> None:
    done = await verified(local_ends, select=Selection(queues=(ONCE,)))
    with pytest.raises(Crash):
        await retired(done, reached=crash_at("retire.intent"))
    await done.target.queues.remove(await done.copy_of(ONCE))
    assert (await done.verdict(Kind.ITEMS, ONCE)).missing == 1

    result = await retired(done)

    row = (await done.rows(Kind.ITEMS, ONCE))[0]
    assert (row.state, row.code) == (RowState.SOURCE_UNKNOWN, "missing")
    assert [one.id for one in await new_items(done.source, ONCE)] == [row.src_id]
    assert told_of(result, Kind.ITEMS, ONCE).stays == 1


async def test_what_was_perhaps_removed_at_the_source_is_not_taken_back_though_it_was_found_amiss(
    local_ends: Ends,
) -> None:
    done = await verified(local_ends, select=Selection(queues=(QUEUE,)))
    with pytest.raises(Crash):
        await retired(done, reached=crash_at("retire.removed"))
    double = await done.target.queues.add(QUEUE, draft_of(await done.copy_of(QUEUE)))
    assert not (await done.verify()).equal
    number = len(await done.rows(Kind.ITEMS, QUEUE))

    await rolled_back(done, leave_retired=True)

    there, here = await new_items(done.target, QUEUE), await new_items(done.source, QUEUE)
    assert len(there) - 1 + len(here) == number > len(here)
    await done.target.queues.remove(double)
    await done.verify()
    assert told_of(await retired(done), Kind.ITEMS, QUEUE).removed == number - len(here)


async def test_one_that_is_stopped_too_long_before_it_removes_does_not(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)
    check = done.journal.check

    async def stop() -> None:
        await check()
        local_ends.clock.advance(LONGEST_SEND)

    done.journal.check = stop  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        await retired(done)

    assert len(await new_items(done.source, ONCE)) == 3


async def test_asked_to_drain_retiring_ends_between_two_batches(local_ends: Ends) -> None:
    done = await verified(await with_many(local_ends), select=Selection(queues=(MANY,)))
    draining = asyncio.Event()

    def drain(label: str) -> None:
        if label == "retire.removed":
            draining.set()

    result = await retired(done, reached=drain, draining=draining)

    left = len(await new_items(done.source, MANY))
    assert (result.drained, 0 < left < ENOUGH) == (True, True)
    assert await done.states() <= {RowState.VERIFIED, RowState.SOURCE_DONE}
    assert told_of(await retired(done), Kind.ITEMS, MANY).removed == left


async def test_nothing_more_is_begun_once_another_process_has_taken_over(local_ends: Ends) -> None:
    done = await verified(local_ends, select=ITEMS)

    def take_over(label: str) -> None:
        assert isinstance(done.journal, MemoryJournal)
        done.journal.taken_over = True

    with pytest.raises(MigrationError, match="another process"):
        await retired(done, reached=take_over)

    assert len(await new_items(done.source, ONCE)) == len(await done.rows(Kind.ITEMS, ONCE))
    assert len(await new_items(done.source, QUEUE)) == len(await done.rows(Kind.ITEMS, QUEUE))
    await retired(done)
    assert {row.state for row in await done.rows(Kind.ITEMS, ONCE)} == {RowState.SOURCE_DONE}


@pytest.mark.parametrize(("kind", "match"), [("uipath", "POST *DeleteBulk*"), ("botmaestro", "PUT */cancel")])
async def test_a_source_that_goes_down_in_the_middle_ends_it_in_a_typed_error_and_it_goes_on(
    open_ends: OpenEnds, kind: str, match: str
) -> None:
    ends = await open_ends(kind, "local")
    done = await verified(ends, select=ITEMS)
    assert ends.source.sandbox is not None
    faults = ends.source.sandbox.world.faults
    for number in range(3):  # carried out, and nobody hears of it
        faults.add(Fault(FaultKind.CUT, match, when=When.AFTER, skip=1 + number))
    faults.add(Fault(FaultKind.STATUS, match, status=503, skip=3, times=10_000))

    with pytest.raises(RemoteError):
        await retired(done)

    faults.clear()
    await ends.clock.sleep(600)  # until the connection tries again
    with suppress(UnavailableError):  # one of eight tries, and the others are told to come again
        await retired(done)
    await ends.clock.sleep(5)
    result = await retired(done)
    assert everything(result) == ""
    assert await new_items(done.source, QUEUE) == []
    assert {row.state for row in await done.rows(Kind.ITEMS, QUEUE)} == {RowState.SOURCE_DONE}


async def test_things_are_retired_only_when_named_and_while_they_are_as_they_were(local_ends: Ends) -> None:
    done = await verified(local_ends)
    assert [one.kind for one in (await retired(done)).steps] == [Kind.ITEMS, Kind.ITEMS]
    assert len(await asset_names(done.source)) == len(ASSETS)
    await done.source.assets.put("Move count", 1)
    await done.target.assets.put("Move rate", "0")

    result = await retired(done, THINGS)

    assert await asset_names(done.source) == {"Move count", "Move rate"}
    assert await files_of(done.source) == {}
    assert [one async for one in done.source.credentials.find()] == []
    assert "changed at the source" in told_of(result, Kind.ASSET, "Move count").findings[0]
    assert "changed at the target" in told_of(result, Kind.ASSET, "Move rate").findings[0]
    assert told_of(result, Kind.ARTIFACTS, CONTAINER).removed == len(FILES)


@pytest.mark.parametrize("label", ["retire.intent", "retire.removed"])
async def test_retiring_things_can_die_and_goes_on(local_ends: Ends, label: str) -> None:
    done = await verified(local_ends)
    deaths = 0
    while True:
        try:
            await retired(done, THINGS, reached=crash_at(label, after=1))
        except Crash:
            deaths += 1
        else:
            break

    assert deaths > 1

    assert (await asset_names(done.source), await files_of(done.source)) == (set(), {})
    things = [row for row in await done.journal.rows() if row.step.kind in THINGS]
    assert {row.state for row in things} == {RowState.SOURCE_DONE}
    assert await files_of(done.target) == FILES


async def test_a_credential_that_nobody_can_read_back_is_never_retired(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "uipath", reveals=False)
    done = await moved(ends, Selection(credentials=("Move*",)))
    await done.verify()
    (row,) = await done.journal.rows()
    await done.journal.settle([Change(seq=row.seq, to=RowState.VERIFIED)], ends.clock.now())  # whoever did that

    result = await retired(done, [Kind.CREDENTIAL])

    assert told_of(result, Kind.CREDENTIAL, CREDENTIAL).stays == 1
    assert [one.name async for one in done.source.credentials.find()] == [CREDENTIAL]


async def test_queues_are_never_retired(local_ends: Ends) -> None:
    with pytest.raises(MigrationError, match="by hand"):
        await retired(await verified(local_ends), [Kind.QUEUE])
