"""Robots: BotMaestro's runners. docs: botmaestro.md 10"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.robots import Robot, RobotService
from rpa_bridge.errors import NotFoundError
from rpa_bridge.helpers.checks import check_name

from .client import Client
from .mapping import robots as mapping
from .wire.robots import Machine


class BotMaestroRobots(RobotService):
    """Runners, and whether they are online."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Robot]:
        async for machine in self._machines("robots.find"):
            yield mapping.robot(machine)

    async def get(self, name: str) -> Robot:
        operation = "robots.get"
        check_name(operation, "robot", name, Limits())
        async for machine in self._machines(operation):
            found = mapping.robot(machine)
            if found.name == name:
                return found
        raise NotFoundError(
            f"{operation}: there is no robot {name!r}; `rpa-bridge robots list` shows what there is",
            operation=operation,
        )

    def _machines(self, operation: str) -> AsyncIterator[Machine]:
        return self._client.all_rows(Machine, "/machine/pagination", operation=operation)
