"""Queues and their items. docs: uipath.md 3.9 and 3.10"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rpa_bridge.transport.decode import Moment, WireModel

from .lists import Numbered


class QueueDefinitionDto(Numbered):
    """A queue."""

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


class QueueItemDto(Numbered):
    """One attempt at an item; a retry is another one with the same `Key` and `Reference`."""

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
