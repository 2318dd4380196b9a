"""Triggers in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.schedules import Schedule
from rpa_bridge_uipath.wire.schedules import ProcessScheduleDto


def schedule(dto: ProcessScheduleDto) -> Schedule:
    """The trigger; a queue trigger has a queue. The IANA name of the zone goes first."""
    by_queue = dto.QueueDefinitionId is not None
    return Schedule(
        id=str(dto.Id),
        name=dto.Name,
        automation=dto.ReleaseName or None,
        cron=dto.StartProcessCron or None,
        timezone=dto.TimeZoneIana or dto.TimeZoneId or None,
        queue=(dto.QueueDefinitionName or str(dto.QueueDefinitionId)) if by_queue else None,
        enabled=bool(dto.Enabled),
        next_at=dto.StartProcessNextOccurrence,
        raw_data=dto.raw,
    )
