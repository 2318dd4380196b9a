"""Robot logs. docs: uipath.md 3.14"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment, WireModel


class LogDto(WireModel):
    """One line. It has no id of its own: `Id` is always 0."""

    TimeStamp: Moment
    Level: str | None = None
    Message: str | None = None
    JobKey: str | None = None
    RobotName: str | None = None
