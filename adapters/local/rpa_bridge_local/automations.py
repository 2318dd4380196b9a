"""Automations: the commands that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from rpa_bridge.clock import Clock
from rpa_bridge.contract.automations import Argument, Automation, AutomationSchema, AutomationService

from .errors import not_found
from .settings import ArgumentSettings, AutomationSettings


class LocalAutomations(AutomationService):
    """Automations; adding one is an edit of the settings."""

    def __init__(self, adapter_name: str, clock: Clock, automations: Mapping[str, AutomationSettings]) -> None:
        super().__init__(adapter_name, clock)
        self._automations = automations

    async def find(self) -> AsyncIterator[Automation]:
        for name in sorted(self._automations):
            yield self._automation(name)

    async def get(self, name: str) -> Automation:
        if name not in self._automations:
            raise not_found("automation", name, self._automations)
        return self._automation(name)

    async def schema(self, name: str) -> AutomationSchema:
        await self.get(name)
        settings = self._automations[name]
        return AutomationSchema(inputs=_arguments(settings.inputs or {}), outputs=_arguments(settings.outputs))

    def _automation(self, name: str) -> Automation:
        settings = self._automations[name]
        return Automation(id=name, name=name, description=settings.description, version=settings.version)


def _arguments(settings: Mapping[str, ArgumentSettings]) -> tuple[Argument, ...]:
    return tuple(
        Argument(name=name, type=one.type, required=one.required, default=one.default) for name, one in settings.items()
    )
