"""Robots with what their sessions tell, and machines. docs: uipath.md 3.3 to 3.5"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.robots import Machine, Robot, RobotService
from rpa_bridge.errors import NotFoundError
from rpa_bridge.helpers.checks import check_name

from . import odata
from .client import Client
from .mapping import robots as mapping
from .wire.robots import MachineDto, RobotRow, SessionDto


class UiPathRobots(RobotService):
    """The robots of the folder, and the machines of the tenant."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("uipath", clock)
        self._client = client

    async def find(self) -> AsyncIterator[Robot]:
        """The robots of this folder; their sessions are read first, once."""
        operation = "robots.find"
        sessions: dict[int, list[SessionDto]] = {}
        async for session in self._sessions(operation):
            if session.Robot is not None and session.Robot.Id is not None:
                sessions.setdefault(session.Robot.Id, []).append(session)
        async for row in self._client.all_rows(RobotRow, "Robots", operation=operation):
            yield mapping.robot(row, sessions.get(row.Id, ()))

    async def get(self, name: str) -> Robot:
        operation = "robots.get"
        check_name(operation, "robot", name, Limits())
        params = {"$filter": odata.where("Name", "eq", name), "$top": "2"}
        for row in await self._client.rows(RobotRow, "Robots", operation=operation, params=params):
            if row.Name.casefold() == name.casefold():
                own = [one async for one in self._sessions(operation, odata.where("Robot/Id", "eq", row.Id))]
                return mapping.robot(row, own)
        raise NotFoundError(
            f"{operation}: there is no robot {name!r} in this folder; `rpa-bridge robots list` shows what there is",
            operation=operation,
        )

    async def machines(self) -> AsyncIterator[Machine]:
        async for row in self._client.all_rows(MachineDto, "Machines", operation="robots.machines"):
            yield mapping.machine(row)

    def _sessions(self, operation: str, condition: str = "") -> AsyncIterator[SessionDto]:
        return self._client.all_rows(SessionDto, "Sessions", operation=operation, condition=condition, expand="Robot")
