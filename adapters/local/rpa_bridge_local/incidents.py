"""Incidents: exceptions that runs reported. Their files are artifacts in the container "incident-ID"."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from traceback import TracebackException

from rpa_bridge.clock import Clock
from rpa_bridge.contract.artifacts import ArtifactService
from rpa_bridge.contract.incidents import Incident, IncidentService
from rpa_bridge.errors import InvalidError
from rpa_bridge.redaction import REDACTOR

from . import mapping
from .database import Database, job_number

PIECE = 256 * 1024


class LocalIncidents(IncidentService):
    """Incidents."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database, artifacts: ArtifactService) -> None:
        super().__init__(adapter_name, clock)
        self._database = database
        self._artifacts = artifacts

    async def report(
        self,
        error: BaseException,
        *,
        job: str,
        screenshot: Path | None = None,
        attachments: Sequence[Path] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Incident:
        files = [*([screenshot] if screenshot else []), *attachments]
        await asyncio.to_thread(_check_files, files)
        told = TracebackException.from_exception(error)  # without locals: they may hold secrets
        values = {
            "type": type(error).__name__,
            "message": REDACTOR.clean(str(told)),
            "stack_trace": REDACTOR.clean("".join(told.format())),
            "tags": json.dumps(dict(tags or {})),
            "at": mapping.moment_text(self.clock.now()),
        }
        row = await self._database.write(
            lambda db: db.execute(
                "INSERT INTO incidents (type, message, job_id, stack_trace, tags, at)"
                " VALUES (:type, :message, :job, :stack_trace, :tags, :at) RETURNING *",
                {**values, "job": job_number(db, job)},
            ).fetchone()
        )
        container = f"incident-{row['id']}"
        try:
            for file in files:
                await self._artifacts.upload(file.name, _read(file), container=container, job=job)
        except BaseException:
            await self._database.write(lambda db: _take_back(db, row["id"], container))
            raise
        return mapping.incident(row)

    async def find(self, *, job: str | None = None) -> AsyncIterator[Incident]:
        rows = self._database.rows(
            "SELECT * FROM incidents WHERE id < :last AND (:job IS NULL OR job_id = :job) ORDER BY id DESC LIMIT :page",
            newest_first=True,
            job=None if job is None else mapping.row_id("job", job),
        )
        async for row in rows:
            yield mapping.incident(row)


def _take_back(db: sqlite3.Connection, incident_id: int, container: str) -> None:
    db.execute("DELETE FROM incidents WHERE id = ?", (incident_id,))
    db.execute("DELETE FROM artifacts WHERE container = ?", (container,))


def _check_files(files: Sequence[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise InvalidError(f"{file} is no file that can be attached; look at its path")


async def _read(file: Path) -> AsyncIterator[bytes]:
    try:
        source = await asyncio.to_thread(file.open, "rb")
        try:
            while piece := await asyncio.to_thread(source.read, PIECE):
                yield piece
        finally:
            source.close()
    except OSError as error:
        raise InvalidError(f"{file} cannot be read ({error.strerror}); the incident was not reported") from None
