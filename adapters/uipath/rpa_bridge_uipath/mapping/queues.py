"""Queues and items in neutral words, and drafts and reports in UiPath's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Failure, FailureKind, Item, ItemDraft, ItemState, Queue, QueueDraft
from rpa_bridge_uipath.errors import LONGEST, shown
from rpa_bridge_uipath.wire.queues import (
    BulkAddAnswer,
    FailedQueueItem,
    MarkedItem,
    ProcessingException,
    QueueDefinitionDto,
    QueueItemDto,
)

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
DUPLICATE = "DuplicateReference"
"""The code of an item of a bulk whose reference the queue has already. docs: uipath.md 3.10"""
_TYPE = "@odata.type"
_LOOKS_LIKE_A_DATE = re.compile(r"\s*(\d{4}-\d\d-\d\d|/Date\()", re.ASCII)


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


def new_definition(draft: QueueDraft) -> dict[str, Any]:
    """The body of a new queue. docs: uipath.md 3.9"""
    return {
        "Name": draft.name,
        "Description": draft.description,
        "MaxNumberOfRetries": draft.retries,
        "AcceptAutomaticallyRetry": draft.retries > 0,
        "EnforceUniqueReference": draft.unique_references,
        **draft.options,
    }


def changed_definition(old: QueueDefinitionDto, draft: QueueDraft) -> dict[str, Any]:
    """The body that gives a queue the draft's settings and keeps its others: PUT empties what it leaves out."""
    return {name: value for name, value in old.raw.items() if "@odata." not in name} | new_definition(draft)


def is_as_drafted(found: QueueDefinitionDto, draft: QueueDraft) -> bool:
    """Whether the queue is what `new_definition` would have made."""
    made = queue(found)
    return (
        (made.name, made.description or None) == (draft.name, draft.description or None)
        and (made.retries, made.unique_references) == (draft.retries, draft.unique_references)
        and all(found.raw.get(name) == value for name, value in draft.options.items())
    )


def item_state(dto: QueueItemDto) -> ItemState:
    """The item's state in neutral words."""
    return ITEM_STATES.get(dto.Status, ItemState.UNKNOWN)


def is_removed(row: QueueItemDto | MarkedItem) -> bool:
    """Whether somebody took it out of the queue: such items stay listed."""
    return ITEM_STATES.get(row.Status or "") is ItemState.REMOVED


def item(dto: QueueItemDto, queue_name: str) -> Item:
    """The item in neutral words."""
    return Item(
        id=str(dto.Id),
        queue=queue_name,
        state=item_state(dto),
        native_state=dto.Status,
        values=_without_annotations(dto.SpecificContent),
        output=_without_annotations(dto.Output),
        reference=dto.Reference or None,
        priority=PRIORITY_OF.get(dto.Priority or "", Priority.NORMAL),
        progress=dto.Progress or None,
        failure=_failure(dto.ProcessingException_),
        attempt=(dto.RetryNumber or 0) + (dto.ManualRetryNumber or 0) + 1,
        retry_of=_retry_of(dto),
        mark=dto.ParentOperationId or None,
        not_before=dto.DeferDate,
        due_at=dto.DueDate,
        created_at=dto.CreationTime,
        started_at=dto.StartProcessing,
        ended_at=dto.EndProcessing,
        raw_data=dto.raw,
    )


def item_data(queue_name: str, draft: ItemDraft, *, mark: str | None) -> dict[str, Any]:
    """The body of AddQueueItem; `mark` comes back in ParentOperationId. docs: uipath.md 3.10"""
    return {"itemData": {"Name": queue_name, **marked(new_item(draft), mark)}}


