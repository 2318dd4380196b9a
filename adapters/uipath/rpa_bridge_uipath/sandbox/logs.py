"""What robots and clients wrote down: lines of jobs, and lines that were sent in. docs: uipath.md 3.14"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import instant
from .entities import RUNTIME_TYPES, Entity, Row, enums, members
from .errors import invalid_argument, invalid_query, unbound
from .gate import Call, Route, Scoped
from .odata import read_query
from .runs import Runs
from .state import Job, State

SCOPE = "OR.Monitoring"
ACTION = "UiPath.Server.Configuration.OData."
TABLE = "logs"
LEVELS = ("Trace", "Debug", "Info", "Warn", "Error", "Fatal")
MOST_ROWS = 10_000
"""How far $skip and $top reach together: the lines lie in Elasticsearch, which opens no larger window on a result.
Who wants more takes slices of time. docs: uipath.md 3.14 and 7, 9"""
LOG = Entity(
    "RobotLogs",
    members(
        number="Id MachineId",
        guid="JobKey MachineKey",
        text="Message RawMessage ProcessName RobotName HostMachineName WindowsIdentity",
        date="TimeStamp",
    )
    | enums(Level=LEVELS, RuntimeType=RUNTIME_TYPES),
)
_LEVEL_WORDS = {word.lower(): word for word in LEVELS} | {"verbose": "Trace", "information": "Info", "warning": "Warn"}
"""Those of the vendor's example too. docs: the published definition, /api/Logs"""


class Logs:
    """The lines of a folder."""

    def __init__(self, world: World, state: State, runs: Runs) -> None:
        self._world, self._state, self._runs = world, state, runs

    def routes(self) -> list[Route]:
        """Its operations."""
        return [
            Route("GET", "/odata/RobotLogs", self.find, SCOPE),
            Route("GET", f"/odata/RobotLogs/{ACTION}GetTotalCount", self.count, SCOPE),
            Route("POST", "/api/Logs", self.submit, SCOPE, Scoped.IF_GIVEN),
            Route("POST", "/api/Logs/SubmitLogs", self.submit_many, SCOPE, Scoped.IF_GIVEN),
        ]

    async def find(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), LOG)
        if query.skip + query.top > MOST_ROWS:
            raise invalid_query(f"$skip and $top reach beyond the window of {MOST_ROWS} rows.")
        shuffled = self._world.switch("uipath.unordered_is_shuffled", False)
        page = query.run(self._lines(call.folder), self._world.random if shuffled else None)
        return web.json_response(query.answer(page))

    async def count(self, call: Call) -> web.Response:
        return web.json_response({"@odata.context": "$metadata#Edm.Int64", "value": len(self._lines(call.folder))})

    async def submit(self, call: Call) -> web.Response:
        self._keep([await call.request.text()], call.folder)
        return web.Response()

    async def submit_many(self, call: Call) -> web.Response:
        """An array of texts, each the JSON of a line; all of them, or none."""
        given = _json(await call.request.text())
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise unbound("logs")
        self._keep(given, call.folder)
        return web.Response()

    def _lines(self, folder: Row) -> list[Row]:
        """Those of the folder, oldest first."""
        jobs = [job for job in self._state.jobs.values() if job.row["OrganizationUnitId"] == folder["Id"]]
        for job in jobs:
            self._runs.pass_time(job)
        lines = [line for job in jobs for line in self._lines_of(job)]
        lines += [row["Line"] for row in self._state.table(TABLE).values() if row["OrganizationUnitId"] == folder["Id"]]
        return sorted(lines, key=operator.itemgetter("TimeStamp"))

    def _lines_of(self, job: Job) -> Iterator[Row]:
        """What a robot writes of itself about a job: its start, its error, its end."""
        row = job.row
        if row["StartTime"] is None:
            return
        yield self._line(row, row["StartTime"], "Info", f"{row['ReleaseName']} execution started")
        if row["EndTime"] is None:
            return
        if row["State"] == "Faulted":
            yield self._line(row, row["EndTime"], "Error", row["Info"])
        yield self._line(row, row["EndTime"], "Info", f"{row['ReleaseName']} execution ended")

    def _line(self, job: Row, at: str, level: str, message: str) -> Row:
        told = {
            "message": message,
            "level": level,
            "timeStamp": at,
            "jobId": job["Key"],
            "processName": job["ReleaseName"],
        }
        return _row(level, at, message, json.dumps(told, ensure_ascii=False)) | self._origin(job)

    def _origin(self, job: Row) -> Row:
        """Which process a line is of, and where it ran."""
        robot = self._state.robots[job["OrganizationUnitId"]]
        return {
            "ProcessName": job["ReleaseName"],
            "JobKey": job["Key"],
            "RobotName": robot["Name"],
            "WindowsIdentity": robot["Username"],
            "HostMachineName": robot["MachineName"],
            "MachineId": robot["MachineId"],
            "RuntimeType": job["RuntimeType"],
        }

    def _keep(self, texts: list[str], folder: Row) -> None:
        rows = [self._sent(text, folder) for text in texts]
        for row in rows:
            self._state.table(TABLE)[str(self._state.next_id("log", 1))] = row

    def _sent(self, text: str, folder: Row) -> Row:
        """A line as it came. It lies in its job's folder, or in the request's; one that has neither is refused."""
        given = _json(text)
        if not isinstance(given, dict) or not isinstance(given.get("message"), str):
            raise unbound("log")
        level = _LEVEL_WORDS.get(str(given.get("level")).lower())
        if level is None:
            raise invalid_argument("level", "It is none that the server knows.")
        try:
            at = instant("timeStamp", given.get("timeStamp"))
        except (TypeError, ValueError):
            raise invalid_argument("timeStamp", "It must be a time.") from None
        line = _row(level, at, given["message"], text)
        line["ProcessName"], line["WindowsIdentity"] = given.get("processName"), given.get("windowsIdentity")
        job = self._job(given.get("jobId"))
        if job is not None:
            line |= self._origin(job) | {name: line[name] for name in ("ProcessName", "WindowsIdentity") if line[name]}
        elif not folder:
            raise invalid_argument("jobId", "There is no such job, and no folder was named.")
        return {"Line": line, "OrganizationUnitId": job["OrganizationUnitId"] if job else folder["Id"]}

    def _job(self, key: Any) -> Row | None:
        wanted = str(key).lower()
        return next((job.row for job in self._state.jobs.values() if job.row["Key"] == wanted), None)


def _row(level: str, at: str, message: str, raw: str) -> Row:
    """A line of nobody's. Its Id is always 0. docs: uipath.md 3.14"""
    told = {"Level": level, "TimeStamp": at, "Message": message, "RawMessage": raw, "Id": 0}
    return dict.fromkeys(LOG.members) | told


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise unbound("logs") from None
