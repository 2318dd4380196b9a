"""Alerts. docs: botmaestro.md 5"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment, WireModel


class AlertRecord(WireModel):
    """An alert on a task."""

    id: str | int
    taskId: int | str | None = None
    title: str | None = None
    message: str | None = None
    type: str | None = None
    date: Moment = None
