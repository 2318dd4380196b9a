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
    ReviewStatus: str | None = None
    RowVersion: str | None = None
    Encrypted: bool | None = None
    Priority: str | None = None
    Reference: str | None = None
    ParentOperationId: str | None = None
    SpecificContent: dict[str, Any] | None = None
    Output: dict[str, Any] | None = None
    Progress: str | None = None
    ProcessingException_: ProcessingException | None = Field(default=None, alias="ProcessingException")
    RetryNumber: int | None = None
    AncestorId: int | None = None
    ManualRetryNumber: int | None = None
    ManualAncestorId: int | None = None
    DueDate: Moment = None
    DeferDate: Moment = None
    CreationTime: Moment = None
    StartProcessing: Moment = None
    EndProcessing: Moment = None


class MarkedItem(Numbered):
    """An item, as far as is needed to tell who added it, and whether it is still there."""

    ParentOperationId: str | None = None
    Status: str | None = None


class FailedQueueItem(WireModel):
    """An item that a bulk did not add; which one, only its ordinal says. docs: null means unknown, uipath.md 3.10"""

    Ordinal: int | None = None
    ErrorCode: str | int | None = None
    ErrorMessage: str | None = None


class BulkAddAnswer(WireModel):
    """What became of a bulk of new items. docs: 200 even when nothing was added, uipath.md 3.10"""

    Success: bool | None = None
    FailedItems: list[FailedQueueItem] | None = None


class BulkAnswer(WireModel):
    """What became of a change to items by id."""

    Success: bool | None = None
    FailedItems: list[int] | None = None
