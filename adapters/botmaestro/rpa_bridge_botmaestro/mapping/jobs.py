"""Tasks in neutral words, and starts in BotMaestro's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge_botmaestro.wire.jobs import Task

from .common import KEY, PRIORITIES, priority_of

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
FINISH_WORDS = {outcome: word for word, outcome in FINISH_STATUSES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start as a caller asked for it."""

    automation: str
    inputs: Mapping[str, Any]
    key: str | None
    priority: Priority | None
    not_before: datetime | None
    options: Mapping[str, Any]


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
        priority=None if task.priority is None else priority_of(task.priority),
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


def ending(outcome: JobOutcome, message: str | None, counts: ItemCounts | None) -> dict[str, Any]:
    """The body that finishes a task; the three counts go together, or not at all. docs: botmaestro.md 3"""
    return {
        "state": "FINISHED",
        "finishStatus": FINISH_WORDS[outcome],
        "finishMessage": message or "",
        "totalItems": counts and counts.total,
        "processedItems": counts and counts.processed,
        "failedItems": counts and counts.failed,
    }


def ended_so(task: Task, wanted: Mapping[str, Any]) -> bool:
    """Whether the task has ended as the body of an `ending` says; what that leaves open may be anything."""
    return all(value in (None, "") or getattr(task, name) == value for name, value in wanted.items())


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
