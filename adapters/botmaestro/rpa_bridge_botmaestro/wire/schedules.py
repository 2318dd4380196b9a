"""Schedules. docs: botmaestro.md 10"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment, WireModel


class Scheduling(WireModel):
    """A schedule; its cron is Quartz's, and in UTC."""

    id: int | str | None = None
    name: str | None = None
    label: str | None = None
    activityLabel: str | None = None
    cron: str | None = None
    active: bool | None = None
    nextExecution: Moment = None
