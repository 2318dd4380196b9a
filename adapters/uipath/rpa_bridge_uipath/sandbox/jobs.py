"""Jobs. docs: uipath.md 3.8"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, flag, free, guid, many, nested, one_of, text, unwrap, whole
from .entities import JOB_MEMBERS, MACHINE, RELEASE, ROBOT, Entity, Navigation, Row
from .errors import invalid_argument, not_found, refusal
from .gate import Call, Route, Scoped
from .odata import Query, read_query
from .runs import FINAL, Runs
from .state import Job, State

SCOPE = "OR.Jobs"
ACTION = "UiPath.Server.Configuration.OData."
MOST_INPUT = 10_000
MOST_JOBS = 1000

STOP = one_of("SoftStop", "Kill", first_number=1)
START_INFO = {
    "ReleaseKey": text(),
    "ReleaseName": text(),
    "Strategy": one_of("All", "Specific", "RobotCount", "JobsCount", "ModernJobsCount"),
    "RobotIds": many(whole(0, 2**63)),
    "MachineSessionIds": many(whole(0, 2**63)),
    "MachineRobots": many(
        nested(
            {"MachineId": whole(0, 2**63), "MachineName": text(), "RobotId": whole(0, 2**63), "RobotUserName": text()}
        )
    ),
    "JobsCount": whole(0, MOST_JOBS),
    "NoOfRobots": whole(0, MOST_JOBS),
    "Source": text(),
    "JobPriority": one_of("Low", "Normal", "High"),
    "SpecificPriorityValue": whole(1, 100),
    "RuntimeType": text(),
    "InputArguments": text(MOST_INPUT),
    "InputFile": guid,
    "Attachments": many(free),
    "EnvironmentVariables": text(4000),
    "Reference": text(128),
    "ParentOperationId": text(128),
    "BatchExecutionKey": guid,
    "TargetFramework": one_of("Legacy", "Windows", "Portable"),
    "ResumeOnSameContext": flag,
    "RequiresUserInteraction": flag,
    "RunAsMe": flag,
    "StopProcessExpression": text(),
    "KillProcessExpression": text(),
    "StopStrategy": STOP,
    "AlertPendingExpression": text(),
    "AlertRunningExpression": text(),
    "RemoteControlAccess": one_of("None", "ReadOnly", "Full"),
    "EntryPointPath": text(),
    "VideoRecordingSettings": free,
    "AutopilotForRobots": free,
    "MachineInfraTarget": free,
    "ProfilingOptions": text(4000),
    "FpsContext": text(2048),
    "FpsProperties": text(4000),
    "TraceId": text(255),
    "ParentSpanId": text(255),
    "RootSpanId": text(255),
}


class Jobs:
    """The jobs of a folder. Each look that shows a job counts for its lifecycle."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state
        self._runs = Runs(world, state)
        self._entity = Entity(
            "Jobs",
            JOB_MEMBERS,
            {
                "Release": Navigation(RELEASE, lambda row: state.releases[state.jobs[row["Id"]].release_id]),
                "Robot": Navigation(ROBOT, self._robot),
                "Machine": Navigation(MACHINE, lambda _: None),
            },
        )

    def routes(self) -> list[Route]:
        """Its operations."""
        by_key = f"/odata/Jobs/{ACTION}GetByKey(identifier={{key}})"
        return [
            Route("GET", "/odata/Jobs", self.find, SCOPE),
            Route("GET", r"/odata/Jobs({id:\d+})", self.get, SCOPE),
            Route("GET", by_key, self.get_by_key, SCOPE, Scoped.IF_GIVEN),
            Route("POST", f"/odata/Jobs/{ACTION}StartJobs", self.start, SCOPE),
            Route("POST", f"/odata/Jobs/{ACTION}StopJobs", self.stop_many, SCOPE),
            Route("POST", rf"/odata/Jobs({{id:\d+}})/{ACTION}StopJob", self.stop_one, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        query = self._query(call)
        jobs = [job for job in self._state.jobs.values() if job.row["OrganizationUnitId"] == call.folder["Id"]]
        for job in jobs:
            self._runs.settle(job)
        page = query.run((job.row for job in jobs), self._shuffle())
        for row in page.rows:
            self._state.jobs[row["Id"]].looks += 1
        return web.json_response(query.answer(page))

    async def get(self, call: Call) -> web.Response:
        return self._shown(self._job(call.id, call.folder), self._query(call))

    async def get_by_key(self, call: Call) -> web.Response:
        """docs: uipath.md 3.8: the folder is optional on the newest cloud"""
        if not call.folder and self._world.switch("uipath.job_by_key_needs_folder", False):
            raise refusal(400, 1101, "An organization unit is required for this action.")
        wanted = call.request.match_info["key"].lower()
        for job in self._state.jobs.values():
            if job.row["Key"] == wanted and call.folder.get("Id") in (None, job.row["OrganizationUnitId"]):
                return self._shown(job, self._query(call))
        raise not_found("The job")

    async def start(self, call: Call) -> web.Response:
        given = unwrap(await body_of(call.request), "startInfo", START_INFO)
        release = self._release(given, call.folder)
        _check_inputs(given)
        _check_strategy(given)
        refused = self._world.switch("uipath.start_refusal", None)
        if refused is not None:
            raise refusal(409, refused, "The job cannot be started here.")
        jobs = self._runs.start(release, given, call.folder)
        return web.json_response({"value": [job.row for job in jobs]}, status=201)

    async def stop_many(self, call: Call) -> web.Response:
        body = await body_of(call.request)
        given = bind(body, {"strategy": STOP, "jobIds": many(whole(0, 2**63))}, "jobIds")
        if len(given) < 2:
            raise invalid_argument("strategy" if "jobIds" in given else "jobIds", "It is required.")
        return self._stop([self._job(job_id, call.folder) for job_id in given["jobIds"]], given["strategy"])

    async def stop_one(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), {"strategy": STOP}, "strategy")
        if "strategy" not in given:
            raise invalid_argument("strategy", "It is required.")
        return self._stop([self._job(call.id, call.folder)], given["strategy"])

    def _stop(self, jobs: list[Job], strategy: str) -> web.Response:
        for job in jobs:
            self._runs.pass_time(job)
        if any(job.row["State"] in FINAL for job in jobs) and self._world.switch("uipath.stop_finished_refused", False):
            raise refusal(409, 1017, "The job is already in a final state.")
        for job in jobs:
            self._runs.stop(job, strategy)
        return web.Response()

    def _query(self, call: Call) -> Query:
        return read_query(
            call.request.query.items(), self._entity, ignore_case=self._world.switch("uipath.ignore_case", True)
        )

    def _shuffle(self) -> Any:
        return self._world.random if self._world.switch("uipath.unordered_is_shuffled", False) else None

    def _job(self, job_id: int, folder: Row) -> Job:
        job = self._state.jobs.get(job_id)
        if job is None or job.row["OrganizationUnitId"] != folder["Id"]:
            raise not_found("The job")
        return job

    def _shown(self, job: Job, query: Query) -> web.Response:
        self._runs.settle(job)
        job.looks += 1
        return web.json_response(query.view(job.row))

    def _robot(self, row: Row) -> Row | None:
        return self._state.robots[row["OrganizationUnitId"]] if row["StartTime"] else None

    def _release(self, given: Row, folder: Row) -> Row:
        """By key, and only without one by name. docs: uipath.md 3.8"""
        if "ReleaseKey" in given:
            for release in self._state.in_folder(self._state.releases, folder):
                if release["Key"] == given["ReleaseKey"].lower():
                    return release
        elif "ReleaseName" in given:
            named = self._state.by_name(self._state.releases, folder, given["ReleaseName"])
            if named is not None:
                return named
        else:
            raise invalid_argument("ReleaseKey", "ReleaseKey or ReleaseName is required.")
        raise not_found("The release")


def _check_inputs(given: Row) -> None:
    """docs: uipath.md 3.8: JSON of an object, as text; the sandbox holds no attachments"""
    if "InputFile" in given or given.get("Attachments"):
        raise not_found("The attachment")
    try:
        if not isinstance(json.loads(given.get("InputArguments", "{}")), dict):
            raise ValueError
    except ValueError:
        raise invalid_argument("InputArguments", "It must be a JSON object.") from None


def _check_strategy(given: Row) -> None:
    """docs: uipath.md 3.8: what modern folders refuse"""
    strategy = given.get("Strategy", "ModernJobsCount")
    if strategy in ("All", "RobotCount"):
        raise refusal(400, 1009, "StrategyNotAvailableInModernFolder")
    if given.get("RobotIds") and strategy != "Specific":
        raise invalid_argument("RobotIds", "It must be empty unless Strategy is Specific.")
    counted = strategy in ("JobsCount", "ModernJobsCount")
    if given.get("JobsCount", 0) > 0 and not counted:
        raise invalid_argument("JobsCount", "It goes with JobsCount and ModernJobsCount only.")
    if counted and given.get("JobsCount") == 0:
        raise invalid_argument("JobsCount", "It must be greater than 0.")
