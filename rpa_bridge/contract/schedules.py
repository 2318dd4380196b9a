"""Schedules: what starts jobs by itself (UiPath: trigger · BotMaestro: scheduling)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from .features import Feature, Service, optional
from .model import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Named):
    """Something that starts jobs. `cron` is the platform's own expression; `queue` is set for a queue trigger."""

    automation: str | None = None
    cron: str | None = None
    timezone: str | None = None
    queue: str | None = None
    enabled: bool = True
    next_at: datetime | None = None


class ScheduleService(Service):
    """See what starts jobs by itself."""

    noun = "schedules"

    @optional(Feature.SCHEDULE_FIND)
    def find(self) -> AsyncIterator[Schedule]:
        """All schedules."""
        raise NotImplementedError
