"""Alerts: what a person should know (UiPath: alert · BotMaestro: alert)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from .features import Feature, Service, optional
from .model import Neutral, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Neutral):
    """Something that a person should know."""

    id: str
    title: str
    message: str
    severity: Severity
    job: str | None = None
    at: datetime | None = None


class AlertService(Service):
    """Tell people, through the platform."""

    noun = "alerts"

    @optional(Feature.ALERT_SEND)
    async def send(
        self, title: str, message: str, *, severity: Severity = Severity.INFO, job: str | None = None
    ) -> None:
        """Raises an alert. Never repeated after an uncertain answer."""
        raise NotImplementedError

    @optional(Feature.ALERT_FIND)
    def find(self, *, job: str | None = None) -> AsyncIterator[Alert]:
        """Alerts, newest first."""
        raise NotImplementedError
