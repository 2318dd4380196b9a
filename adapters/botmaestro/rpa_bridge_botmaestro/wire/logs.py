"""Execution logs. docs: botmaestro.md 4"""

from __future__ import annotations

from typing import Any

from rpa_bridge.transport.decode import Moment, WireModel


class Column(WireModel):
    """A column; rows name it by its label."""

    name: str | None = None
    label: str | None = None


class LogRecord(WireModel):
    """A log. Older servers call its label `activityLabel`, though no automation is meant."""

    id: str | int | None = None
    label: str | None = None
    activityLabel: str | None = None
    columns: list[Column] | None = None


class LogRow(WireModel):
    """One row; whether it has all columns is not sure."""

    columns: dict[str, Any] | None = None
    dateCreation: Moment = None
