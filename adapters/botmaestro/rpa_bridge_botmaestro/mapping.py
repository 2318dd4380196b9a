"""Between BotMaestro's words and ours: pure functions and the tables of states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rpa_bridge.contract.automations import Automation
from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Failure, FailureKind, Field, Item, ItemDraft, ItemState, Queue

from .wire import Activity, DataPool, Entry, Task

KEY = "_rb_key"
"""The parameter of a task, or value of an entry, that carries our key. docs: values outside the schema are allowed"""
REFERENCE = "_rb_reference"
OUTPUT = "_rb_output"
"""Entries have neither a reference nor an output of their own: these values hold them, the output as JSON."""
HIDDEN = frozenset({KEY, REFERENCE, OUTPUT})

JOB_STATES: dict[str, JobState] = {  # docs: botmaestro.md 3
    "START": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "FINISHED": JobState.FINISHED,
    "CANCELED": JobState.FINISHED,
    "TIMEOUT": JobState.UNKNOWN,  # the bot may still finish it, so it is neither running for sure nor over
}
FINISH_STATUSES: dict[str, JobOutcome] = {
    "SUCCESS": JobOutcome.SUCCEEDED,
    "FAILED": JobOutcome.FAILED,
    "PARTIALLY_COMPLETED": JobOutcome.PARTIAL,
}
ITEM_STATES: dict[str, ItemState] = {  # docs: botmaestro.md 9 "Entries"
    "PENDING": ItemState.NEW,
    "PROCESSING": ItemState.TAKEN,
    "DONE": ItemState.DONE,
    "ERROR": ItemState.FAILED,
    "TIMEOUT": ItemState.LAPSED,
    "CANCELED": ItemState.CANCELLED,
}
PRIORITIES = {Priority.LOW: 0, Priority.NORMAL: 5, Priority.HIGH: 10}
"""0 is the lowest, 10 the highest. docs: botmaestro.md 9"""
ERROR_TYPES = {FailureKind.BUSINESS: "BUSINESS", FailureKind.APPLICATION: "SYSTEM"}
FIELD_TYPES = {"TEXT": "text", "INTEGER": "integer", "DOUBLE": "number"}

_FAILURE_KIND_OF = {word: kind for kind, word in ERROR_TYPES.items()}
_ENTRY_MEMBERS = (  # docs: what the SDK sends when it saves an entry, botmaestro.md 9
    "priority",
    "values",
    "dataPoolLabel",
    "state",
    "uniqueKey",
    "displayValue",
    "message",
    "errorType",
    "retryIndex",
    "runner",
    "taskId",
    "parent",
    "child",
)
_DETAIL = "\n\n"
"""What parts reason and detail in an entry's one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start as a caller asked for it."""

    automation: str
    inputs: Mapping[str, Any]
    key: str | None
    priority: Priority | None
    not_before: datetime | None
    options: Mapping[str, Any]


def automation(activity: Activity) -> Automation:
    """The automation in neutral words; its label is what starts it."""
    return Automation(
        id=str(activity.id if activity.id is not None else activity.label),
        name=activity.label,
        description=activity.description or activity.name,
        package=activity.botId,
        raw_data=activity.raw,
    )


def job(task: Task) -> Job:
    """The task in neutral words, without our own parameter."""
    parameters = dict(task.parameters or {})
    key = parameters.pop(KEY, None)
    state, outcome = _life(task)
    return Job(
        id=str(task.id),
        automation=task.activityLabel or "",
        state=state,
        outcome=outcome,
        native_state=task.state,
        inputs=parameters,
        message=task.finishMessage or None,
        key=None if key is None else str(key),
        priority=None if task.priority is None else _priority(task.priority),
        counts=_counts(task),
        robot=None if task.machineId is None else str(task.machineId),
        stop_requested=_is_stopping(task),
        not_before=task.minExecutionDate,
        created_at=task.dateCreation,
        started_at=task.dateStartRunning,
        ended_at=task.dateLastModified if outcome else None,
        raw_data=task.raw,
    )


def new_task(start: Start) -> dict[str, Any]:
    """The body that creates a task; `options` win. docs: botmaestro.md 3"""
    body: dict[str, Any] = {
        "activityLabel": start.automation,
        "test": False,
        "parameters": {**start.inputs, **({} if start.key is None else {KEY: start.key})},
        "priority": 0 if start.priority is None else PRIORITIES[start.priority],
    }
    if start.not_before is not None:
        body["minExecutionDate"] = start.not_before.isoformat()
    return {**body, **start.options}


