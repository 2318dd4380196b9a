"""Logs: named ones with columns, and, without a name, the lines that jobs wrote."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.logs import Log, LogEntry, LogService
from rpa_bridge.contract.model import Severity
from rpa_bridge.errors import ConflictError, InvalidError
from rpa_bridge.helpers.checks import check_moment, check_name, check_values

from . import mapping
from .database import Database
from .errors import not_found
from .wire import LIMITS


class LocalLogs(LogService):
    """Logs and their entries."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def find(
        self,
        log: str | None = None,
        *,
        job: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[LogEntry]:
        check_moment("logs.find", "since", since)
        check_moment("logs.find", "until", until)
        rows = self._database.rows(
            "SELECT * FROM log_entries WHERE id > :last AND (:log IS NULL OR log_id = :log)"
            " AND (:job IS NULL OR job_id = :job) AND (:since IS NULL OR at >= :since)"
            " AND (:until IS NULL OR at < :until) ORDER BY id LIMIT :page",
            log=None if log is None else int((await self._log(log)).id),
            job=None if job is None else mapping.row_id("job", job),
            since=mapping.moment_text(since),
            until=mapping.moment_text(until),
        )
        async for row in rows:
            yield mapping.log_entry(row)

    async def create(self, name: str, columns: Sequence[str]) -> Log:
        check_name("logs.create", "log", name, LIMITS)

        def create(db: sqlite3.Connection) -> sqlite3.Row:
            if db.execute("SELECT 1 FROM logs WHERE name = ?", (name,)).fetchone():
                raise ConflictError(f"there is a log {name!r} already; take another name")
            row: sqlite3.Row = db.execute(
                "INSERT INTO logs (name, columns) VALUES (?, ?) RETURNING *", (name, json.dumps(list(columns)))
            ).fetchone()
            return row

        return _log(await self._database.write(create))

    async def append(self, log: str, values: Mapping[str, Any]) -> None:
        check_values("logs.append", values, LIMITS)
        text = json.dumps(dict(values))
        now = mapping.moment_text(self.clock.now())

        def append(db: sqlite3.Connection) -> None:
            found = _log(_row(db, log))
            for name in values:
                if name not in found.columns:
                    near = get_close_matches(name, found.columns, n=1)
                    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(found.columns)}"
                    raise InvalidError(f"log {log!r} has no column {name!r}; {hint}")
            db.execute(
                'INSERT INTO log_entries (log_id, at, severity, "values") VALUES (?, ?, ?, ?)',
                (int(found.id), now, Severity.INFO, text),
            )

        await self._database.write(append)

    async def export(self, log: str) -> AsyncIterator[bytes]:
        columns = (await self._log(log)).columns
        yield _csv_line(["at", *columns])
        async for entry in self.find(log):
            at = entry.at.isoformat() if entry.at else ""
            yield _csv_line([at, *(entry.values.get(column, "") for column in columns)])

    async def delete(self, log: str) -> None:
        await self._database.write(lambda db: db.execute("DELETE FROM logs WHERE id = ?", (_row(db, log)["id"],)))

    async def _log(self, name: str) -> Log:
        return _log(await self._database.read(lambda db: _row(db, name)))


def _row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM logs WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found("log", name, [one["name"] for one in db.execute("SELECT name FROM logs LIMIT 1000")])
    return row


def _log(row: sqlite3.Row) -> Log:
    return Log(id=str(row["id"]), name=row["name"], columns=tuple(json.loads(row["columns"])))


def _csv_line(cells: Sequence[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
