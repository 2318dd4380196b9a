"""Incidents: errors that runs report, with their files. docs: botmaestro.md 7"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from rpa_bridge.clock import Clock
from rpa_bridge.contract.incidents import Incident, IncidentService
from rpa_bridge.errors import BridgeError, OutcomeUnknownError
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.transport.addresses import path_segment
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.content import Content, FileOnDisk

from .client import NEWEST_FIRST, Client, number_of
from .mapping import incidents as mapping
from .wire.incidents import ErrorRecord


class BotMaestroIncidents(IncidentService):
    """Error entries of tasks."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def report(
        self,
        error: BaseException,
        *,
        job: str,
        screenshot: Path | None = None,
        attachments: Sequence[Path] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Incident:
        """The incident. `tags` go over those that tell where the run took place. Known secrets are masked.

        Raises OutcomeUnknownError when a file may not have arrived; the incident itself is there then.
        """
        operation = "incidents.report"
        task = number_of(operation, "task", job)
        files = [(path.name, _content(path, operation)) for path in attachments]
        shot = None if screenshot is None else (screenshot.name, _content(screenshot, operation))
        body = mapping.new_error(error, task, tags or {})
        may_be = f"the error may stand on task {task}; look at its errors before you repeat it"
        with self._client.effects.blindly(operation, may_be):
            answer = await self._client.call("POST", "/error", effect=Effect.BLIND, operation=operation, json=body)
            record = ErrorRecord.of(answer, operation)
        if shot is not None:
            await self._attach("screenshot", *shot, Effect.SET, record)
        for name, content in files:  # docs: one file per request
            await self._attach("attachments", name, content, Effect.BLIND, record)
        told = {name: value for name, value in record.raw.items() if value is not None}
        return mapping.incident(ErrorRecord.of(body | told, operation))  # docs: only its id is sure to be answered

    async def find(self, *, job: str | None = None) -> AsyncIterator[Incident]:
        params = NEWEST_FIRST | ({} if job is None else {"taskId": job})
        async for record in self._client.all_rows(ErrorRecord, "/error", operation="incidents.find", params=params):
            found = mapping.incident(record)
            if job in (None, found.job):
                yield found

    async def _attach(self, kind: str, name: str, content: Content, effect: Effect, record: ErrorRecord) -> None:
        operation = "incidents.report"
        try:
            path = f"/error/{path_segment(str(record.id))}/{kind}"
            await self._client.upload(path, name, content, effect=effect, operation=operation)
        except (BridgeError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise OutcomeUnknownError(
                f"{operation}: incident {record.id} is there, but its file {name!r} and those after it may not be; "
                f"do not report it again ({reason})",
                operation=operation,
            ) from None


def _content(path: Path, operation: str) -> Content:
    try:
        path.open("rb").close()
        return FileOnDisk(path).content
    except OSError as error:
        raise refuse(operation, f"the file {str(path)!r} cannot be read ({error.strerror})") from None