def queue(pool: DataPool) -> Queue:
    """The datapool in neutral words."""
    return Queue(
        id=pool.id or pool.label,
        name=pool.label,
        description=pool.name,
        retries=(pool.maxAutoRetry or 0) if pool.autoRetry else 0,
        fields=tuple(
            Field(name=one.label, type=FIELD_TYPES.get(one.type or "TEXT", "text"), unique=bool(one.uniqueId))
            for one in pool.schema_ or ()
        ),
        active=pool.active is not False,
        raw_data=pool.raw,
    )


def item(entry: Entry, queue_name: str) -> Item:
    """The entry in neutral words, without our own values."""
    values = dict(entry.values or {})
    reference, output = values.pop(REFERENCE, None), values.pop(OUTPUT, None)
    values.pop(KEY, None)
    return Item(
        id=entry.id,
        queue=entry.dataPoolLabel or queue_name,
        state=_item_state(entry),
        native_state=entry.state,
        values=values,
        output=_output(output),
        reference=None if reference is None else str(reference),
        priority=_priority(entry.priority or 0),
        failure=_failure(entry),
        attempt=(entry.retryIndex or 0) + 1,
        retry_of=None if entry.parent is None else str(entry.parent),
        created_at=entry.dateRegister,
        started_at=entry.dateProcessing,
        ended_at=entry.dateFinished,
        raw_data=entry.raw,
    )


def new_entry(draft: ItemDraft, *, mark: str | None) -> dict[str, Any]:
    """The body of a push; `mark` tells our own push from others with the same reference."""
    own = {} if draft.reference is None else {REFERENCE: draft.reference}
    own |= {} if mark is None else {KEY: mark}
    return {"priority": PRIORITIES[draft.priority], "values": {**draft.values, **own}}


def done(entry: Entry, output: Mapping[str, Any]) -> dict[str, Any]:
    """The body that reports an entry done."""
    values = dict(entry.values or {})
    if output:
        values[OUTPUT] = json.dumps(dict(output), ensure_ascii=False)
    return _saved(entry) | {"state": "DONE", "values": values}


def failed(entry: Entry, failure: Failure) -> dict[str, Any]:
    """The body that reports an entry failed."""
    message = failure.reason if failure.detail is None else failure.reason + _DETAIL + failure.detail
    return _saved(entry) | {"state": "ERROR", "errorType": ERROR_TYPES[failure.kind], "message": message}


def _saved(entry: Entry) -> dict[str, Any]:
    return {name: entry.raw.get(name) for name in _ENTRY_MEMBERS}


def _life(task: Task) -> tuple[JobState, JobOutcome | None]:
    state = JOB_STATES.get(task.state, JobState.UNKNOWN)
    if task.state == "CANCELED":
        return state, JobOutcome.STOPPED
    if state is JobState.FINISHED:
        outcome = FINISH_STATUSES.get(task.finishStatus or "")
        if task.killed and outcome in (None, JobOutcome.FAILED):
            outcome = JobOutcome.STOPPED
        return (state, outcome) if outcome else (JobState.UNKNOWN, None)
    if state is JobState.RUNNING and _is_stopping(task):
        return JobState.STOPPING, None
    return state, None


def _is_stopping(task: Task) -> bool:
    return bool(task.interrupted or task.killed)


def _counts(task: Task) -> ItemCounts | None:
    if task.totalItems is None or task.processedItems is None or task.failedItems is None:
        return None
    try:
        return ItemCounts(total=task.totalItems, processed=task.processedItems, failed=task.failedItems)
    except ValueError:  # whether the server checks the sum is not known: what does not add up is not passed on
        return None


def _priority(number: int) -> Priority:
    if number <= 3:
        return Priority.LOW
    return Priority.NORMAL if number <= 6 else Priority.HIGH


def _item_state(entry: Entry) -> ItemState:
    if entry.state == "ERROR" and entry.child is not None:
        return ItemState.RETRIED
    return ITEM_STATES.get(entry.state, ItemState.UNKNOWN)


def _failure(entry: Entry) -> Failure | None:
    if entry.state != "ERROR":
        return None
    reason, _, detail = (entry.message or "").partition(_DETAIL)
    return Failure(
        kind=_FAILURE_KIND_OF.get(entry.errorType or "", FailureKind.APPLICATION), reason=reason, detail=detail or None
    )


def _output(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
