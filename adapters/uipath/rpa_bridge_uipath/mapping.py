"""Between UiPath's words and ours: pure functions and the tables of states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rpa_bridge.contract.automations import Automation
from rpa_bridge.contract.jobs import Job, JobOutcome, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Failure, FailureKind, Item, ItemDraft, ItemState, Queue

from .wire import JobDto, ProcessingException, QueueDefinitionDto, QueueItemDto, ReleaseDto

JOB_STATES: dict[str, tuple[JobState, JobOutcome | None]] = {  # docs: uipath.md 3.8 "States"
    "Pending": (JobState.PENDING, None),
    "Running": (JobState.RUNNING, None),
    "Stopping": (JobState.STOPPING, None),
    "Terminating": (JobState.STOPPING, None),
    "Faulted": (JobState.FINISHED, JobOutcome.FAILED),
    "Successful": (JobState.FINISHED, JobOutcome.SUCCEEDED),
    "Stopped": (JobState.FINISHED, JobOutcome.STOPPED),
    "Suspended": (JobState.SUSPENDED, None),
    "Resumed": (JobState.PENDING, None),
}
ITEM_STATES: dict[str, ItemState] = {  # docs: uipath.md 3.10 "States"
    "New": ItemState.NEW,
    "InProgress": ItemState.TAKEN,
    "Failed": ItemState.FAILED,
    "Successful": ItemState.DONE,
    "Abandoned": ItemState.LAPSED,
    "Retried": ItemState.RETRIED,
    "Deleted": ItemState.REMOVED,
}
PRIORITIES = {Priority.LOW: "Low", Priority.NORMAL: "Normal", Priority.HIGH: "High"}
SPECIFIC_PRIORITIES = {Priority.LOW: 25, Priority.NORMAL: 45, Priority.HIGH: 65}
"""JobPriority alone may not take effect. docs: uipath.md 3.7"""
FAILURE_TYPES = {FailureKind.BUSINESS: "BusinessException", FailureKind.APPLICATION: "ApplicationException"}

COUNTED = ("ModernJobsCount", "JobsCount")
"""Strategies that start as many jobs as JobsCount says; with any other it must be absent. docs: uipath.md 3.8"""

_PRIORITY_OF = {word: priority for priority, word in PRIORITIES.items()}
_FAILURE_KIND_OF = {word: kind for kind, word in FAILURE_TYPES.items()}


def automation(release: ReleaseDto) -> Automation:
    """The release in neutral words."""
    return Automation(
        id=release.Key,
        name=release.Name,
        description=release.Description,
        version=release.ProcessVersion,
        package=release.ProcessKey,
        raw_data=release.raw,
    )


def job(dto: JobDto) -> Job:
    """The job in neutral words."""
    state, outcome = JOB_STATES.get(dto.State, (JobState.UNKNOWN, None))
    return Job(
        id=str(dto.Id),
        automation=dto.ReleaseName or "",
        state=state,
        outcome=outcome,
        native_state=dto.State,
        inputs=_arguments(dto.InputArguments),
        outputs=_arguments(dto.OutputArguments),
        message=dto.Info or None,
        key=dto.Reference or None,
        priority=_PRIORITY_OF.get(dto.JobPriority or ""),
        robot=dto.Robot.Name if dto.Robot else None,
        stop_requested=dto.State in ("Stopping", "Terminating"),
        created_at=dto.CreationTime,
        started_at=dto.StartTime,
        ended_at=dto.EndTime,
        raw_data=dto.raw,
    )


def job_state_filter(state: JobState) -> list[str]:
    """UiPath's states that mean this one; empty for UNKNOWN."""
    return [word for word, (neutral, _) in JOB_STATES.items() if neutral is state]


def item_state_filter(state: ItemState) -> list[str]:
    """UiPath's states that mean this one; empty for those that UiPath does not have."""
    return [word for word, neutral in ITEM_STATES.items() if neutral is state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start as a caller asked for it, with the Reference that it will carry."""

    automation: str
    inputs: Mapping[str, Any]
    reference: str
    priority: Priority | None
    options: Mapping[str, Any]


def starts_one_job(options: Mapping[str, Any]) -> bool:
    """Whether a start with these options is one job, and not one for each of several robots."""
    strategy, robots = options.get("Strategy", COUNTED[0]), options.get("RobotIds")
    return strategy in COUNTED or (strategy == "Specific" and isinstance(robots, list | tuple) and len(robots) == 1)


def start_info(release_key: str, start: Start) -> dict[str, Any]:
    """The body of StartJobs for one job; `options` win. docs: uipath.md 3.8"""
    info: dict[str, Any] = {
        "ReleaseKey": release_key,
        "Strategy": COUNTED[0],
        "InputArguments": arguments_text(start.inputs),
        "Reference": start.reference,
    }
    if start.priority is not None:
        info["JobPriority"] = PRIORITIES[start.priority]
        info["SpecificPriorityValue"] = SPECIFIC_PRIORITIES[start.priority]
    info |= start.options
    if info["Strategy"] in COUNTED:
        info["JobsCount"] = 1
    return {"startInfo": info}


def arguments_text(inputs: Mapping[str, Any]) -> str:
    """Inputs as UiPath takes them: a JSON object in a string. Raises ValueError for what JSON cannot hold."""
    return json.dumps(dict(inputs), ensure_ascii=False, allow_nan=False)


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
        priority=_PRIORITY_OF.get(dto.Priority or "", Priority.NORMAL),
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


def instant(moment: datetime) -> str:
    """A time as UiPath reads it."""
    return moment.isoformat()


def _arguments(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


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
