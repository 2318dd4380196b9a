"""Opening the target: last of all, and only what is ours."""

from __future__ import annotations

import pytest

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import QueueDraft
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.selection import Selection
from tests.migration.ends import ONCE, QUEUE, Ends, fitting_rules
from tests.migration.moved import (
    Moved,
    OpenEnds,
    activated,
    moved,
)
from tests.migration.moves import Crash, crash_at, planned

ITEMS = Selection(queues=("Move*",))


async def test_what_was_not_read_back_yet_is_not_opened(local_ends: Ends) -> None:
    done = await moved(local_ends, ITEMS)

    with pytest.raises(MigrationError, match="migrate verify"):
        await activated(done)

    assert not (await done.target.queues.get(QUEUE)).active
    assert (await activated(done, force=True)).activated == (ONCE, QUEUE)
    assert (await done.target.queues.get(QUEUE)).active


async def test_what_is_not_copied_to_the_end_is_not_opened(local_ends: Ends) -> None:
    done = Moved(local_ends, await planned(local_ends, ITEMS))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at("items.answered"))

    with pytest.raises(MigrationError, match="resume"):
        await activated(done)


async def test_only_queues_that_were_active_at_the_source_and_are_ours_are_opened(local_ends: Ends) -> None:
    source, target = local_ends.source.adapter, local_ends.target.adapter
    await source.queues.deactivate(QUEUE)
    theirs = await source.queues.get(ONCE)
    await target.queues.create(QueueDraft(name=ONCE, unique_references=theirs.unique_references))
    await target.queues.deactivate(ONCE)
    rules = await fitting_rules(target, conflicts={"queues": "skip"})
    done = Moved(local_ends, await planned(local_ends, ITEMS, rules))
    await done.apply()
    assert (await done.verify()).equal

    assert (await activated(done)).activated == ()

    assert not (await target.queues.get(QUEUE)).active
    assert not (await target.queues.get(ONCE)).active


async def test_a_queue_without_a_switch_is_left_to_a_person_and_secrets_that_nobody_can_read_hold_nothing_up(
    open_ends: OpenEnds,
) -> None:
    ends = await open_ends("local", "uipath", reveals=False)
    done = await moved(ends)
    await done.verify(deep=True)

    result = await activated(done)

    assert Feature.QUEUE_ACTIVATE not in done.target.capabilities
    assert result.activated == ()
    assert [name in told for name, told in zip((ONCE, QUEUE), result.by_hand, strict=True)] == [True, True]
