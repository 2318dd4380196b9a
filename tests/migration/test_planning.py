"""Plans: what becomes of each thing between each two platforms, and that planning changes nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from rpa_bridge.contract.queues import ItemDraft
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.canonical import hash_of
from rpa_bridge.migration.documents import Kind, Plan
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.running import Progress
from rpa_bridge.migration.selection import Selection
from tests.migration.ends import (
    ASSETS,
    CREDENTIAL,
    EVERYTHING,
    ONCE,
    QUEUE,
    SECRETS,
    End,
    Ends,
    filled,
    fitting_rules,
    two_ends,
)
from tests.migration.plans import planned, steps


async def state_of(end: End) -> object:
    """All that the end holds, or was made to do."""
    if end.sandbox is not None:
        return end.effects()
    await anext(end.adapter.queues.find(), None)  # the first look makes the file
    database = sqlite3.connect(f"file:{end.adapter.place}?mode=ro", uri=True)
    try:
        return list(database.iterdump())
    finally:
        database.close()


async def test_everything_goes_from_each_platform_to_each_and_no_value_shows(ends: Ends) -> None:
    rules = await fitting_rules(ends.target.adapter)
    made = await plan(ends.source.adapter, ends.target.adapter, EVERYTHING, rules=rules, clock=ends.clock)
    assert [one for one in made.steps if not one.goes] == []
    assert [one.kind for one in made.steps] == sorted((one.kind for one in made.steps), key=list(Kind).index)
    assert set(steps(made, Kind.QUEUE)) == {QUEUE, ONCE}
    assert [steps(made, Kind.ITEMS)[one].count for one in (QUEUE, ONCE)] == [9, 3]
    assert set(steps(made, Kind.CREDENTIAL)) == {CREDENTIAL}
    assert sum(one.count for one in steps(made, Kind.ARTIFACTS).values()) >= 2
    text = made.dumps()
    hidden = [*SECRETS.values(), *map(str, ASSETS.values()), "Müller", "ответ", "R-2"]
    assert [one for one in hidden if f'"{one}"' in text or (len(one) > 4 and one in text)] == []
    assert not any(hash_of(value) in text for value in ASSETS.values())


async def test_planning_only_reads_and_gives_the_same_plan_again(ends: Ends) -> None:
    rules = await fitting_rules(ends.target.adapter)
    before = [await state_of(ends.source), await state_of(ends.target)]
    one = await plan(ends.source.adapter, ends.target.adapter, EVERYTHING, rules=rules, clock=ends.clock)
    ends.clock.advance(3600)
    two = await plan(ends.source.adapter, ends.target.adapter, EVERYTHING, rules=rules, clock=ends.clock)
    assert [await state_of(ends.source), await state_of(ends.target)] == before
    assert one.made_at != two.made_at
    assert (replace(two, made_at=one.made_at), two.id) == (one, one.id)
    assert Plan.loads(one.dumps()) == one
    with pytest.raises(MigrationError, match="changed after it was made"):
        Plan.loads(one.dumps().replace('"copy"', '"skip"', 1))


async def test_a_digest_changes_with_what_is_at_the_source(local_ends: Ends) -> None:
    one = steps(await planned(local_ends), Kind.ITEMS)[QUEUE].digest
    await local_ends.source.adapter.queues.add(QUEUE, ItemDraft(values={}))
    assert steps(await planned(local_ends), Kind.ITEMS)[QUEUE].digest != one


async def test_it_is_told_how_far_the_reading_is(local_ends: Ends) -> None:
    told: list[Progress] = []
    source, target = local_ends.source.adapter, local_ends.target.adapter
    await plan(source, target, EVERYTHING, clock=local_ends.clock, on_progress=told.append)
    assert {(one.subject, one.done) for one in told} >= {(QUEUE, 9), (ONCE, 3), ("files", 2)}


async def test_what_is_at_work_and_what_stays_behind_is_told(local_ends: Ends) -> None:
    source = local_ends.source.adapter.queues
    taken = await source.take(ONCE)
    assert taken is not None
    done = await source.take(ONCE)
    assert done is not None
    await source.complete(done)
    await source.deactivate(QUEUE)
    made = await planned(local_ends, Selection(queues=("Move*",)))
    assert [one.count for one in steps(made, Kind.ITEMS).values()] == [1, 9]
    assert [one for one in made.live if "queues deactivate" in one and "--on source" in one and "once" in one]
    assert not [one for one in made.live if QUEUE in one]
    assert [one for one in made.live if one.startswith("1 of the items")]
    assert made.left_behind[-1] == f"2 items of queue {ONCE!r} that are not new: 1 done, 1 taken"
    assert steps(made, Kind.QUEUE)[QUEUE].settings["active"] is False


async def test_a_source_that_nobody_can_close_is_warned_of_and_not_taken_for_live(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with two_ends("uipath", "local", tmp_path_factory.mktemp("ends")) as ends:
        made = await planned(ends, Selection(queues=("*",)))
    assert "cannot be deactivated" in made.warnings[0]
    assert not [one for one in made.live if "queue" in one and "schedule" not in one and "trigger" not in one]


@pytest.mark.parametrize("kind", ["uipath", "botmaestro"])
async def test_schedules_of_the_source_are_named(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    async with two_ends(kind, "local", tmp_path_factory.mktemp("ends")) as ends:
        enabled = [one async for one in ends.source.adapter.schedules.find() if one.enabled]
        made = await planned(ends, Selection(queues=("*",)))
        assert enabled
        assert all(any(repr(one.name) in told for told in made.live) for one in enabled)
        assert (await planned(ends, Selection(credentials=("*",)))).live == ()


async def test_patterns_and_rules_that_fit_nothing_are_warned_of(local_ends: Ends) -> None:
    select = Selection(queues=("Move*", "Lettres"), artifacts=("reports/**",))
    made = await planned(local_ends, select, queues=[{"match": "Inv*", "rename": "x"}])
    assert [one for one in made.warnings if "Lettres" in one or "Inv*" in one or "reports/**" in one] == list(
        made.warnings
    )
    assert len(made.warnings) == 3


async def test_a_source_without_a_noun_is_warned_of(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with two_ends("botmaestro", "local", tmp_path_factory.mktemp("ends")) as ends:
        made = await planned(ends, Selection(assets=("*",)))
    assert (made.steps, made.warnings) == (
        (),
        ("the source (BotCity BotMaestro) has no assets, so that none are copied",),
    )


async def test_the_estimate_follows_the_vendors_budgets(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with two_ends("local", "uipath", tmp_path_factory.mktemp("ends")) as ends:
        await filled(ends.source.adapter)
        made = await planned(ends, Selection(queues=("Move letters",)))
    assert (made.estimate.lists, made.estimate.calls) == (2, 4)
