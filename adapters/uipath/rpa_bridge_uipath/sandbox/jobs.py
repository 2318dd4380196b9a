"""Jobs. docs: uipath.md 3.8"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import Members, Reader, bind, body_of, guid, many, text
from .budget import Budget
from .entities import JOB_MEMBERS, MACHINE, RELEASE, ROBOT, Entity, Navigation, Row
from .errors import RefusalError, invalid_argument, not_found, refusal, wrong_state
from .gate import Call, Route, Scoped
from .odata import Query, read_query
from .runs import FINAL, Runs
from .starts import ID, MOST_INPUT, STOP, Starts, check_json_object
from .state import Job, State

SCOPE = "OR.Jobs"
ACTION = "UiPath.Server.Configuration.OData."
WHY_PENDING = {
    1230: "DynamicJobForegroundAutomationTypeInvalid",
    1671: "RobotNotFound",
    2818: "TemplateNoRuntime",
}
"""The dry run's words for what StartJobs refuses with a number."""


class Jobs:
    """The jobs of a folder. Each look that shows a job counts for its lifecycle."""

    def __init__(self, world: World, state: State, runs: Runs, starts: Starts) -> None:
        self._world, self._state, self._runs, self._starts = world, state, runs, starts
        self._budget = Budget(world)
        self._entity = Entity(
            "Jobs",
            JOB_MEMBERS,
            {
                "Release": Navigation(RELEASE, lambda row: state.releases.get(state.jobs[row["Id"]].release_id)),
                "Robot": Navigation(ROBOT, self._robot),
                "Machine": Navigation(MACHINE, self._machine),
            },
        )

    def routes(self) -> list[Route]:
        """Its operations."""
        all_jobs, one = f"/odata/Jobs/{ACTION}", r"/odata/Jobs({id:\d+})"
        return [
            Route("GET", "/odata/Jobs", self.find, SCOPE),
            Route("GET", one, self.get, SCOPE),
            Route("GET", f"{all_jobs}GetByKey(identifier={{key}})", self.get_by_key, SCOPE, Scoped.IF_GIVEN),
            Route("POST", f"{all_jobs}StartJobs", self.start, SCOPE),
            Route("POST", f"{all_jobs}ValidateDynamicJob", self.validate, SCOPE),
            Route("POST", f"{one}/{ACTION}ValidateExistingJob", self.validate_existing, SCOPE),
            Route("POST", f"{all_jobs}RestartJob", self.restart, SCOPE),
            Route("POST", f"{all_jobs}ResumeJob", self.resume, SCOPE),
            Route("POST", f"{all_jobs}StopJobs", self.stop_many, SCOPE),
            Route("POST", f"{one}/{ACTION}StopJob", self.stop_one, SCOPE),
        ]

    async def find(self, call: Call) -> web.Response:
        self._budget.spend()
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
        return self._shown(self._by_key(call.request.match_info["key"], call.folder), self._query(call))

    async def start(self, call: Call) -> web.Response:
        start = self._starts.read(await body_of(call.request), call.folder)
        refused = self._refused()
        if refused is not None:
            raise refused
        jobs = self._runs.start(start)
        return web.json_response({"value": [job.row for job in jobs]}, status=201)

    async def validate(self, call: Call) -> web.Response:
        """A start that is not carried out; a body that is no start is refused as StartJobs does."""
        self._starts.read(await body_of(call.request), call.folder)
        return self._validity()

    async def validate_existing(self, call: Call) -> web.Response:
        self._job(call.id, call.folder)
        return self._validity()

    async def restart(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), {"jobId": ID}, "jobId")
        if "jobId" not in given:
            raise invalid_argument("jobId", "It is required.")
        job = self._job(given["jobId"], call.folder)
        self._runs.pass_time(job)
        if job.row["State"] not in FINAL:
            raise wrong_state("The job is not finished (CannotRestartUnfinishedJob).")
        release = self._state.releases.get(job.release_id)
        if release is None:
            raise not_found("The release")
        refused = self._refused()
        if refused is not None:
            raise refused
        return web.json_response(self._runs.restart(job, release).row)

    async def resume(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), self._resumption(), "jobKey")
        if "jobKey" not in given:
            raise invalid_argument("jobKey", "It is required.")
        answer = given.get("inputArguments", "{}")
        check_json_object("inputArguments", answer)
        job = self._by_key(given["jobKey"], call.folder)
        self._runs.pass_time(job)
        if job.row["State"] != "Suspended":
            raise wrong_state(f"The job is {job.row['State']}, and not Suspended.")
        self._runs.resume(job, json.loads(answer))
        return web.json_response(job.row)

    async def stop_many(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), {"strategy": STOP, "jobIds": many(ID)}, "jobIds")
        if len(given) < 2:
            raise invalid_argument("strategy" if "jobIds" in given else "jobIds", "It is required.")
        wanted = given["jobIds"]
        if self._world.switch("uipath.stop_skips_unknown", False):
            wanted = [job_id for job_id in wanted if self._known(job_id, call.folder)]
        return self._stop([self._job(job_id, call.folder) for job_id in wanted], given["strategy"])

    async def stop_one(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), {"strategy": STOP}, "strategy")
        if "strategy" not in given:
            raise invalid_argument("strategy", "It is required.")
        return self._stop([self._job(call.id, call.folder)], given["strategy"])

    def _stop(self, jobs: list[Job], strategy: str) -> web.Response:
        """All of them or none."""
        for job in jobs:
            self._runs.pass_time(job)
        if any(job.row["State"] in FINAL for job in jobs) and self._world.switch("uipath.stop_finished_refused", False):
            raise wrong_state("The job is already in a final state.")
        for job in jobs:
            self._runs.stop(job, strategy)
        return web.Response()

    def _resumption(self) -> Members:
        """docs: uipath.md 3.8: only the newest servers take inputs"""
        members: dict[str, Reader] = {"jobKey": guid}
        if self._world.switch("uipath.resume_inputs", True):
            members["inputArguments"] = text(MOST_INPUT)
        return members

    def _refused(self) -> RefusalError | None:
        """Why no job can be started here now. docs: uipath.md 3.8, errors"""
        code = self._world.switch("uipath.start_refusal", None)
        return None if code is None else refusal(409, code, "The job cannot be started here.")

    def _validity(self) -> web.Response:
        refused = self._refused()
        errors = [] if refused is None else [refused.body["message"]]
        codes = [] if refused is None else [WHY_PENDING.get(refused.body["errorCode"], "TemplateNoHostsAvailable")]
        return web.json_response({"IsValid": not errors, "Errors": errors, "ErrorCodes": codes})

    def _query(self, call: Call) -> Query:
        return read_query(
            call.request.query.items(), self._entity, ignore_case=self._world.switch("uipath.ignore_case", True)
        )

    def _shuffle(self) -> Any:
        return self._world.random if self._world.switch("uipath.unordered_is_shuffled", False) else None

    def _known(self, job_id: int, folder: Row) -> bool:
        job = self._state.jobs.get(job_id)
        return job is not None and job.row["OrganizationUnitId"] == folder["Id"]

    def _job(self, job_id: int, folder: Row) -> Job:
        if not self._known(job_id, folder):
            raise not_found("The job")
        return self._state.jobs[job_id]

    def _by_key(self, key: str, folder: Row) -> Job:
        """The job of this key: in the folder, or anywhere where none was asked for."""
        for job in self._state.jobs.values():
            if job.row["Key"] == key.lower() and folder.get("Id") in (None, job.row["OrganizationUnitId"]):
                return job
        raise not_found("The job")

    def _shown(self, job: Job, query: Query) -> web.Response:
        self._runs.settle(job)
        job.looks += 1
        return web.json_response(query.view(job.row))

    def _robot(self, row: Row) -> Row | None:
        return self._runs.robot(self._state.jobs[row["Id"]])

    def _machine(self, row: Row) -> Row | None:
        robot = self._robot(row)
        return robot and {"Id": robot["MachineId"], "Name": robot["MachineName"], "Type": "Standard"}
