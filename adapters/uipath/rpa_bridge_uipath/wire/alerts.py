"""Alerts. docs: uipath.md 3.15"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment, WireModel


class AlertDto(WireModel):
    """An alert. `Data` is JSON in a string, with members of each kind's own."""

    Id: str
    NotificationName: str | None = None
    Data: str | None = None
    Severity: str | None = None
    CreationTime: Moment = None
