"""The verbs of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.jobs import Job, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import check_inputs, check_moment, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.outbox import Intent
from rpa_bridge.transport.reconcile import afterwards
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.automations import UiPathAutomations
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import jobs as mapping
from rpa_bridge_uipath.wire.jobs import JobDto

from .arguments import UNKNOWN_HERE, Arguments
from .lookup import EXPANDED, job_by_number, jobs_by_number, key_of, read_job
from .starts import Starts

MOST_AT_ONCE = 1000
"""Jobs of one start: as many as the largest page shows, so that they can be looked up. docs: uipath.md 4"""
SUSPENDED = "Suspended"
FEW = 4
"""Fewer jobs are looked at one by one: the cloud counts lists, and not single looks. docs: uipath.md 5.4"""


class UiPathJobs(JobService):
    """Jobs by number or key, started at most once."""

    looks_at = 50
    """docs: a filter may have 100 nodes, uipath.md 4"""

    def __init__(self, client: Client, clock: Clock, automations: UiPathAutomations, limits: Limits) -> None:
        super().__init__("uipath", clock)
        self._client = client
        self._arguments = Arguments(client)
        self._starts = Starts(client, clock, automations, self._arguments, limits)

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
        operation = "jobs.start"
        if not_before is not None:
            raise UnsupportedError("jobs.start with not_before", adapter="uipath", hint="use a trigger instead")
        if not mapping.starts_one_job(options or {}):
            raise refuse(operation, "Strategy must be ModernJobsCount, JobsCount, or Specific with one of RobotIds")
        start = mapping.Start(
            automation=automation,
            inputs=inputs or {},
            reference=self._reference(key),
            priority=priority,
            options=options or {},
        )
        return (await self._starts.begin(start, keyed=key is not None, operation=operation))[0]

    async def start_many(
        self,
        automation: str,
        count: int,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        priority: Priority | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> list[Job]:
        """The jobs, made by one request that the platform carries out whole; all carry the key.

        Those that existed already may come without their inputs: `get` has them.
        """
        operation = "jobs.start_many"
        if not 1 <= count <= MOST_AT_ONCE:
            raise refuse(operation, f"from 1 to {MOST_AT_ONCE} jobs can be started together, not {count}")
        if not mapping.starts_counted_jobs(options or {}):
            raise refuse(operation, f"Strategy must be {mapping.COUNTED[0]}; leave it out")
        start = mapping.Start(
            automation=automation,
            inputs=inputs or {},
            reference=self._reference(key),
            priority=priority,
            options=options or {},
            count=count,
        )
        return await self._starts.begin(start, keyed=key is not None, operation=operation)

    async def begun(self, intent: Intent) -> tuple[str, ...]:
        """The ids of the jobs that a start has made whose end nobody saw."""
        return await self._starts.begun(intent)

    async def get(self, job_id: str) -> Job:
        """The job now. Inputs and outputs that lie in attachments are fetched, outputs once it has finished."""
        operation = "jobs.get"
        return await self._arguments.complete(await read_job(self._client, job_id, operation), operation)

    async def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        """The jobs now: by one list, and those that have finished each by themselves, with their outputs."""
        operation = "jobs.get_many"
        numbers = [number for job_id in job_ids if (number := odata.number(job_id)) is not None]
        rows = await jobs_by_number(self._client, numbers, operation) if len(numbers) >= FEW else {}
        found = []
        for job_id in job_ids:
            row = rows.get(odata.number(job_id) or 0)
            if row is None or mapping.job(row).finished:
                row = await read_job(self._client, job_id, operation)
            found.append(
                await self._arguments.complete(row, operation) if mapping.job(row).finished else mapping.job(row)
            )
        return found

    async def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        """Jobs, newest first. Rows may come without inputs and outputs, always so where they lie in attachments."""
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
                yield self._arguments.known(row)

    async def stop(self, job_id: str, *, force: bool = False) -> Job:
        operation = "jobs.stop"
        job = await read_job(self._client, job_id, operation)
        if mapping.job(job).finished:
            return self._arguments.known(job)
        body = {"strategy": "Kill" if force else "SoftStop", "jobIds": [job.Id]}
        path = f"/odata/Jobs/{odata.ACTION}StopJobs"
        try:  # docs: a repeat has the same effect; one that has ended meanwhile is an error, uipath.md 5.5
            await self._client.call("POST", path, effect=Effect.SET, operation=operation, json=body)
        except (ConflictError, InvalidError):
            with afterwards():
                job = await job_by_number(self._client, job.Id, operation)
            if not mapping.job(job).finished:
                raise
            return self._arguments.known(job)
        with afterwards():
            return self._arguments.known(await job_by_number(self._client, job.Id, operation))

    async def restart(self, job_id: str) -> Job:
        """The new job. Nothing on the wire tells it from another one, so that a lost answer cannot be looked up.

        Raises ConflictError unless the job has finished, and UnsupportedError on a server before 2022.4.
        """
        operation = "jobs.restart"
        job = await read_job(self._client, job_id, operation)
        if not mapping.job(job).finished:
            raise _wrong_state(operation, job, "only a finished job can be restarted; stop it first")
        may_be = f"job {job.Id} may run again; look for a new job of {job.ReleaseName!r} before you repeat"
        try:
            with self._client.effects.blindly(operation, may_be):
                return self._arguments.known(await self._restart(job, operation))
        except NotFoundError as error:
            if error.code not in UNKNOWN_HERE:
                raise
        raise UnsupportedError("jobs.restart", adapter="uipath", hint="this server has no RestartJob; start a new job")

    async def resume(self, job_id: str, inputs: Mapping[str, Any] | None = None) -> Job:
        """The job, after waking it. A lost answer is decided by the job's state, unless inputs went along: those
        cannot be looked up.

        Raises ConflictError unless it is SUSPENDED, and UnsupportedError for inputs that the server does not take.
        """
        operation = "jobs.resume"
        check_inputs(operation, inputs or {}, Limits(input_chars=mapping.MOST_CHARACTERS))
        job = await read_job(self._client, job_id, operation)
        if job.State != SUSPENDED:
            raise _not_suspended(operation, job)
        try:
            return await self._resume_once(job, inputs, operation)
        except (ConflictError, InvalidError) as error:
            if inputs and isinstance(error, InvalidError) and error.code in UNKNOWN_HERE:
                hint = "this server takes none; resume without them"
                raise UnsupportedError("jobs.resume with inputs", adapter="uipath", hint=hint) from None
            now = await job_by_number(self._client, job.Id, operation)
            if now.State == SUSPENDED:
                raise
            raise _not_suspended(operation, now) from None

    async def key(self, job_id: str, operation: str) -> UUID:
        """The key by which logs and attachments know the job. Raises NotFoundError."""
        return await key_of(self._client, job_id, operation)

    def _reference(self, key: str | None) -> str:
        return f"rb-{self._client.new_id()}" if key is None else key

    async def _restart(self, job: JobDto, operation: str) -> JobDto:
        path, body = f"/odata/Jobs/{odata.ACTION}RestartJob", {"jobId": job.Id}
        answer = await self._client.call("POST", path, effect=Effect.BLIND, operation=operation, json=body)
        again = JobDto.of(answer, operation)
        if again.Id == job.Id:
            raise ProtocolError(f"{operation}: the answer does not name a new job", operation=operation)
        return again

    async def _resume_once(self, job: JobDto, inputs: Mapping[str, Any] | None, operation: str) -> Job:
        async def look_up() -> Job | None:
            now = await job_by_number(self._client, job.Id, operation)
            woken = now.State != SUSPENDED or (now.ResumeVersion or 0) > (job.ResumeVersion or 0)
            return self._arguments.known(now) if woken else None

        if inputs:
            may_be = f"job {job.Id} may have been woken with these inputs; look at it before you repeat"
            with self._client.effects.blindly(operation, may_be):
                return await self._resume(job, inputs, operation)
        return await self._client.effects.once(
            lambda: self._resume(job, None, operation), look_up, operation=operation, what=f"job {job.Id} awake"
        )

    async def _resume(self, job: JobDto, inputs: Mapping[str, Any] | None, operation: str) -> Job:
        path, body = f"/odata/Jobs/{odata.ACTION}ResumeJob", {"jobKey": job.Key}
        if inputs:
            body["inputArguments"] = mapping.arguments_text(inputs)
        effect = Effect.BLIND if inputs else Effect.FINDABLE
        answer = await self._client.call("POST", path, effect=effect, operation=operation, json=body)
        woken = JobDto.of(answer, operation)
        if woken.Id != job.Id:
            raise ProtocolError(f"{operation}: asked for job {job.Id}, got {woken.Id}", operation=operation)
        return self._arguments.known(woken)


def _not_suspended(operation: str, job: JobDto) -> ConflictError:
    return _wrong_state(operation, job, "only a suspended job can be resumed")


def _wrong_state(operation: str, job: JobDto, sentence: str) -> ConflictError:
    return ConflictError(f"{operation}: job {job.Id} is {job.State}; {sentence}", operation=operation)
