"""BotMaestro's JSON under BotMaestro's names. docs: botmaestro.md 2, 3, 9 and 10"""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from rpa_bridge.transport.decode import Moment, WireModel


class LoginAnswer(WireModel):
    """What a log-in answers: no lifetime, nothing to refresh with."""

    accessToken: SecretStr | None = None
    organizationLabel: str | None = None


class Page(WireModel):
    """A Spring page; pages are counted from 0."""

    content: list[dict[str, Any]]
    last: bool | None = None
    totalPages: int | None = None


class Activity(WireModel):
    """An automation."""

    id: int | str | None = None
    label: str
    name: str | None = None
    description: str | None = None
    botId: str | None = None


class Task(WireModel):
    """One run. `interrupted` and `killed` may be null."""

    id: int
    state: str
    parameters: dict[str, Any] | None = None
    activityLabel: str | None = None
    finishStatus: str | None = None
    finishMessage: str | None = None
    interrupted: bool | None = None
    killed: bool | None = None
    priority: int | None = None
    totalItems: int | None = None
    processedItems: int | None = None
    failedItems: int | None = None
    machineId: str | int | None = None
    minExecutionDate: Moment = None
    dateCreation: Moment = None
    dateStartRunning: Moment = None
    dateLastModified: Moment = None


class SchemaField(WireModel):
    """One value that a datapool expects."""

    label: str
    type: str | None = None
    uniqueId: bool | None = None


class DataPool(WireModel):
    """A queue."""

    id: str | None = None
    label: str
    name: str | None = None
    schema_: list[SchemaField] | None = Field(default=None, alias="schema")
    autoRetry: bool | None = None
    maxAutoRetry: int | None = None
    active: bool | None = None


class Entry(WireModel):
    """One item; a retry is another entry with `parent` set."""

    id: str
    dataPoolLabel: str | None = None
    state: str
    priority: int | None = None
    values: dict[str, Any] | None = None
    message: str | None = None
    errorType: str | None = None
    retryIndex: int | None = None
    parent: str | int | None = None
    child: str | int | None = None
    dateRegister: Moment = None
    dateProcessing: Moment = None
    dateFinished: Moment = None
