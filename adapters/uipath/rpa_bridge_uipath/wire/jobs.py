"""Jobs. docs: uipath.md 3.8"""

from __future__ import annotations

from pydantic import AliasChoices, Field

from rpa_bridge.transport.decode import Moment, WireModel

from .lists import Numbered


class RobotDto(WireModel):
    """The robot of an expanded job."""

    Name: str | None = None


class JobErrorDto(WireModel):
    """Why a job failed: in camelCase, unlike the job itself."""

    title: str | None = Field(default=None, validation_alias=AliasChoices("title", "Title"))
    detail: str | None = Field(default=None, validation_alias=AliasChoices("detail", "Detail"))


class JobDto(Numbered):
    """One run.

    `InputArguments` and `OutputArguments` are JSON in a string; where that would be too long, `InputFile` and
    `OutputFile` name attachments.
    """

    Key: str
    State: str
    ReleaseName: str | None = None
    Info: str | None = None
    Reference: str | None = None
    JobPriority: str | None = None
    InputArguments: str | None = None
    InputFile: str | None = None
    OutputArguments: str | None = None
    OutputFile: str | None = None
    ResumeVersion: int | None = None
    ErrorCode: str | None = None
    JobError: JobErrorDto | None = None
    Robot: RobotDto | None = None
    CreationTime: Moment = None
    StartTime: Moment = None
    EndTime: Moment = None
