"""Schedules in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.schedules import Schedule
from rpa_bridge_botmaestro.wire.schedules import Scheduling


def schedule(found: Scheduling) -> Schedule:
    """The schedule; one that has no name is called as what it starts."""
    name = found.name or found.label or found.activityLabel or str(found.id or "")
    return Schedule(
        id=name if found.id is None else str(found.id),
        name=name,
        automation=found.activityLabel,
        cron=found.cron,
        timezone="UTC",
        enabled=found.active is not False,
        next_at=found.nextExecution,
        raw_data=found.raw,
    )
