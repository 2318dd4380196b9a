"""Errors that runs report. docs: botmaestro.md 7"""

from __future__ import annotations

from typing import Any

from rpa_bridge.transport.decode import Moment, WireModel


class ErrorRecord(WireModel):
    """An error entry. Its id is opaque: clients disagree on its type."""

    id: str | int
    taskId: int | str | None = None
    type: str | None = None
    message: str | None = None
    stackTrace: str | None = None
    tags: dict[str, Any] | None = None
    dateCreation: Moment = None
