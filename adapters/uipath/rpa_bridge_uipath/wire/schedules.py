"""Triggers. docs: uipath.md 3.16"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment

from .lists import Numbered


class ProcessScheduleDto(Numbered):
    """A trigger, by time or by a queue."""

    Name: str
    Enabled: bool | None = None
    ReleaseName: str | None = None
    StartProcessCron: str | None = None
    StartProcessNextOccurrence: Moment = None
    TimeZoneId: str | None = None
    TimeZoneIana: str | None = None
    QueueDefinitionId: int | None = None
    QueueDefinitionName: str | None = None
