"""Alerts on tasks. docs: botmaestro.md 5"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.alerts import Alert, AlertService
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.model import Severity
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.transport.base import Effect

from .client import Client, number_of
from .mapping import alerts as mapping
from .wire.alerts import AlertRecord


class BotMaestroAlerts(AlertService):
    """Alerts; each belongs to a task."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def send(
        self, title: str, message: str, *, severity: Severity = Severity.INFO, job: str | None = None
    ) -> None:
        operation = "alerts.send"
        check_name(operation, "alert", title, Limits())
        if job is None:
            raise refuse(operation, "an alert belongs to a task; give job")
        task = number_of(operation, "task", job)
        body = {"taskId": task, "title": title, "message": message, "type": mapping.ALERT_TYPES[severity]}
        may_be = f"the alert may stand on task {task}; look at its alerts before you repeat it"
        with self._client.effects.blindly(operation, may_be):
            await self._client.tell("POST", "/alerts", effect=Effect.BLIND, operation=operation, json=body)

    async def find(self, *, job: str | None = None) -> AsyncIterator[Alert]:
        params = {"sort": "date,desc"} | ({} if job is None else {"taskId": job})
        async for record in self._client.all_rows(AlertRecord, "/alerts", operation="alerts.find", params=params):
            found = mapping.alert(record)
            if job in (None, found.job):
                yield found
