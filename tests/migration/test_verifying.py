"""Reading back: what is amiss is found, and nothing is taken for equal that nobody has seen."""

from __future__ import annotations

import sqlite3

import pytest
from pydantic import SecretStr

from rpa_bridge.contract.features import Feature, FilePlace
from rpa_bridge.contract.queues import Failure, FailureKind, ItemDraft, ItemState, QueueDraft
from rpa_bridge.errors import MigrationError, RemoteError
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.base import RowState
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.verifying.verdicts import Outcome
from rpa_bridge.sandbox.faults import Fault, FaultKind
from tests.migration.ends import CONTAINER, CREDENTIAL, FILES, QUEUE, SECRETS, Ends
from tests.migration.memory_journal import MemoryJournal
from tests.migration.moved import Moved, OpenEnds, draft_of, moved, new_items
from tests.migration.moves import Crash, crash_at, planned

ITEMS = Selection(queues=(QUEUE,))
ASSETS = Selection(assets=("Move*",))
CREDENTIALS = Selection(credentials=("Move*",))
ARTIFACTS = Selection(artifacts=("**",))


async def test_what_was_copied_from_each_platform_to_each_is_equal(ends: Ends) -> None:
    done = await moved(ends)

    first, second = await done.verify(deep=True), await done.verify(deep=True)

    assert first == second
    assert first.equal
    assert not first.unverifiable
    assert {one.kind for one in first.steps} >= {Kind.QUEUE, Kind.ITEMS, Kind.CREDENTIAL, Kind.ARTIFACTS}
    assert all(one.expected == one.found > 0 and one.expected_digest == one.found_digest for one in first.steps)
    assert await done.states() == {RowState.VERIFIED}
    items = await done.rows(Kind.ITEMS, QUEUE)
    assert {row.dst_id for row in items} == {one.id async for one in done.target.queues.items(QUEUE)}


async def test_an_item_that_is_there_twice_is_told_until_one_is_gone(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)
    assert (await done.verify()).equal
    first = await done.copy_of(QUEUE)
    double = await done.target.queues.add(QUEUE, draft_of(first))

    told = await done.verdict(Kind.ITEMS, QUEUE)

    assert (told.outcome, told.duplicated, told.found - told.expected) == (Outcome.DIFFERS, 1, 1)
    assert told.expected_digest != told.found_digest
    assert "2 times" in told.findings[0]
    assert (await done.rows(Kind.ITEMS, QUEUE))[0].state is RowState.CONFIRMED, "nobody may retire its original"
    await done.target.queues.remove(double)
    assert (await done.verify()).equal
    assert await done.states() == {RowState.VERIFIED}


async def test_an_item_that_was_taken_out_at_the_target_is_missing(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)
    await done.verify()
    await done.target.queues.remove(await done.copy_of(QUEUE))

    told = await done.verdict(Kind.ITEMS, QUEUE)

    assert (told.outcome, told.missing, told.states[ItemState.REMOVED]) == (Outcome.DIFFERS, 1, 1)
    row = (await done.rows(Kind.ITEMS, QUEUE))[0]
    assert row.src_id in told.findings[0]
    assert (row.state, row.code) == (RowState.CONFIRMED, "missing")


@pytest.mark.parametrize(("there", "differs"), [("12", 1), (12.0, 0), (True, 1), (None, 1)])
async def test_a_value_of_another_type_differs_and_a_number_written_otherwise_does_not(
    local_ends: Ends, there: object, differs: int
) -> None:
    await local_ends.source.adapter.queues.create(QueueDraft(name="Move types"))
    await local_ends.source.adapter.queues.add("Move types", ItemDraft(values={"n": 12}))
    done = await moved(local_ends, Selection(queues=("Move types",)))
    await done.replace(await done.copy_of("Move types"), values={"n": there})

    told = await done.verdict(Kind.ITEMS, "Move types")

    assert (told.differing, told.outcome is Outcome.DIFFERS) == (differs, bool(differs))


async def test_items_that_are_worked_or_tried_again_at_the_target_are_no_difference(ends: Ends) -> None:
    done = await moved(ends, ITEMS)
    if Feature.QUEUE_ACTIVATE in done.target.capabilities:
        await done.target.queues.activate(QUEUE)
    for kind in (FailureKind.BUSINESS, FailureKind.APPLICATION):
        item = await done.target.queues.take(QUEUE)
        assert item is not None
        await done.target.queues.fail(item, Failure(kind=kind, reason="no"))
    item = await done.target.queues.take(QUEUE)
    assert item is not None
    await done.target.queues.complete(item)

    told = await done.verdict(Kind.ITEMS, QUEUE)

    assert (told.outcome, told.duplicated, told.strangers) == (Outcome.OK, 0, 0)
    assert told.states[ItemState.DONE] == 1
    assert told.states[ItemState.NEW] == told.expected - 3


