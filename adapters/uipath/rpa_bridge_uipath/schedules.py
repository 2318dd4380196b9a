"""Triggers, which start jobs by time or by the items of a queue. docs: uipath.md 3.16"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.schedules import Schedule, ScheduleService

from .client import Client
from .mapping import schedules as mapping
from .wire.schedules import ProcessScheduleDto


class UiPathSchedules(ScheduleService):
    """The triggers of the folder."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("uipath", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Schedule]:
        async for row in self._client.all_rows(ProcessScheduleDto, "ProcessSchedules", operation="schedules.find"):
            yield mapping.schedule(row)
