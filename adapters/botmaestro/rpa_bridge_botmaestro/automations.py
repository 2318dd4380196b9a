"""Automations, on the wire "activity". docs: botmaestro.md 10"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.automations import Automation, AutomationService
from rpa_bridge.errors import NotFoundError, ProtocolError
from rpa_bridge.transport.base import Effect

from .client import Client, label_segment
from .mapping import automations as mapping
from .wire.automations import Activity


class BotMaestroAutomations(AutomationService):
    """Automations by label."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Automation]:
        operation = "automations.find"
        answer = await self._client.call("GET", "/activity", effect=Effect.READ, operation=operation)
        if not isinstance(answer, list):
            raise ProtocolError(f"{operation}: the platform's answer is not a list", operation=operation)
        for row in answer:
            yield mapping.automation(Activity.of(row, operation))

    async def get(self, name: str) -> Automation:
        operation = "automations.get"
        path = f"/activity/{label_segment(operation, 'automation', name)}"
        try:
            return mapping.automation(await self._client.read(Activity, path, operation=operation))
        except NotFoundError:
            raise NotFoundError(
                f"{operation}: there is no automation {name!r}; `rpa-bridge automations list` shows what there is",
                status=404,
                operation=operation,
            ) from None
