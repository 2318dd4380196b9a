"""Alerts, where the server still has them. docs: uipath.md 3.15"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.clock import Clock
from rpa_bridge.contract.alerts import Alert, AlertService
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.jobs import JobService
from rpa_bridge.contract.model import Severity
from rpa_bridge.errors import NotFoundError, UnsupportedError
from rpa_bridge.helpers import paging
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.transport.base import Effect

from . import odata
from .client import PAGE, Client
from .mapping import alerts as mapping
from .wire.alerts import AlertDto

MESSAGE = 512
"""Characters of an alert's message, with its title. docs: uipath.md 3.15"""
GONE = "this server has no alerts any more; Automation Cloud sends notifications instead"


class UiPathAlerts(AlertService):
    """The alerts of the tenant. An alert names a process, not a job; ours say the job in their text."""

    def __init__(self, client: Client, clock: Clock, jobs: JobService) -> None:
        super().__init__("uipath", clock)
        self._client, self._jobs = client, jobs

    async def send(
        self, title: str, message: str, *, severity: Severity = Severity.INFO, job: str | None = None
    ) -> None:
        """Raises an alert of the job's process, or of one that is called as the title."""
        operation = "alerts.send"
        check_name(operation, "alert", title, Limits())
        text = mapping.alert_text(title, message, job)
        if len(text) > MESSAGE:
            raise refuse(operation, f"title and message have {len(text)} characters together; at most {MESSAGE} fit")
        about = None if job is None else await self._jobs.get(job)
        body = mapping.process_alert(text, severity, title, about)
        path = f"/odata/Alerts/{odata.ACTION}RaiseProcessAlert"
        may_be = "the alert may have been raised; look at the tenant's alerts before you repeat it"
        try:
            with self._client.effects.blindly(operation, may_be):
                await self._client.call("POST", path, effect=Effect.BLIND, operation=operation, json=body)
        except NotFoundError:
            raise UnsupportedError(operation, adapter="uipath", hint=GONE) from None

    async def find(self, *, job: str | None = None) -> AsyncIterator[Alert]:
        operation = "alerts.find"
        if job is not None:
            raise UnsupportedError(f"{operation} by job", adapter="uipath", hint="an alert names a process, not a job")
        newest: str | None = None

        async def fetch(number: int) -> paging.Page[AlertDto]:
            """By number, below the newest that the first page had: alerts have no id that grows."""
            nonlocal newest
            params = {"$orderby": "CreationTime desc,Id", "$top": str(PAGE), "$skip": str(number * PAGE)}
            params |= {"$filter": newest} if newest else {}
            rows = await self._client.rows(AlertDto, "Alerts", operation=operation, params=params)
            if newest is None and rows and rows[0].CreationTime is not None:
                newest = odata.where("CreationTime", "le", rows[0].CreationTime)
            return paging.Page(rows, last=len(rows) < PAGE)

        try:
            async for row in paging.pages(fetch, operation=operation):
                yield mapping.alert(row)
        except NotFoundError:
            raise UnsupportedError(operation, adapter="uipath", hint=GONE) from None
