"""Jobs. docs: uipath.md 3.8"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment, WireModel

from .lists import Numbered


class RobotDto(WireModel):
    """The robot of an expanded job."""

    Name: str | None = None


class JobDto(Numbered):
    """One run. `InputArguments` and `OutputArguments` are JSON in a string."""

    Key: str
    State: str
    ReleaseName: str | None = None
    Info: str | None = None
    Reference: str | None = None
    JobPriority: str | None = None
    InputArguments: str | None = None
    OutputArguments: str | None = None
    Robot: RobotDto | None = None
    CreationTime: Moment = None
    StartTime: Moment = None
    EndTime: Moment = None
