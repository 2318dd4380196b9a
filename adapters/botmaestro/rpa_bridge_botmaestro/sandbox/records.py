"""The records that the face keeps: BotMaestro's objects under BotMaestro's names (camelCase on the wire)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, SerializationInfo
from pydantic.alias_generators import to_camel

ORGANIZATION = "acme"
REPOSITORY = "DEFAULT"


def date_text(moment: datetime, layout: str) -> str:
    """A date as the server writes it: UTC, milliseconds, and an offset in one of three layouts."""
    text = moment.isoformat(timespec="milliseconds")
    match layout:
        case "zulu":
            return text.replace("+00:00", "Z")
        case "compact":
            return text.replace("+00:00", "+0000")
        case _:
            return text


def _date(moment: datetime, info: SerializationInfo) -> str:
    """In full for a state file, as the server writes it for an answer."""
    return date_text(moment, info.context["dates"]) if info.context else moment.isoformat()


Moment = Annotated[AwareDatetime, PlainSerializer(_date, return_type=str)]


class Record(BaseModel):
    """One object. `hidden` members are ours and stay off the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, ser_json_bytes="base64", val_json_bytes="base64"
    )
    hidden: ClassVar[frozenset[str]] = frozenset()

    def wire(self, date_layout: str) -> dict[str, Any]:
        """The object as JSON can hold it, under the server's names."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(self.hidden), context={"dates": date_layout})


class Organization(Record):
    """Who may log in. The login is a code, not the label. docs: botmaestro.md 1 "Headers" """

    label: str = ORGANIZATION
    name: str = "Acme"
    login: str = "acme-robots-4711"
    key: str = "acme-sandbox-key-of-loopback"


class Automation(Record):
    """What can be run ("activity" on the wire). docs: botmaestro.md 10"""

    id: int
    label: str
    name: str
    bot_id: str
    repository_label: str = REPOSITORY
    organization_label: str = ORGANIZATION
    parameters: list[dict[str, Any]] = []


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

    hidden = frozenset({"looks", "queued"})

    id: int
    state: TaskState = TaskState.START
    parameters: dict[str, Any] = {}
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
    values: dict[str, Any] = {}
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
    schema_: list[SchemaField] = Field(default=[], alias="schema")
    trigger: Trigger = Trigger.NEVER
    auto_retry: bool = True
    max_auto_retry: int = 0
    abort_on_error: bool = True
    max_errors_before_inactive: int = 0
    enable_processing_time: bool = True
    item_max_processing_time: int = 0
    active: bool = True
    repository_label: str = REPOSITORY
    entries: dict[str, Entry] = {}
    """By id, oldest first."""
    errors_in_a_row: int = 0


class StoredFile(Record):
    """A file that was uploaded."""

    hidden = frozenset({"content"})

    file_name: str
    content: bytes


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
    rows: list[LogRow] = []


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
    attachments: list[StoredFile] = []


class Secret(Record):
    """One key of a credential set."""

    key: str
    value: str
    valid: bool = True


class Credential(Record):
    """A credential set. docs: botmaestro.md 8"""

    label: str
    secrets: list[Secret] = []
    organization_label: str = ORGANIZATION
    repository_label: str = REPOSITORY

    def secret(self, key: str) -> Secret | None:
        """The secret of this key."""
        return next((one for one in self.secrets if one.key == key), None)
