"""Schedules: what the settings say the machine's own scheduler is set up to start. Nothing here starts anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from rpa_bridge.clock import Clock
from rpa_bridge.contract.schedules import Schedule, ScheduleService

from .settings import ScheduleSettings


class LocalSchedules(ScheduleService):
    """The schedules that the settings name."""

    def __init__(self, adapter_name: str, clock: Clock, schedules: Mapping[str, ScheduleSettings]) -> None:
        super().__init__(adapter_name, clock)
        self._schedules = schedules

    async def find(self) -> AsyncIterator[Schedule]:
        for name, one in sorted(self._schedules.items()):
            yield Schedule(
                id=name,
                name=name,
                automation=one.automation,
                cron=one.cron,
                timezone=one.timezone,
                enabled=one.enabled,
            )
