"""Rows to neutral values, and back. Pure."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from enum import StrEnum

from rpa_bridge.contract.alerts import Alert
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.assets import Asset, AssetType
from rpa_bridge.contract.incidents import Incident
from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.contract.logs import LogEntry
from rpa_bridge.contract.model import Priority, Severity
from rpa_bridge.contract.queues import Failure, FailureKind, Field, Item, ItemState, Queue
from rpa_bridge.errors import NotFoundError


class JobWord(StrEnum):
    """A job's state as the file keeps it."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"
    """The process that ran it is gone, and nobody knows how far it came."""


JOB_STATES: dict[str, tuple[JobState, JobOutcome | None]] = {
    JobWord.WAITING: (JobState.PENDING, None),
    JobWord.RUNNING: (JobState.RUNNING, None),
    JobWord.STOPPING: (JobState.STOPPING, None),
    JobWord.SUCCEEDED: (JobState.FINISHED, JobOutcome.SUCCEEDED),
    JobWord.PARTIAL: (JobState.FINISHED, JobOutcome.PARTIAL),
    JobWord.FAILED: (JobState.FINISHED, JobOutcome.FAILED),
    JobWord.STOPPED: (JobState.FINISHED, JobOutcome.STOPPED),
    JobWord.LOST: (JobState.FINISHED, JobOutcome.FAILED),
}
JOB_WORDS = {outcome: JobWord(outcome) for outcome in JobOutcome}
PRIORITIES = {Priority.LOW: 0, Priority.NORMAL: 1, Priority.HIGH: 2}
_PRIORITY_OF = {number: priority for priority, number in PRIORITIES.items()}
_ITEM_STATES = {state.value: state for state in ItemState}


def job_words(state: JobState | None) -> str | None:
    """The file's words for a neutral state, as a JSON list; None for every state."""
    return (
        None if state is None else json.dumps([word for word, (neutral, _) in JOB_STATES.items() if neutral is state])
    )


def job(row: sqlite3.Row) -> Job:
    state, outcome = JOB_STATES.get(row["state"], (JobState.UNKNOWN, None))
    counts = json.loads(row["counts"]) if row["counts"] else None
    return Job(
        id=str(row["id"]),
        automation=row["automation"],
        state=state,
        native_state=row["state"],
        outcome=outcome,
        inputs=json.loads(row["inputs"]),
        outputs=json.loads(row["outputs"]),
        message=row["message"],
        key=row["key"],
        priority=Priority(row["priority"]) if row["priority"] else None,
        counts=ItemCounts(**counts) if counts else None,
        robot=row["robot"],
        stop_requested=row["stop"] is not None,
        not_before=moment(row["not_before"]),
        created_at=moment(row["created_at"]),
        started_at=moment(row["started_at"]),
        ended_at=moment(row["ended_at"]),
    )


def counts_text(counts: ItemCounts | None) -> str | None:
    if counts is None:
        return None
    return json.dumps({"total": counts.total, "processed": counts.processed, "failed": counts.failed})


def queue(row: sqlite3.Row) -> Queue:
    return Queue(
        id=str(row["id"]),
        name=row["name"],
        description=row["description"],
        retries=row["retries"],
        unique_references=bool(row["unique_references"]),
        fields=fields(row["fields"]),
        active=bool(row["active"]),
    )


def fields(text: str) -> tuple[Field, ...]:
    return tuple(Field(**one) for one in json.loads(text))


def fields_text(given: tuple[Field, ...]) -> str:
    return json.dumps(
        [{"name": one.name, "type": one.type, "unique": one.unique, "required": one.required} for one in given]
    )


def item(row: sqlite3.Row, queue_name: str) -> Item:
    told = json.loads(row["failure"]) if row["failure"] else None
    return Item(
        id=str(row["id"]),
        queue=queue_name,
        state=_ITEM_STATES.get(row["state"], ItemState.UNKNOWN),
        native_state=row["state"],
        values=json.loads(row["values"]),
        output=json.loads(row["output"]),
        reference=row["reference"],
        priority=_PRIORITY_OF.get(row["priority"], Priority.NORMAL),
        progress=row["progress"],
        failure=Failure(kind=FailureKind(told["kind"]), reason=told["reason"], detail=told["detail"]) if told else None,
        attempt=row["attempt"],
        retry_of=None if row["retry_of"] is None else str(row["retry_of"]),
        mark=row["mark"],
        not_before=moment(row["not_before"]),
        due_at=moment(row["due_at"]),
        created_at=moment(row["created_at"]),
        started_at=moment(row["started_at"]),
        ended_at=moment(row["ended_at"]),
    )


def failure_text(failure: Failure) -> str:
    return json.dumps({"kind": failure.kind, "reason": failure.reason, "detail": failure.detail})


def asset(row: sqlite3.Row) -> Asset:
    return Asset(
        id=str(row["id"]),
        name=row["name"],
        type=AssetType(row["type"]),
        value=json.loads(row["value"]),
        description=row["description"],
    )


def artifact(row: sqlite3.Row) -> Artifact:
    return Artifact(
        id=str(row["id"]),
        name=row["name"],
        size=row["size"],
        container=row["container"],
        job=_text_id(row["job_id"]),
        content_type=row["content_type"],
        created_at=moment(row["created_at"]),
    )


def log_entry(row: sqlite3.Row) -> LogEntry:
    return LogEntry(
        at=moment(row["at"]),
        message=row["message"],
        severity=Severity(row["severity"]),
        job=_text_id(row["job_id"]),
        robot=row["robot"],
        values=json.loads(row["values"]),
    )


def alert(row: sqlite3.Row) -> Alert:
    return Alert(
        id=str(row["id"]),
        title=row["title"],
        message=row["message"],
        severity=Severity(row["severity"]),
        job=_text_id(row["job_id"]),
        at=moment(row["at"]),
    )


def incident(row: sqlite3.Row) -> Incident:
    return Incident(
        id=str(row["id"]),
        type=row["type"],
        message=row["message"],
        job=_text_id(row["job_id"]),
        stack_trace=row["stack_trace"],
        tags=json.loads(row["tags"]),
        at=moment(row["at"]),
    )


def row_id(kind: str, text: str) -> int:
    """The row's number. Raises NotFoundError for a text that is none of ours."""
    if text.isascii() and text.isdecimal() and len(text) < 19:  # 2^63 has 19 digits
        return int(text)
    raise NotFoundError(f"there is no {kind} {text!r} here")


def moment_text(at: datetime | None) -> str | None:
    """The moment in UTC; all are of one length, so that texts sort as time."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text_id(number: int | None) -> str | None:
    return None if number is None else str(number)
