"""UiPath's JSON under UiPath's names. docs: uipath.md 3.7 to 3.10"""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from rpa_bridge.transport.decode import Moment, WireModel


class TokenAnswer(WireModel):
    """What an identity server answers. `expires_in` may be a number or a string."""

    access_token: SecretStr | None = None
    expires_in: int | str | None = None
    scope: str | None = None


class Page(WireModel):
    """A list: `@odata.count` only when asked for, `@odata.nextLink` hardly ever. docs: uipath.md 4"""

    value: list[dict[str, Any]]
    next_link: str | None = Field(default=None, alias="@odata.nextLink")


class ReleaseDto(WireModel):
    """What the portal calls a process."""

    Id: int
    Key: str
    Name: str
    Description: str | None = None
    ProcessKey: str | None = None
    ProcessVersion: str | None = None


class RobotDto(WireModel):
    """The robot of an expanded job."""

    Name: str | None = None


class JobDto(WireModel):
    """One run. `InputArguments` and `OutputArguments` are JSON in a string."""

    Id: int
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


class QueueDefinitionDto(WireModel):
    """A queue."""

    Id: int
    Name: str
    Description: str | None = None
    MaxNumberOfRetries: int | None = None
    AcceptAutomaticallyRetry: bool | None = None
    EnforceUniqueReference: bool | None = None


class ProcessingException(WireModel):
    """Why a transaction failed."""

    Reason: str | None = None
    Details: str | None = None
    Type: str | None = None


class QueueItemDto(WireModel):
    """One attempt at an item; a retry is another one with the same `Key` and `Reference`."""

    Id: int
    Key: str | None = None
    QueueDefinitionId: int | None = None
    Status: str
    Priority: str | None = None
    Reference: str | None = None
    ParentOperationId: str | None = None
    SpecificContent: dict[str, Any] | None = None
    Output: dict[str, Any] | None = None
    Progress: str | None = None
    ProcessingException_: ProcessingException | None = Field(default=None, alias="ProcessingException")
    RetryNumber: int | None = None
    AncestorId: int | None = None
    DueDate: Moment = None
    DeferDate: Moment = None
    CreationTime: Moment = None
    StartProcessing: Moment = None
    EndProcessing: Moment = None
