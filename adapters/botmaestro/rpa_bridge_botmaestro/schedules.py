"""Schedules, which start tasks by time. docs: botmaestro.md 10"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.schedules import Schedule, ScheduleService

from .client import Client
from .mapping import schedules as mapping
from .wire.schedules import Scheduling


class BotMaestroSchedules(ScheduleService):
    """What starts tasks by time; what a datapool starts is a setting of the datapool."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Schedule]:
        async for found in self._client.all_rows(Scheduling, "/scheduling", operation="schedules.find"):
            yield mapping.schedule(found)
