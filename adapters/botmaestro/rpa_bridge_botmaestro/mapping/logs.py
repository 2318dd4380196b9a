"""Execution logs in neutral words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rpa_bridge.contract.logs import Log, LogEntry
from rpa_bridge_botmaestro.wire.logs import LogRecord, LogRow

WIDTH = 200
"""Of a new column, in the portal's unit: the wire wants one."""
MESSAGE = "message"
"""The column whose text an entry's message is, where a log has it."""


def log(record: LogRecord) -> Log:
    """The log."""
    name = label_of(record)
    return Log(
        id=name if record.id is None else str(record.id),
        name=name,
        columns=tuple(column.label or column.name or "" for column in record.columns or ()),
        raw_data=record.raw,
    )


def label_of(record: LogRecord) -> str:
    """What the log is called in addresses."""
    return record.label or record.activityLabel or str(record.id or "")


def entry(row: LogRow) -> LogEntry:
    """The row."""
    values = dict(row.columns or {})
    return LogEntry(at=row.dateCreation, message=str(values.get(MESSAGE) or ""), values=values, raw_data=row.raw)


def new_log(name: str, columns: Sequence[str], organization: str) -> dict[str, Any]:
    """The body that creates a log, in the words of the SDK. docs: botmaestro.md 4"""
    return {
        "activityLabel": name,
        "columns": [{"name": one, "label": one, "width": WIDTH} for one in columns],
        "organizationLabel": organization,
    }
