"""How the sandbox's jobs move on: at once, after some looks, or after some seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """Where a job of the sandbox stands, in neutral words; each face has its own for them."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass
class Ending:
    """How the next job of an automation ends."""

    outcome: str = "succeeded"
    """"succeeded" or "failed"; a face maps it to its own words."""
    message: str | None = None
    outputs: dict[str, Any] | None = None
    """None echoes the inputs."""


@dataclass
class Lifecycle:
    """When jobs move on, and how they end.

    `looks` and `seconds` count from the start, half of them spent waiting; with neither, a job is over when it is
    first looked at. `hold` keeps every job where it is.
    """

    looks: int = 0
    seconds: float = 0.0
    hold: bool = False
    endings: dict[str, Ending] = field(default_factory=dict)
    """By the automation's name; "*" is for all others."""

    def stage(self, *, looks: int, created: datetime, now: datetime, not_before: datetime | None = None) -> Stage:
        """Where a job stands that was looked at `looks` times before this look."""
        start = max(created, not_before) if not_before else created
        if self.hold or now < start:
            return Stage.WAITING
        if looks >= self.looks and now >= start + timedelta(seconds=self.seconds):
            return Stage.ENDED
        half_time = now >= start + timedelta(seconds=self.seconds / 2)
        return Stage.RUNNING if looks * 2 >= self.looks and half_time else Stage.WAITING

    def ending(self, automation: str) -> Ending:
        """How a job of this automation ends."""
        return self.endings.get(automation) or self.endings.get("*") or Ending()