async def test_items_of_another_migration_along_the_same_way_are_told_and_are_no_difference(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)
    mark = done.plan.mark_prefix(QUEUE) + "4711000"
    stranger = await done.target.queues.add(QUEUE, ItemDraft(values={"of": "another"}, mark=mark))
    await done.target.queues.add(QUEUE, ItemDraft(values={"of": "nobody"}))

    told = await done.verdict(Kind.ITEMS, QUEUE)

    assert (told.outcome, told.strangers) == (Outcome.OK, 1)
    assert stranger.id in told.warnings[0]


async def test_items_that_came_to_the_source_since_are_counted_if_one_wants_to(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)
    await done.source.queues.add_many(QUEUE, [ItemDraft(values={"late": number}) for number in range(3)])

    told, quick = await done.verdict(Kind.ITEMS, QUEUE), await done.verdict(Kind.ITEMS, QUEUE, arrivals=False)

    assert (told.outcome, told.arrived, quick.arrived) == (Outcome.OK, 3, None)
    assert "3 new items" in told.warnings[0]


@pytest.mark.parametrize("label", ["stock.step", "items.intended", "items.answered"])
async def test_what_is_not_copied_to_the_end_is_unfinished(local_ends: Ends, label: str) -> None:
    done = Moved(local_ends, await planned(local_ends, ITEMS))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at(label))

    verification = await done.verify()

    assert not verification.equal
    assert {one.outcome for one in verification.steps} & {Outcome.UNFINISHED}
    assert any("migrate" in finding for one in verification.steps for finding in one.findings)
    await done.apply()
    assert (await done.verify()).equal


async def test_a_copy_whose_row_was_given_up_is_told(local_ends: Ends) -> None:
    source = local_ends.source.adapter
    done = Moved(local_ends, await planned(local_ends, ITEMS))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at("stock.taken"))
    first = (await new_items(source, QUEUE))[0]
    await source.queues.remove(first)
    await done.apply()
    mark = (await done.rows(Kind.ITEMS, QUEUE))[0].key
    late = await done.target.queues.add(QUEUE, ItemDraft(values={"it": "arrived late"}, mark=mark))

    told = await done.verdict(Kind.ITEMS, QUEUE)

    assert (told.outcome, told.letters) == (Outcome.DIFFERS, 1)
    assert late.id in told.findings[0]


@pytest.mark.parametrize(("value", "outcome"), [(4711, Outcome.OK), (4712, Outcome.DIFFERS), ("4711", Outcome.DIFFERS)])
async def test_an_asset_of_another_value_or_type_differs(local_ends: Ends, value: object, outcome: Outcome) -> None:
    done = await moved(local_ends, ASSETS)
    await done.target.assets.delete("Move count")
    await done.target.assets.put("Move count", value)  # type: ignore[arg-type]

    told = await done.verdict(Kind.ASSET, "Move count")

    assert told.outcome is outcome
    assert "4712" not in repr(told)


async def test_an_asset_that_is_gone_is_missing(local_ends: Ends) -> None:
    done = await moved(local_ends, ASSETS)
    await done.target.assets.delete("Move dry")

    told = await done.verdict(Kind.ASSET, "Move dry")

    assert (told.outcome, told.missing, told.found) == (Outcome.DIFFERS, 1, 0)


async def test_a_credential_is_compared_where_it_can_be_read_and_never_shown(local_ends: Ends) -> None:
    done = await moved(local_ends, CREDENTIALS)
    assert (await done.verdict(Kind.CREDENTIAL, CREDENTIAL)).outcome is Outcome.OK
    await done.target.credentials.put(CREDENTIAL, {"password": SecretStr("move-canary-changed")})

    told = await done.verdict(Kind.CREDENTIAL, CREDENTIAL)

    assert (told.outcome, told.differing) == (Outcome.DIFFERS, 1)
    assert "canary" not in repr(told)


async def test_a_credential_that_nobody_can_read_back_is_never_ok(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "uipath", reveals=False)
    done = await moved(ends, CREDENTIALS)

    verification = await done.verify()

    (told,) = verification.steps
    assert (told.outcome, verification.equal, verification.unverifiable) == (Outcome.UNVERIFIABLE, True, True)
    assert SECRETS["password"] not in repr(verification)
    assert await done.states() == {RowState.CONFIRMED}


async def test_a_credential_whose_original_is_gone_is_unverifiable(local_ends: Ends) -> None:
    done = await moved(local_ends, CREDENTIALS)
    await done.source.credentials.delete(CREDENTIAL)

    told = await done.verdict(Kind.CREDENTIAL, CREDENTIAL)

    assert told.outcome is Outcome.UNVERIFIABLE


