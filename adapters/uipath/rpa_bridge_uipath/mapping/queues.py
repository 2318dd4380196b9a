"""Queues and items in neutral words, and drafts and reports in UiPath's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Failure, FailureKind, Item, ItemDraft, ItemState, Queue
from rpa_bridge_uipath.wire.queues import ProcessingException, QueueDefinitionDto, QueueItemDto

from .common import PRIORITIES, PRIORITY_OF, instant

ITEM_STATES: dict[str, ItemState] = {  # docs: uipath.md 3.10 "States"
    "New": ItemState.NEW,
    "InProgress": ItemState.TAKEN,
    "Failed": ItemState.FAILED,
    "Successful": ItemState.DONE,
    "Abandoned": ItemState.LAPSED,
    "Retried": ItemState.RETRIED,
    "Deleted": ItemState.REMOVED,
}
FAILURE_TYPES = {FailureKind.BUSINESS: "BusinessException", FailureKind.APPLICATION: "ApplicationException"}
_FAILURE_KIND_OF = {word: kind for kind, word in FAILURE_TYPES.items()}


def item_state_filter(state: ItemState) -> list[str]:
    """UiPath's states that mean this one; empty for those that UiPath does not have."""
    return [word for word, neutral in ITEM_STATES.items() if neutral is state]


def queue(definition: QueueDefinitionDto) -> Queue:
    """The queue in neutral words; retries count only where it retries by itself."""
    return Queue(
        id=str(definition.Id),
        name=definition.Name,
        description=definition.Description,
        retries=(definition.MaxNumberOfRetries or 0) if definition.AcceptAutomaticallyRetry else 0,
        unique_references=bool(definition.EnforceUniqueReference),
        raw_data=definition.raw,
    )


def item(dto: QueueItemDto, queue_name: str) -> Item:
    """The item in neutral words."""
    return Item(
        id=str(dto.Id),
        queue=queue_name,
        state=ITEM_STATES.get(dto.Status, ItemState.UNKNOWN),
        native_state=dto.Status,
        values=_without_annotations(dto.SpecificContent),
        output=_without_annotations(dto.Output),
        reference=dto.Reference or None,
        priority=PRIORITY_OF.get(dto.Priority or "", Priority.NORMAL),
        progress=dto.Progress or None,
        failure=_failure(dto.ProcessingException_),
        attempt=(dto.RetryNumber or 0) + 1,
        retry_of=None if dto.AncestorId is None else str(dto.AncestorId),
        not_before=dto.DeferDate,
        due_at=dto.DueDate,
        created_at=dto.CreationTime,
        started_at=dto.StartProcessing,
        ended_at=dto.EndProcessing,
        raw_data=dto.raw,
    )


def item_data(queue_name: str, draft: ItemDraft, *, mark: str | None) -> dict[str, Any]:
    """The body of AddQueueItem; `mark` comes back in ParentOperationId. docs: uipath.md 3.10"""
    data: dict[str, Any] = {
        "Name": queue_name,
        "Priority": PRIORITIES[draft.priority],
        "SpecificContent": draft.values,
    }
    if draft.reference is not None:
        data["Reference"] = draft.reference
    if draft.not_before is not None:
        data["DeferDate"] = instant(draft.not_before)
    if draft.due_at is not None:
        data["DueDate"] = instant(draft.due_at)
    if mark is not None:
        data["ParentOperationId"] = mark
    return {"itemData": data}


def succeeded(output: Mapping[str, Any]) -> dict[str, Any]:
    """The body of SetTransactionResult for an item that is done."""
    return {"transactionResult": {"IsSuccessful": True, "Output": dict(output)}}


def failed(failure: Failure) -> dict[str, Any]:
    """The body of SetTransactionResult for an item that failed."""
    exception = {"Type": FAILURE_TYPES[failure.kind], "Reason": failure.reason}
    if failure.detail is not None:
        exception["Details"] = failure.detail
    return {"transactionResult": {"IsSuccessful": False, "ProcessingException": exception}}


def _without_annotations(content: Mapping[str, Any] | None) -> dict[str, Any]:
    """Content without OData's type notes, which may stand beside a value."""
    return {name: value for name, value in (content or {}).items() if "@odata." not in name}


def _failure(exception: ProcessingException | None) -> Failure | None:
    if exception is None or not (exception.Reason or exception.Type):
        return None
    return Failure(
        kind=_FAILURE_KIND_OF.get(exception.Type or "", FailureKind.APPLICATION),
        reason=exception.Reason or "",
        detail=exception.Details,
    )
