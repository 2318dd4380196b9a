"""Automations, on the wire "activity". docs: botmaestro.md 10"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.automations import Automation, AutomationSchema, AutomationService
from rpa_bridge.errors import NotFoundError

from .client import Client, label_segment
from .mapping import automations as mapping
from .wire.automations import Activity


class BotMaestroAutomations(AutomationService):
    """Automations by label."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Automation]:
        for activity in await self._client.read_list(Activity, "/activity", operation="automations.find"):
            yield mapping.automation(activity)

    async def get(self, name: str) -> Automation:
        return mapping.automation(await self._activity(name, "automations.get"))

    async def schema(self, name: str) -> AutomationSchema:
        return mapping.schema(await self._activity(name, "automations.schema"))

    async def _activity(self, name: str, operation: str) -> Activity:
        path = f"/activity/{label_segment(operation, 'automation', name)}"
        try:
            return await self._client.read(Activity, path, operation=operation)
        except NotFoundError:
            raise NotFoundError(
                f"{operation}: there is no automation {name!r}; `rpa-bridge automations list` shows what there is",
                status=404,
                operation=operation,
            ) from None
