"""Incidents: exceptions with what surrounds them (UiPath: none · BotMaestro: error entry)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .features import Feature, Service, optional
from .model import Neutral


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Neutral):
    """An exception that a run reported."""

    id: str
    type: str
    message: str
    job: str | None = None
    stack_trace: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None


class IncidentService(Service):
    """Report exceptions, and read them."""

    noun = "incidents"

    @optional(Feature.INCIDENT_REPORT)
    async def report(
        self,
        error: BaseException,
        *,
        job: str,
        screenshot: Path | None = None,
        attachments: Sequence[Path] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Incident:
        """The incident, with its files, once the platform holds it. Never repeated after an uncertain answer."""
        raise NotImplementedError

    @optional(Feature.INCIDENT_FIND)
    def find(self, *, job: str | None = None) -> AsyncIterator[Incident]:
        """Incidents, newest first."""
        raise NotImplementedError
