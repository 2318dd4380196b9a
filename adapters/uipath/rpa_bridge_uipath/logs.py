"""Robot logs: lines without ids, which only their times put in order. docs: uipath.md 3.14"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise

from rpa_bridge.clock import Clock
from rpa_bridge.contract.logs import LogEntry, LogService
from rpa_bridge.errors import InvalidError, NotFoundError, ProtocolError
from rpa_bridge.helpers.checks import check_moment
from rpa_bridge.transport.base import Effect

from . import odata
from .client import Client
from .jobs import UiPathJobs
from .mapping import logs as mapping
from .wire.lists import Page
from .wire.logs import LogDto

LINES = 1000
"""Lines a page: the most that the server gives. docs: uipath.md 4"""
WINDOW = 10_000
"""How far `$skip` and `$top` may reach together. docs: uipath.md 3.14"""
MOMENT = timedelta(microseconds=1)
"""The finest time that we tell apart; the server's may be finer."""


class UiPathLogs(LogService):
    """What robots wrote down in this folder."""

    def __init__(self, client: Client, clock: Clock, jobs: UiPathJobs) -> None:
        super().__init__("uipath", clock)
        self._client, self._jobs = client, jobs

    async def find(
        self,
        log: str | None = None,
        *,
        job: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[LogEntry]:
        """Entries from `since` on and before `until`, oldest first. A folder has one log: `log` names none.

        Raises NotFoundError for a log, or a job, that there is not.
        """
        operation = "logs.find"
        check_moment(operation, "since", since)
        check_moment(operation, "until", until)
        if log is not None:
            raise NotFoundError(
                f"{operation}: there is no log {log!r}: Orchestrator keeps one for each folder; leave the name out",
                operation=operation,
            )
        condition = odata.all_of(
            None if job is None else odata.where("JobKey", "eq", await self._jobs.key(job, operation)),
            None if until is None else odata.where("TimeStamp", "lt", until),
        )
        async for line in self._lines(condition, since, operation):
            yield mapping.entry(line)

    async def _lines(self, condition: str, since: datetime | None, operation: str) -> AsyncIterator[LogDto]:
        """All lines by time. A full page may end within a moment: that one's lines are read again with the next page,
        so that none is lost or told twice.
        """
        while True:
            lines, last = await self._page(condition, since, operation)
            whole = lines if last else [line for line in lines if line.TimeStamp != lines[-1].TimeStamp]
            for line in whole:
                yield line
            if last:
                return
            if whole:
                since = lines[-1].TimeStamp
                continue
            moment = _time(lines[-1], operation)
            async for line in self._lines_of(moment, condition, operation):
                yield line
            since = moment + MOMENT

    async def _lines_of(self, moment: datetime, condition: str, operation: str) -> AsyncIterator[LogDto]:
        """The lines of one moment, which fill more than a page. Raises InvalidError when they fill the window."""
        condition = odata.all_of(condition, odata.where("TimeStamp", "lt", moment + MOMENT))
        told = 0
        while told + LINES <= WINDOW:
            lines, last = await self._page(condition, moment, operation, skip=told)
            for line in lines:
                yield line
            if last:
                return
            told += len(lines)
        raise InvalidError(
            f"{operation}: {told} entries or more are of {moment.isoformat()}, and Orchestrator shows no more of one "
            f"moment; ask for one job's entries",
            operation=operation,
        )

    async def _page(
        self, condition: str, since: datetime | None, operation: str, *, skip: int = 0
    ) -> tuple[list[LogDto], bool]:
        """The first lines from a time on, and whether they are the last. Raises ProtocolError when out of order."""
        limited = odata.all_of(None if since is None else odata.where("TimeStamp", "ge", since), condition)
        params = {"$orderby": "TimeStamp", "$top": str(LINES)}
        params |= {"$filter": limited} if limited else {}
        params |= {"$skip": str(skip)} if skip else {}
        answer = await self._client.call(
            "GET", "/odata/RobotLogs", effect=Effect.READ, operation=operation, params=params
        )
        page = Page.of(answer, operation)
        lines = LogDto.many(page.value, operation)
        times = [_time(line, operation) for line in lines]
        if any(later < earlier for earlier, later in pairwise(times)) or (since and times and times[0] < since):
            raise ProtocolError(
                f"{operation}: the platform's lines are not in the order of their times, so that they cannot be read "
                f"whole; is it of a version we do not know?",
                operation=operation,
            )
        return lines, not lines or (len(lines) < LINES and page.next_link is None)


def _time(line: LogDto, operation: str) -> datetime:
    if line.TimeStamp is None:
        raise ProtocolError(f"{operation}: a line of the platform's log has no time", operation=operation)
    return line.TimeStamp
