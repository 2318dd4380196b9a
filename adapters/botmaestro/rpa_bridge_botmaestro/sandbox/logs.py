"""Execution logs: tables that runs write rows to. docs: botmaestro.md 4"""

from __future__ import annotations

import csv
import io
from typing import Any

from aiohttp import web
from pydantic import Field

from .backend import Backend, Body, Route
from .errors import invalid, taken
from .paging import first_moment
from .records import ORGANIZATION, Column, Log, LogRow, date_text


class GivenColumn(Body):
    name: str
    label: str
    width: int = 0
    visible: bool = True


class NewLog(Body):
    """A log of the clients that say `activityLabel`, or of the newer ones that say `label`; both mean the log's."""

    activity_label: str = ""
    label: str = ""
    columns: list[GivenColumn] = Field(default_factory=list)
    organization_label: str = ORGANIZATION
    repository_label: str | None = None


class Logs:
    """All logs by label; the id finds them too. Rows stand in the order in which they came."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/log", self._create),
            Route("GET", "/log", self._list),
            Route("GET", "/log/{label}", self._get),
            Route("DELETE", "/log/{label}", self._delete),
            Route("POST", "/log/{label}/entry", self._append),
            Route("GET", "/log/{label}/entry-list", self._read),
            Route("GET", "/log/{label}/entry", self._page),
            Route("GET", "/log/{label}/export", self._export),
            Route("GET", "/log/{label}/csv", self._csv),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        new = await self._backend.read(request, NewLog)
        label = new.label or new.activity_label
        if not label:
            raise invalid("label: a log needs one")
        if label in self._backend.state.logs:
            raise taken(f"Log {label!r}")
        log = Log(
            id=f"{ORGANIZATION}-{label}",
            activity_label=new.activity_label or label,
            label=label,
            columns=[Column(**one.model_dump()) for one in new.columns],
            date_creation=self._backend.now(),
        )
        self._backend.state.logs[label] = log
        return self._backend.answer(log)

    async def _list(self, _: web.Request) -> web.Response:
        return self._backend.answer_all(self._backend.state.logs.values())

    async def _get(self, request: web.Request) -> web.Response:
        return self._backend.answer(self._log(request))

    async def _delete(self, request: web.Request) -> web.Response:
        """Exactly 200, and the rows go too. docs: botmaestro.md 14"""
        del self._backend.state.logs[self._log(request).label]
        return web.Response()

    async def _append(self, request: web.Request) -> web.Response:
        """Exactly 200, with an empty body. docs: botmaestro.md 14"""
        self._log(request)
        given = await self._backend.read_object(request)
        log = self._log(request)
        labels = [column.label for column in log.columns]
        strange = sorted(set(given) - set(labels))
        if strange and self._backend.switch("refuse_unknown_columns"):
            raise invalid(f"Log {log.label!r} has no column {strange[0]!r}")
        if self._backend.switch("fill_missing_columns"):
            given = dict.fromkeys(labels, "") | given
        log.rows.append(LogRow(columns=given, date_creation=self._backend.now()))
        return web.Response()

    async def _read(self, request: web.Request) -> web.Response:
        return self._backend.answer_all(self._rows(request))

    async def _page(self, request: web.Request) -> web.Response:
        return self._backend.answer_page(request, self._rows(request))

    async def _export(self, request: web.Request) -> web.Response:
        match request.query.get("format", "").lower():
            case "csv":
                return await self._csv(request)
            case "":
                return await self._read(request)
            case other:
                raise invalid(f"format: {other!r} is not known")

    async def _csv(self, request: web.Request) -> web.Response:
        """A line of column names, then the rows; the date comes first (a guess)."""
        log, layout = self._log(request), self._backend.switch("date_format")
        text = io.StringIO(newline="")
        lines = csv.writer(text)
        lines.writerow(["Date", *(column.name for column in log.columns)])
        for row in self._rows(request):
            values: list[Any] = [row.columns.get(column.label, "") for column in log.columns]
            lines.writerow([date_text(row.date_creation, layout), *values])
        return web.Response(body=text.getvalue().encode(), content_type="text/csv", charset="utf-8")

    def _log(self, request: web.Request) -> Log:
        given = request.match_info["label"]
        known = self._backend.state.logs.get(given.removeprefix(f"{ORGANIZATION}-"))
        known = self._backend.state.logs.get(given, known)
        if known is None:
            raise self._backend.unknown(f"Log {given!r}")
        return known

    def _rows(self, request: web.Request) -> list[LogRow]:
        since = first_moment(request.query, self._backend.now())
        return [row for row in self._log(request).rows if since is None or row.date_creation >= since]
