"""Datapools and their entries. docs: botmaestro.md 9"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rpa_bridge.transport.decode import Moment, WireModel


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


class Summary(WireModel):
    """How many entries of a datapool stand in each state. That canceled ones are counted is a guess."""

    countPending: int | None = None
    countProcessing: int | None = None
    countDone: int | None = None
    countError: int | None = None
    countTimeout: int | None = None
    countCanceled: int | None = None


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
    taskId: str | int | None = None
    parent: str | int | None = None
    child: str | int | None = None
    dateRegister: Moment = None
    dateProcessing: Moment = None
    dateFinished: Moment = None
