"""Automations: UiPath's releases, which its portal calls processes. docs: uipath.md 3.7"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.automations import Automation, AutomationService
from rpa_bridge.contract.features import Limits
from rpa_bridge.errors import NotFoundError
from rpa_bridge.helpers.checks import check_name

from . import odata
from .client import Client
from .mapping import automations as mapping
from .wire.automations import ReleaseDto


class UiPathAutomations(AutomationService):
    """Releases by name."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("uipath", clock)
        self._client = client
        self._keys: dict[str, str] = {}

    async def find(self) -> AsyncIterator[Automation]:
        async for release in self._client.all_rows(ReleaseDto, "Releases", operation="automations.find"):
            yield mapping.automation(release)

    async def get(self, name: str) -> Automation:
        return mapping.automation(await self._release(name, "automations.get"))

    async def release_key(self, name: str, operation: str) -> str:
        """The key that StartJobs takes, remembered. Raises NotFoundError."""
        if name not in self._keys:
            self._keys[name] = (await self._release(name, operation)).Key
        return self._keys[name]

    def forget_key(self, name: str) -> None:
        """Forgets a remembered key: the release may have been made anew."""
        self._keys.pop(name, None)

    async def _release(self, name: str, operation: str) -> ReleaseDto:
        check_name(operation, "automation", name, Limits())
        params = {"$filter": odata.where("Name", "eq", name), "$top": "2"}
        rows = await self._client.rows(ReleaseDto, "Releases", operation=operation, params=params)
        same = [row for row in rows if row.Name.casefold() == name.casefold()]
        if not same:
            raise NotFoundError(
                f"{operation}: there is no automation {name!r} in this folder; "
                f"`rpa-bridge automations list` shows what there is",
                operation=operation,
            )
        return same[0]
