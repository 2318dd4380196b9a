"""Standard tests of schedules."""

from __future__ import annotations

from rpa_bridge.contract.features import Feature

from .stage import Stage, listed
from .standard import requires


class ScheduleTests:
    """Standard tests of what starts jobs by itself."""

    @requires(Feature.SCHEDULE_FIND)
    async def test_each_schedule_says_what_it_starts(self, stage: Stage) -> None:
        found = await listed(stage.adapter.schedules.find())
        assert found, "the harness's platform has no schedule"
        assert len({one.id for one in found}) == len(found)
        for one in found:
            assert one.name
            assert one.automation or one.queue
            assert one.next_at is None or one.next_at.utcoffset() is not None