async def test_a_file_of_the_same_size_with_other_content_is_found_by_a_deep_look(local_ends: Ends) -> None:
    done = await moved(local_ends, ARTIFACTS)
    name = "october.csv"
    row = next(row for row in await done.rows(Kind.ARTIFACTS, CONTAINER) if row.bytes == len(FILES[name]))
    (file,) = [one async for one in done.target.artifacts.find() if one.id == row.dst_id]
    await _overwrite(done, file.id, b"x" * len(FILES[name]))

    shallow = await done.verdict(Kind.ARTIFACTS, CONTAINER)
    deep = await done.verdict(Kind.ARTIFACTS, CONTAINER, deep=True)

    assert (shallow.outcome, deep.outcome, deep.differing) == (Outcome.OK, Outcome.DIFFERS, 1)
    assert row.src_id in deep.findings[0]
    assert {one.state for one in await done.rows(Kind.ARTIFACTS, CONTAINER)} == {RowState.CONFIRMED, RowState.VERIFIED}


async def test_a_file_that_is_gone_is_missing(local_ends: Ends) -> None:
    done = await moved(local_ends, ARTIFACTS)
    await done.target.artifacts.delete(str((await done.rows(Kind.ARTIFACTS, CONTAINER))[0].dst_id))

    told = await done.verdict(Kind.ARTIFACTS, CONTAINER)

    assert (told.outcome, told.missing) == (Outcome.DIFFERS, 1)


async def test_a_file_whose_size_nobody_tells_is_unverifiable_until_it_is_read(open_ends: OpenEnds) -> None:
    ends = await open_ends("local", "botmaestro")
    done = await moved(ends, ARTIFACTS)
    assert done.target.capabilities.limits.file_place is FilePlace.JOB

    shallow, deep = await done.verify(), await done.verify(deep=True)

    assert {one.outcome for one in shallow.steps} == {Outcome.UNVERIFIABLE}
    assert {one.outcome for one in deep.steps} == {Outcome.OK}


async def test_a_queue_with_other_settings_differs_and_the_setting_is_named(ends: Ends) -> None:
    done = await moved(ends, ITEMS)
    found = await done.target.queues.get(QUEUE)
    await done.target.queues.update(
        QUEUE,
        QueueDraft(name=QUEUE, retries=found.retries + 1, fields=found.fields, description=found.description),
    )

    told = await done.verdict(Kind.QUEUE, QUEUE)

    assert told.outcome is Outcome.DIFFERS
    assert "retries" in told.findings[0]


@pytest.mark.parametrize("label", ["verify.seen", "verify.settled"])
async def test_verification_can_die_at_every_point_and_be_repeated(local_ends: Ends, label: str) -> None:
    done = await moved(local_ends)
    with pytest.raises(Crash):
        await done.verify(reached=crash_at(label))

    assert (await done.verify(deep=True)).equal
    assert await done.states() == {RowState.VERIFIED}


async def test_a_target_that_goes_down_in_the_middle_ends_it_in_a_typed_error_and_no_verdict(
    open_ends: OpenEnds,
) -> None:
    ends = await open_ends("local", "uipath")
    done = await moved(ends, ITEMS)
    assert ends.target.sandbox is not None
    ends.target.sandbox.world.faults.add(Fault(FaultKind.STATUS, "*QueueItems*", status=503, times=10_000))

    with pytest.raises(RemoteError):
        await done.verify()

    assert {row.state for row in await done.rows(Kind.ITEMS, QUEUE)} == {RowState.CONFIRMED}
    ends.target.sandbox.world.faults.clear()
    await ends.clock.sleep(600)  # until the connection tries again
    assert (await done.verify()).equal


async def test_a_migration_that_another_process_took_over_is_not_judged_here(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)
    assert isinstance(done.journal, MemoryJournal)
    journal = done.journal

    def take_over(label: str) -> None:
        journal.taken_over |= label == "verify.seen"

    with pytest.raises(MigrationError, match="another process"):
        await done.verify(reached=take_over)

    assert RowState.VERIFIED not in {row.state for row in await done.rows(Kind.ITEMS, QUEUE)}


async def test_of_many_findings_the_first_are_told_and_the_others_counted(local_ends: Ends) -> None:
    await local_ends.source.adapter.queues.create(QueueDraft(name="Move many"))
    await local_ends.source.adapter.queues.add_many("Move many", [ItemDraft(values={"n": n}) for n in range(520)])
    done = await moved(local_ends, Selection(queues=("Move many",)))
    for item in [one async for one in done.target.queues.items("Move many")]:
        await done.target.queues.remove(item)

    told = await done.verdict(Kind.ITEMS, "Move many")

    assert (told.missing, told.expected, told.found) == (520, 520, 0)
    assert len(told.findings) == 101
    assert told.findings[-1] == "and 420 more like these"


async def _overwrite(done: Moved, file_id: str, content: bytes) -> None:
    """Somebody changes a file of the local platform in its place."""
    path = done.target.place.removeprefix("local:")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE pieces SET content = ? WHERE artifact_id = ?", (content, int(file_id)))
    db.close()