def bulk(queue_name: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of BulkAddQueueItems: each item is taken or refused by itself. docs: uipath.md 3.10"""
    return {"queueName": queue_name, "commitType": "ProcessAllIndependently", "queueItems": items}


def new_item(draft: ItemDraft) -> dict[str, Any]:
    """An item to be added, without its queue's name, which stands elsewhere in a bulk."""
    data: dict[str, Any] = {"Priority": PRIORITIES[draft.priority], "SpecificContent": typed(draft.values)}
    if draft.reference is not None:
        data["Reference"] = draft.reference
    if draft.not_before is not None:
        data["DeferDate"] = instant(draft.not_before)
    if draft.due_at is not None:
        data["DueDate"] = instant(draft.due_at)
    return data


def marked(data: Mapping[str, Any], mark: str | None) -> dict[str, Any]:
    """The item with a mark, which comes back in ParentOperationId; without one where it is None."""
    return dict(data) if mark is None else {**data, "ParentOperationId": mark}


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, and beside each text that looks like a date a note that it is text.

    The server would take it for a date and give it back in another layout. docs: uipath.md 3.10
    """
    content: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, str) and _LOOKS_LIKE_A_DATE.match(value):
            note = f"{name}{_TYPE}"
            if note not in values and "@" not in name:
                content[note] = "#String"
        content[name] = value
    return content


def postponed(dto: QueueItemDto, until: datetime) -> dict[str, Any]:
    """The body that moves an item's time and keeps what the server would empty otherwise. docs: uipath.md 3.10"""
    kept = {name: dto.raw.get(name) for name in ("Priority", "DueDate", "Progress")}
    content = {name: value for name, value in (dto.SpecificContent or {}).items() if not name.startswith("@")}
    return {
        **{name: value for name, value in kept.items() if value is not None},
        "SpecificContent": typed(content),
        "DeferDate": instant(until),
    }


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item of a bulk was not added."""

    reason: str
    duplicate: bool
    """Whether the queue has an item with this reference already."""


def failures(answer: BulkAddAnswer, count: int) -> dict[int, Refusal] | None:
    """Why items of a bulk were refused, by ordinal from 1; None when the answer does not tell it of each."""
    rows = answer.FailedItems or []
    told = {row.Ordinal: _refusal(row) for row in rows if row.Ordinal is not None and 1 <= row.Ordinal <= count}
    whole = len(told) == len(rows) and answer.Success is (not rows)
    return told if whole else None


def refusals(answer: BulkAddAnswer) -> list[Refusal]:
    """Why items of a bulk were refused, one for each refused item; empty when it is not clear how many those are."""
    rows = answer.FailedItems or []
    ordinals = [row.Ordinal for row in rows if row.Ordinal is not None]
    doubled = len(set(ordinals)) < len(ordinals)
    return [] if doubled or answer.Success is not False else [_refusal(row) for row in rows]


def _refusal(row: FailedQueueItem) -> Refusal:
    code = "" if row.ErrorCode is None else f" ({row.ErrorCode})"
    reason = shown(f"{row.ErrorMessage or 'the platform refused it without a reason'}{code}", LONGEST)
    return Refusal(reason, duplicate=row.ErrorCode == DUPLICATE)


def succeeded(output: Mapping[str, Any]) -> dict[str, Any]:
    """The body of SetTransactionResult for an item that is done."""
    return {"transactionResult": {"IsSuccessful": True, "Output": dict(output)}}


def failed(failure: Failure) -> dict[str, Any]:
    """The body of SetTransactionResult for an item that failed."""
    exception = {"Type": FAILURE_TYPES[failure.kind], "Reason": failure.reason}
    if failure.detail is not None:
        exception["Details"] = failure.detail
    return {"transactionResult": {"IsSuccessful": False, "ProcessingException": exception}}


def _without_annotations(content: dict[str, Any] | None) -> dict[str, Any]:
    """Content without OData's type notes, which may stand beside a value."""
    if not content:
        return {}
    if "@" not in "".join(content):  # one look for all names: this is done for every item of a list
        return content
    return {name: value for name, value in content.items() if "@odata." not in name}


def _retry_of(dto: QueueItemDto) -> str | None:
    """The attempt before: the later one where a chain of retries was both automatic and by hand."""
    before = max(dto.AncestorId or 0, dto.ManualAncestorId or 0)
    return str(before) if before else None


def _failure(exception: ProcessingException | None) -> Failure | None:
    if exception is None or not (exception.Reason or exception.Type):
        return None
    return Failure(
        kind=_FAILURE_KIND_OF.get(exception.Type or "", FailureKind.APPLICATION),
        reason=exception.Reason or "",
        detail=exception.Details,
    )
