"""Robots: this machine, which runs every job at once."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.robots import Robot, RobotService, RobotState

from .database import Database
from .errors import not_found


class LocalRobots(RobotService):
    """The one robot, named after its machine."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def find(self) -> AsyncIterator[Robot]:
        yield await self.get(platform.node())

    async def get(self, name: str) -> Robot:
        machine = platform.node()
        if name != machine:
            raise not_found("robot", name, [machine])
        is_busy = await self._database.read(_is_busy)
        state = RobotState.BUSY if is_busy else RobotState.AVAILABLE
        return Robot(id=machine, name=machine, state=state, native_state=state, machine=machine)


def _is_busy(db: sqlite3.Connection) -> bool:
    running = "SELECT 1 FROM jobs WHERE ended_at IS NULL AND state <> 'waiting' LIMIT 1"
    return db.execute(running).fetchone() is not None
