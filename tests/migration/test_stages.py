"""All stages, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.base import RowState, StepKey
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.stages import Stage, reached
from tests.migration.ends import QUEUE, Ends
from tests.migration.moved import (
    Moved,
    OpenEnds,
    activated,
    new_items,
    retired,
    rolled_back,
    told_of,
)
from tests.migration.moves import Crash, crash_at, planned


async def test_the_log_tells_the_stage_that_was_reached_last(local_ends: Ends) -> None:
    done = Moved(local_ends, await planned(local_ends))
    stages = []
    for work in (done.apply, done.verify, lambda: done.verify(deep=True), lambda: activated(done)):
        await work()
        stages.append(reached(await done.journal.notes()))
    await retired(done)
    stages.append(reached(await done.journal.notes()))

    assert [one and one[0] for one in stages] == [
        Stage.COPIED,
        Stage.VERIFIED,
        Stage.VERIFIED,
        Stage.ACTIVATED,
        Stage.RETIRED,
    ]


async def test_all_stages_go_on_from_the_journal_on_the_disk(open_ends: OpenEnds, tmp_path: Path) -> None:
    ends = await open_ends("uipath", "botmaestro")
    done = Moved(ends, await planned(ends, Selection(queues=(QUEUE,))))
    done.journal = SqliteJournal(tmp_path / "journal.db", ends.clock)
    await done.apply()
    assert (await done.verify()).equal
    here, there = await new_items(done.source, QUEUE), await new_items(done.target, QUEUE)
    with pytest.raises(Crash):
        await rolled_back(done, reached=crash_at("rollback.removed", after=1))
    assert not (await done.verify()).equal
    with pytest.raises(Crash):
        await retired(done, reached=crash_at("retire.removed"))

    await retired(done)

    async with done.run() as run:
        states = {row.src_id: row.state for row in await run.journal.rows(step=StepKey(Kind.ITEMS, QUEUE))}
        assert len(states) == len(here) == len(there)
    left = {one.id for one in await new_items(done.source, QUEUE)}
    assert left == {src_id for src_id, state in states.items() if state is not RowState.SOURCE_DONE}
    assert len(left) + len(await new_items(done.target, QUEUE)) == len(here)
    result = await rolled_back(done, leave_retired=True)
    assert told_of(result, Kind.ITEMS, QUEUE).stays == len(here) - len(left)
