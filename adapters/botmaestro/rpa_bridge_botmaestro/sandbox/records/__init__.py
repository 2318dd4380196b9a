"""The records that the face keeps: BotMaestro's objects under BotMaestro's names (camelCase on the wire)."""

from .access import Credential, Organization, Secret
from .base import ORGANIZATION, REPOSITORY, Moment, Record, StoredFile, date_text
from .notes import Alert, AlertType, Artifact, Column, Incident, Log, LogRow, Message, MessageType
from .pools import Entry, EntryState, ErrorType, FieldType, Policy, Pool, SchemaField, Trigger
from .runs import RUNNER, Automation, Bot, FinishStatus, Machine, Schedule, Task, TaskState, Technology

__all__ = [
    "ORGANIZATION",
    "REPOSITORY",
    "RUNNER",
    "Alert",
    "AlertType",
    "Artifact",
    "Automation",
    "Bot",
    "Column",
    "Credential",
    "Entry",
    "EntryState",
    "ErrorType",
    "FieldType",
    "FinishStatus",
    "Incident",
    "Log",
    "LogRow",
    "Machine",
    "Message",
    "MessageType",
    "Moment",
    "Organization",
    "Policy",
    "Pool",
    "Record",
    "Schedule",
    "SchemaField",
    "Secret",
    "StoredFile",
    "Task",
    "TaskState",
    "Technology",
    "Trigger",
    "date_text",
]
