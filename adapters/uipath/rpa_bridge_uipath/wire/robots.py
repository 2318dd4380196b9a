"""Robots, their sessions, and machines. docs: uipath.md 3.3 to 3.5"""

from __future__ import annotations

from rpa_bridge.transport.decode import WireModel

from .lists import Numbered


class RobotRow(Numbered):
    """A robot of a folder."""

    Name: str
    MachineName: str | None = None


class SessionRobot(WireModel):
    """Whose session it is."""

    Id: int | None = None


class SessionDto(Numbered):
    """What a robot last told of itself. That it tells nothing any more is no state, but a flag."""

    State: str | None = None
    IsUnresponsive: bool | None = None
    HostMachineName: str | None = None
    MachineName: str | None = None
    Robot: SessionRobot | None = None


class MachineDto(Numbered):
    """A machine, or a template of many."""

    Name: str
    Type: str | None = None
    Description: str | None = None
