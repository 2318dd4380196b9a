"""Datapools and their entries."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from .base import REPOSITORY, Moment, Record


class FieldType(StrEnum):
    TEXT = "TEXT"
    INTEGER = "INTEGER"
    DOUBLE = "DOUBLE"


class SchemaField(Record):
    """One value that a datapool expects."""

    label: str
    type: FieldType = FieldType.TEXT
    unique_id: bool = False
    display_value: bool = False


class EntryState(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    DONE = "DONE"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    CANCELED = "CANCELED"


class ErrorType(StrEnum):
    SYSTEM = "SYSTEM"
    BUSINESS = "BUSINESS"


class Entry(Record):
    """One item of a datapool. docs: botmaestro.md 9 "Entries" """

    id: str
    data_pool_label: str
    state: EntryState = EntryState.PENDING
    priority: int = 0
    values: dict[str, Any] = Field(default_factory=dict)
    unique_key: str | None = None
    display_value: str | None = None
    message: str | None = None
    error_type: ErrorType | None = None
    retry_index: int = 0
    runner: str | None = None
    task_id: str | None = None
    parent: str | None = None
    child: str | None = None
    date_register: Moment
    date_processing: Moment | None = None
    date_finished: Moment | None = None


class Policy(StrEnum):
    FIFO = "FIFO"
    LIFO = "LIFO"


class Trigger(StrEnum):
    ALWAYS = "ALWAYS"
    NEVER = "NEVER"
    NO_TASK_ACTIVE = "NO_TASK_ACTIVE"


class Pool(Record):
    """A datapool: `itemMaxProcessingTime` in minutes, 0 for no limit. docs: botmaestro.md 9"""

    hidden = frozenset({"entries", "errors_in_a_row"})

    id: str
    label: str
    name: str
    default_activity: str | None = None
    consumption_policy: Policy = Policy.FIFO
    schema_: list[SchemaField] = Field(default_factory=list, alias="schema")
    trigger: Trigger = Trigger.NEVER
    auto_retry: bool = True
    max_auto_retry: int = 0
    abort_on_error: bool = True
    max_errors_before_inactive: int = 0
    enable_processing_time: bool = True
    item_max_processing_time: int = 0
    active: bool = True
    repository_label: str = REPOSITORY
    entries: dict[str, Entry] = Field(default_factory=dict)
    """By id, oldest first."""
    errors_in_a_row: int = 0
