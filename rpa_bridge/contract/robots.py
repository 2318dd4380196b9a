"""Robots: what runs jobs (UiPath: robot, session and machine · BotMaestro: runner)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from .features import Feature, Service, optional
from .model import Named


class RobotState(StrEnum):
    """Whether a robot can take work."""

    AVAILABLE = "available"
    BUSY = "busy"
    DISCONNECTED = "disconnected"
    UNRESPONSIVE = "unresponsive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot(Named):
    """A robot as the platform last described it."""

    state: RobotState
    native_state: str
    machine: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine(Named):
    """A machine that robots may run on. `type` is the platform's own word."""

    type: str = ""
    description: str | None = None


class RobotService(Service):
    """See who can run jobs."""

    noun = "robots"

    @abstractmethod
    def find(self) -> AsyncIterator[Robot]:
        """All robots."""

    @optional(Feature.ROBOT_GET)
    async def get(self, name: str) -> Robot:
        """The robot now. Raises NotFoundError."""
        raise NotImplementedError

    @optional(Feature.ROBOT_MACHINES)
    def machines(self) -> AsyncIterator[Machine]:
        """All machines that this identity may see."""
        raise NotImplementedError
