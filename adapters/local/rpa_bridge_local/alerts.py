"""Alerts: kept for whoever looks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.alerts import Alert, AlertService
from rpa_bridge.contract.model import Severity

from . import mapping
from .database import Database, job_number


class LocalAlerts(AlertService):
    """Alerts."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def send(
        self, title: str, message: str, *, severity: Severity = Severity.INFO, job: str | None = None
    ) -> None:
        now = mapping.moment_text(self.clock.now())
        await self._database.write(
            lambda db: db.execute(
                "INSERT INTO alerts (title, message, severity, job_id, at) VALUES (?, ?, ?, ?, ?)",
                (title, message, severity, job_number(db, job), now),
            )
        )

    async def find(self, *, job: str | None = None) -> AsyncIterator[Alert]:
        rows = self._database.rows(
            "SELECT * FROM alerts WHERE id < :last AND (:job IS NULL OR job_id = :job) ORDER BY id DESC LIMIT :page",
            newest_first=True,
            job=None if job is None else mapping.row_id("job", job),
        )
        async for row in rows:
            yield mapping.alert(row)
