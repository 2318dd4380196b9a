"""What runs leave behind: files, logs, alerts, messages, errors."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from .base import ORGANIZATION, REPOSITORY, Moment, Record, StoredFile


class Artifact(Record):
    """A result file: the record is made first, its content comes later. docs: botmaestro.md 6"""

    hidden = frozenset({"stored"})

    id: int
    type: str = "FILE"
    """A guess: no value is known."""
    task_id: int
    task_name: str | None
    name: str
    file_name: str
    storage_file_name: str
    storage_file_path: str
    organization_id: int = 1
    user_id: int = 1
    date_creation: Moment
    stored: StoredFile | None = None


class Column(Record):
    """One column of an execution log."""

    name: str
    label: str
    width: int = 0
    visible: bool = True


class LogRow(Record):
    """One row of an execution log."""

    columns: dict[str, Any]
    date_creation: Moment


class Log(Record):
    """An execution log; its id is the organization and the label. docs: botmaestro.md 4"""

    hidden = frozenset({"rows"})

    id: str
    organization_label: str = ORGANIZATION
    activity_label: str
    label: str
    columns: list[Column]
    repository_label: str = REPOSITORY
    date_creation: Moment
    rows: list[LogRow] = Field(default_factory=list)


class AlertType(StrEnum):
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Alert(Record):
    """A note on a task. docs: botmaestro.md 5"""

    id: str
    task_id: int
    title: str
    message: str
    type: AlertType
    date: Moment
    activity_name: str | None
    activity_label: str | None
    bot_id: str | None
    organization_label: str = ORGANIZATION
    repository_label: str = REPOSITORY


class MessageType(StrEnum):
    TEXT = "TEXT"
    HTML = "HTML"


class Message(Record):
    """An e-mail that would have been sent."""

    emails: list[str]
    logins: list[str]
    groups: list[str]
    subject: str
    body: str
    type: MessageType
    date: Moment


class Incident(Record):
    """An error that a run reported. docs: botmaestro.md 7"""

    hidden = frozenset({"screenshot", "attachments"})

    id: str
    task_id: int
    automation_label: str | None
    type: str
    message: str
    stack_trace: str
    language: str
    tags: dict[str, str]
    date_creation: Moment
    organization_label: str = ORGANIZATION
    screenshot: StoredFile | None = None
    attachments: list[StoredFile] = Field(default_factory=list)
