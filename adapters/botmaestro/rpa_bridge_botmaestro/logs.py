"""Logs: tables that runs write rows to. docs: botmaestro.md 4"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.logs import Log, LogEntry, LogService
from rpa_bridge.errors import InvalidError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import check_moment, check_values, refuse
from rpa_bridge.transport.base import Effect, Request, opened

from .client import Client, label_segment
from .mapping import logs as mapping
from .wire.logs import LogRecord, LogRow

ALL_DAYS = 36_500
"""A hundred years back: the official client's "everything" is 365 days. docs: botmaestro.md 4"""
A_DAY = timedelta(days=1)


class BotMaestroLogs(LogService):
    """Logs by label. Rows know no task, and are read whole: the list of rows has no pages."""

    def __init__(self, client: Client, clock: Clock, organization: Callable[[], Awaitable[str]]) -> None:
        super().__init__("botmaestro", clock)
        self._client, self._organization = client, organization
        self._columns: dict[str, tuple[str, ...]] = {}

    async def find(
        self,
        log: str | None = None,
        *,
        job: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[LogEntry]:
        """Rows, oldest first; without `log` those of all logs together."""
        operation = "logs.find"
        check_moment(operation, "since", since)
        check_moment(operation, "until", until)
        if job is not None:
            raise UnsupportedError(f"{operation} by job", adapter="botmaestro", hint="its rows know no task")
        rows = await (self._all_rows(since, operation) if log is None else self._rows(log, since, operation))
        for entry in sorted(map(mapping.entry, rows), key=lambda one: (one.at is not None, one.at)):
            if entry.at is None or ((since is None or entry.at >= since) and (until is None or entry.at < until)):
                yield entry

    async def create(self, name: str, columns: Sequence[str]) -> Log:
        operation = "logs.create"
        path = _path(name, operation)
        if not columns or not all(column.strip() for column in columns) or len(set(columns)) < len(columns):
            raise refuse(operation, "a log needs at least one column, each with a name of its own")
        body = mapping.new_log(name, columns, await self._organization())
        self._columns.pop(name, None)

        async def send() -> Log:
            answer = await self._client.call("POST", "/log", effect=Effect.FINDABLE, operation=operation, json=body)
            made = mapping.log(LogRecord.of(answer, operation))
            if made.name != name:
                raise ProtocolError(f"{operation}: the answer does not name our log", operation=operation)
            return made

        async def look_up() -> Log | None:
            """A label is taken once, so a log with these columns is ours."""
            try:
                found = mapping.log(await self._client.read(LogRecord, path, operation=operation))
            except NotFoundError:
                return None
            return found if found.columns == tuple(columns) else None

        what = f"log {name!r} with these columns"
        return await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def append(self, log: str, values: Mapping[str, Any]) -> None:
        """Writes one row; columns that are not named are written empty, since readers stumble over missing ones."""
        operation = "logs.append"
        _path(log, operation)
        check_values(operation, values, Limits())
        row = await self._row(log, values, operation)
        try:
            await self._write(log, row, operation)
        except (InvalidError, NotFoundError):  # perhaps it was deleted, and made anew with other columns
            self._columns.pop(log, None)
            now = await self._row(log, values, operation)
            if now == row:
                raise
            await self._write(log, now, operation)

    async def export(self, log: str) -> AsyncIterator[bytes]:
        operation = "logs.export"
        request = Request(
            "GET",
            f"{_path(log, operation)}/export",
            effect=Effect.READ,
            operation=operation,
            params={"days": str(ALL_DAYS), "format": "csv"},
        )
        try:
            async with opened(self._client.transport, request, refuse_pages=True) as pieces:
                async for piece in pieces:
                    yield piece
        except NotFoundError:
            raise _no_log(operation, log) from None

    async def delete(self, log: str) -> None:
        operation = "logs.delete"
        path = _path(log, operation)
        self._columns.pop(log, None)
        try:
            await self._client.tell("DELETE", path, effect=Effect.SET, operation=operation)
        except NotFoundError as error:
            if not error.uncertain_before:  # else the first attempt, whose answer was lost, has deleted it
                raise _no_log(operation, log) from None

    async def _write(self, log: str, row: Mapping[str, Any], operation: str) -> None:
        path = f"{_path(log, operation)}/entry"
        may_be = f"the row may stand in log {log!r}; look at its last rows before you repeat it"
        with self._client.effects.blindly(operation, may_be):
            await self._client.tell("POST", path, effect=Effect.BLIND, operation=operation, json=row)

    async def _all_rows(self, since: datetime | None, operation: str) -> list[LogRow]:
        rows: list[LogRow] = []
        for record in await self._client.read_list(LogRecord, "/log", operation=operation):
            with suppress(NotFoundError):  # it was deleted meanwhile
                rows += await self._rows(mapping.label_of(record), since, operation)
        return rows

    async def _rows(self, label: str, since: datetime | None, operation: str) -> list[LogRow]:
        """The filter counts whole days, by the server's clock: a day more makes sure."""
        back = ALL_DAYS if since is None else max(1, math.ceil((self.clock.now() - since) / A_DAY) + 1)
        path, params = f"{_path(label, operation)}/entry-list", {"days": str(min(back, ALL_DAYS))}
        try:
            return await self._client.read_list(LogRow, path, operation=operation, params=params)
        except NotFoundError:
            raise _no_log(operation, label) from None

    async def _row(self, log: str, values: Mapping[str, Any], operation: str) -> dict[str, Any]:
        """The values under all columns of the log: remembered, and asked for again when a value has none."""
        if log not in self._columns or not set(values) <= set(self._columns[log]):
            try:
                record = await self._client.read(LogRecord, _path(log, operation), operation=operation)
            except NotFoundError:
                raise _no_log(operation, log) from None
            self._columns[log] = mapping.log(record).columns
        columns = self._columns[log]
        strange = sorted(set(values) - set(columns))
        if strange:
            raise refuse(operation, f"log {log!r} has no column {strange[0]!r}; it has {', '.join(columns)}")
        return {column: values.get(column, "") for column in columns}


def _path(label: str, operation: str) -> str:
    return f"/log/{label_segment(operation, 'log', label)}"


def _no_log(operation: str, label: str) -> NotFoundError:
    return NotFoundError(
        f"{operation}: there is no log {label!r}; `rpa-bridge logs create` makes one", status=404, operation=operation
    )
