"""Automations and their runs, and what runs them: runners, schedules, bots."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from .base import ORGANIZATION, REPOSITORY, Moment, Record, StoredFile

RUNNER = "runner-1"
"""The runner that works the tasks."""


class Automation(Record):
    """What can be run ("activity" on the wire). docs: botmaestro.md 10"""

    id: int
    label: str
    name: str
    bot_id: str
    repository_label: str = REPOSITORY
    organization_label: str = ORGANIZATION
    parameters: list[dict[str, Any]] = Field(default_factory=list)


class TaskState(StrEnum):
    START = "START"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    TIMEOUT = "TIMEOUT"


class FinishStatus(StrEnum):
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    PARTIALLY_COMPLETED = "PARTIALLY_COMPLETED"


class Task(Record):
    """One run. docs: botmaestro.md 3"""

    hidden = frozenset({"looks", "queued", "claimed"})

    id: int
    state: TaskState = TaskState.START
    parameters: dict[str, Any] = Field(default_factory=dict)
    input_file: dict[str, Any] | None = None
    activity_id: int
    activity_label: str
    activity_name: str
    agent_id: str
    user_email: str = "sandbox@acme.example"
    user_creation_name: str = "Sandbox"
    organization_label: str = ORGANIZATION
    organization_creation_id: int = 1
    date_creation: Moment
    date_last_modified: Moment
    date_start_running: Moment | None = None
    min_execution_date: Moment | None = None
    finish_status: FinishStatus | None = None
    finish_message: str | None = None
    test: bool = False
    interrupted: bool | None = None
    killed: bool | None = None
    machine_id: str | None = None
    priority: int = 0
    repository_label: str = REPOSITORY
    total_items: int | None = None
    processed_items: int | None = None
    failed_items: int | None = None
    looks: int = 0
    queued: Moment
    """When it was last put into the queue."""
    claimed: bool = False
    """Whether somebody outside works it, and not the sandbox."""


class Machine(Record):
    """A runner; `type` is a guess, no value is known. docs: botmaestro.md 10"""

    id: int
    machine_id: str
    name: str
    type: str = "RUNNER"
    is_online: bool
    organization_label: str = ORGANIZATION


class Schedule(Record):
    """What starts an automation by time: `cron` in Quartz's syntax, in UTC. docs: botmaestro.md 10"""

    id: int
    activity_label: str
    cron: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    organization_label: str = ORGANIZATION


class Technology(StrEnum):
    PYTHON = "PYTHON"
    JAVA = "JAVA"
    JAVASCRIPT = "JAVASCRIPT"
    TYPESCRIPT = "TYPESCRIPT"
    COMMAND = "COMMAND"


class Bot(Record):
    """One version of a bot: the record is made first, its content comes later. docs: botmaestro.md 10"""

    hidden = frozenset({"stored"})

    bot_id: str
    version: str
    technology: Technology
    command: str | None = None
    repository_label: str = REPOSITORY
    organization_label: str = ORGANIZATION
    released: bool = False
    stored: StoredFile | None = None
