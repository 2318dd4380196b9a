"""Jobs. docs: uipath.md 3.8 and 5.5"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.jobs import Job, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import check_inputs, check_moment, check_name, check_reference, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import once

from . import odata
from .automations import UiPathAutomations
from .client import Client
from .mapping import jobs as mapping
from .wire.jobs import JobDto
from .wire.lists import Page

EXPANDED = "Robot"
NO_SUCH_ITEM = "1002"
"""docs: uipath.md 5.2"""
START_OPTIONS = frozenset(
    {
        "EntryPointPath",
        "EnvironmentVariables",
        "MachineRobots",
        "MachineSessionIds",
        "RobotIds",
        "RunAsMe",
        "RuntimeType",
        "Source",
        "SpecificPriorityValue",
        "Strategy",
        "TargetFramework",
    }
)
"""Members of startInfo that a caller may set through `options`. docs: uipath.md 3.8"""


class UiPathJobs(JobService):
    """Jobs, started at most once: each start carries a Reference that is looked up after a lost answer."""

    def __init__(self, client: Client, clock: Clock, automations: UiPathAutomations, limits: Limits) -> None:
        super().__init__("uipath", clock)
        self._client, self._automations, self._limits = client, automations, limits

    async def start(
        self,
        automation: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        priority: Priority | None = None,
        not_before: datetime | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Job:
        start = mapping.Start(
            automation=automation,
            inputs=inputs or {},
            reference=f"rb-{self._client.new_id()}" if key is None else key,
            priority=priority,
            options=options or {},
        )
        self._refuse(start, not_before)
        if key is None:
            return await self._start_once(start)
        async with self._client.exclusive.hold(f"uipath start {key}"):
            return await self._by_reference(start, "jobs.start") or await self._start_once(start)

    async def get(self, job_id: str) -> Job:
        return mapping.job(await self._job(job_id, "jobs.get"))

    async def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        operation = "jobs.find"
        check_moment(operation, "since", since)
        words = None if state is None else mapping.job_state_filter(state)
        if words == []:
            return
        condition = odata.all_of(
            None if automation is None else odata.where("ReleaseName", "eq", automation),
            None if words is None else odata.any_of("State", words),
            None if key is None else odata.where("Reference", "eq", key),
            None if since is None else odata.where("CreationTime", "ge", since),
        )
        rows = self._client.all_rows(
            JobDto, "Jobs", operation=operation, condition=condition, newest_first=True, expand=EXPANDED
        )
        async for row in rows:
            if key in (None, row.Reference):  # the server ignores case
                yield mapping.job(row)

    async def stop(self, job_id: str, *, force: bool = False) -> Job:
        operation = "jobs.stop"
        job = await self._job(job_id, operation)
        if mapping.job(job).finished:
            return mapping.job(job)
        body = {"strategy": "Kill" if force else "SoftStop", "jobIds": [job.Id]}
        path = f"/odata/Jobs/{odata.ACTION}StopJobs"
        try:  # docs: a repeat has the same effect; one that has ended meanwhile is an error, uipath.md 5.5
            await self._client.call("POST", path, effect=Effect.SET, operation=operation, json=body)
        except (ConflictError, InvalidError):
            job = await self._job(job_id, operation)
            if not mapping.job(job).finished:
                raise
            return mapping.job(job)
        return mapping.job(await self._job(job_id, operation))

    def _refuse(self, start: mapping.Start, not_before: datetime | None) -> None:
        operation = "jobs.start"
        if not_before is not None:
            raise UnsupportedError("jobs.start with not_before", adapter="uipath", hint="use a trigger instead")
        for name in start.options:
            if name not in START_OPTIONS:
                hint = f"options are {', '.join(sorted(START_OPTIONS))}"
                raise UnsupportedError(f"start option {name!r}", adapter="uipath", hint=hint)
        if not mapping.starts_one_job(start.options):
            raise refuse(operation, "Strategy must be ModernJobsCount, JobsCount, or Specific with one of RobotIds")
        check_name(operation, "automation", start.automation, Limits())
        check_reference(operation, "key", start.reference, self._limits)
        check_inputs(operation, start.inputs, self._limits)

    async def _start_once(self, start: mapping.Start) -> Job:
        release_key = await self._automations.release_key(start.automation, "jobs.start")
        try:
            return await self._send_once(release_key, start)
        except NotFoundError:  # nothing was started; the remembered release may have been made anew
            self._automations.forget_key(start.automation)
        return await self._send_once(await self._automations.release_key(start.automation, "jobs.start"), start)

    async def _send_once(self, release_key: str, start: mapping.Start) -> Job:
        return await once(
            lambda: self._send(release_key, start),
            lambda: self._by_reference(start, "jobs.start"),
            clock=self.clock,
            operation="jobs.start",
            what=f"a job with Reference {start.reference!r}",
            window=self._client.settle_window,
        )

    async def _send(self, release_key: str, start: mapping.Start) -> Job:
        operation = "jobs.start"
        path, body = f"/odata/Jobs/{odata.ACTION}StartJobs", mapping.start_info(release_key, start)
        answer = await self._client.call("POST", path, effect=Effect.FINDABLE, operation=operation, json=body)
        jobs = [JobDto.of(row, operation) for row in Page.of(answer, operation).value]
        if len(jobs) != 1 or jobs[0].Reference != start.reference:
            raise ProtocolError(
                f"{operation}: the answer does not name our start ({len(jobs)} jobs in it)", operation=operation
            )
        return mapping.job(jobs[0])

    async def _by_reference(self, start: mapping.Start, operation: str) -> Job | None:
        """The job that carries this Reference. Raises ConflictError when it is another automation's, or not one."""
        reference = start.reference
        condition = odata.where("Reference", "eq", reference)
        rows = self._client.all_rows(JobDto, "Jobs", operation=operation, condition=condition)
        jobs = [mapping.job(row) async for row in rows if row.Reference == reference]  # the server ignores case
        if not jobs:
            return None
        if len(jobs) > 1:
            raise ConflictError(
                f"{operation}: jobs {jobs[0].id} and {jobs[1].id} both carry the key {reference!r}; "
                f"look at both, and use another key",
                operation=operation,
            )
        if jobs[0].automation.casefold() != start.automation.casefold():
            raise ConflictError(
                f"{operation}: the key {reference!r} belongs to job {jobs[0].id} of {jobs[0].automation!r}; "
                f"use another key",
                operation=operation,
            )
        return jobs[0]

    async def _job(self, job_id: str, operation: str) -> JobDto:
        number, guid = odata.number(job_id), odata.guid(job_id)
        try:
            if number is not None:
                return await self._job_by_number(number, operation)
        except NotFoundError as error:
            if error.code != NO_SUCH_ITEM:  # a wrong folder or address has another mend
                raise
            raise _no_job(operation, job_id, error.status) from None
        if guid is not None:
            params = {"$filter": odata.where("Key", "eq", guid), "$top": "1", "$expand": EXPANDED}
            rows = await self._client.rows(JobDto, "Jobs", operation=operation, params=params)
            for row in rows:
                if odata.guid(row.Key) == guid:
                    return row
        raise _no_job(operation, job_id)

    async def _job_by_number(self, number: int, operation: str) -> JobDto:
        path = odata.entity("Jobs", number)
        job = await self._client.read(JobDto, path, operation=operation, expand=EXPANDED)
        if job.Id != number:
            raise ProtocolError(f"{operation}: asked for job {number}, got {job.Id}", operation=operation)
        return job


def _no_job(operation: str, job_id: str, status: int | None = None) -> NotFoundError:
    return NotFoundError(
        f"{operation}: there is no job {job_id!r} in this folder; `rpa-bridge jobs list` shows what there is",
        status=status,
        operation=operation,
    )
