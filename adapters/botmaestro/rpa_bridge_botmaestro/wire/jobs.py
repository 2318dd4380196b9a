"""Tasks. docs: botmaestro.md 3"""

from __future__ import annotations

from typing import Any

from rpa_bridge.transport.decode import Moment, WireModel


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
