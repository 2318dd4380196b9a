"""What wakes suspended jobs: their triggers, each an inbox that takes one payload. docs: uipath.md 3.8, job triggers"""

from __future__ import annotations

from typing import Any

from rpa_bridge.sandbox.world import World

from .entities import Row
from .state import State


class Inboxes:
    """One for each time that a job is suspended; by the key under which a payload is delivered."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    def open(self, job_id: int) -> None:
        """A new one, for a job that was just suspended."""
        key = self._world.new_uuid()
        trigger: Row = {
            "JobId": job_id,
            "TriggerType": "Inbox",
            "Status": "New",
            "ItemKey": key,
            "ItemId": None,
            "Timer": None,
            "TriggerMessage": None,
            "TriggerConfiguration": None,
            "Id": self._state.next_id("job trigger", 60_001),
        }
        self._table()[key] = {"trigger": trigger, "payload": None}

    def close(self, job_id: int, payload: dict[str, Any]) -> None:
        """Fires the job's open one; what came with it can be read afterwards."""
        for inbox in self._table().values():
            if inbox["trigger"]["JobId"] == job_id and inbox["trigger"]["Status"] == "New":
                inbox["trigger"]["Status"], inbox["payload"] = "Fired", payload

    def get(self, key: str) -> Row | None:
        """The trigger and its payload; None for an unknown one."""
        return self._table().get(key.lower())

    def triggers(self) -> list[Row]:
        """All of them, as they go out."""
        return [inbox["trigger"] for inbox in self._table().values()]

    def _table(self) -> dict[str, Row]:
        return self._state.table("job triggers")
