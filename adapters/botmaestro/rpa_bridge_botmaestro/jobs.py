"""Jobs: BotMaestro's tasks. docs: botmaestro.md 3"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import NO_LIMITS, check_inputs, check_moment, check_name, check_reference, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.call import apart
from rpa_bridge.transport.outbox import Intent
from rpa_bridge.transport.reconcile import afterwards

from .client import NEWEST_FIRST, STOP_A_RUN, Client, number_of
from .mapping import jobs as mapping
from .mapping.common import KEY
from .wire.jobs import Task

START_OPTIONS = frozenset({"priority", "test"})
"""Members of a new task that a caller may set through `options`: priority 0 to 10, and test."""
STATE_FILTERS = {JobState.PENDING: "START", JobState.RUNNING: "RUNNING", JobState.STOPPING: "RUNNING"}
"""Where one of the platform's states covers ours; others are filtered here. docs: botmaestro.md 3 "list" """
ENDED = frozenset({"FINISHED", "CANCELED"})
SURELY_IN_ORDER = 20
"""Rows, each older than the one before: fewer may stand so by chance in a list that the server has not sorted."""


class BotMaestroJobs(JobService):
    """Tasks; a start with a key is looked up before it is sent, and after a lost answer."""

    def __init__(self, client: Client, clock: Clock, limits: Limits, *, key_days: int) -> None:
        super().__init__("botmaestro", clock)
        self._client, self._limits = client, limits
        self._key_age = timedelta(days=key_days)

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
            key=key,
            priority=priority,
            not_before=not_before,
            options=options or {},
        )
        self._refuse(start)
        if key is None:
            return await self._start_blindly(start)
        async with self._client.exclusive.hold(f"botmaestro start {key}"):
            return await self._by_key(start) or await self._earlier(start) or await self._start_once(start)

    async def get(self, job_id: str) -> Job:
        return mapping.job(await self._task(job_id, "jobs.get"))

    async def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        check_moment("jobs.find", "since", since)
        params = dict(NEWEST_FIRST)
        if automation is not None:
            params["activityLabel"] = automation
        if state in STATE_FILTERS:
            params["stateFilter"] = STATE_FILTERS[state]
        order = _NewestFirst()
        async for task in self._client.all_rows(Task, "/task", operation="jobs.find", params=params):
            job = mapping.job(task)
            if since is not None and job.created_at is not None and job.created_at < since:
                if order.holds(job.created_at):
                    return
                continue
            order.holds(job.created_at)
            if automation not in (None, job.automation) or state not in (None, job.state) or key not in (None, job.key):
                continue  # docs: which filters the server honours is not sure, botmaestro.md 3
            yield job

    async def stop(self, job_id: str, *, force: bool = False) -> Job:
        operation = "jobs.stop"
        task = await self._task(job_id, operation)
        try:
            return await self._ask_to_end(task, force, operation)
        except (ConflictError, InvalidError):  # it began or ended meanwhile, or a lost first request has stopped it
            with afterwards():
                now = await self._task(job_id, operation)
            if now.state == task.state:
                raise
        return await self._ask_to_end(now, force, operation)

    async def _ask_to_end(self, task: Task, force: bool, operation: str) -> Job:
        if task.state in ENDED:
            return mapping.job(task)
        if task.state == "START":  # docs: a queued task is cancelled, a running one interrupted, botmaestro.md 3
            body: dict[str, Any] = {"state": "CANCELED"}
        else:
            await self._client.needs(STOP_A_RUN)
            body = {"interrupted": True, "killed": True} if force else {"interrupted": True}
        return mapping.job(await self._update(task, body, Effect.SET, operation))

    async def restart(self, job_id: str) -> Job:
        """The same task, which waits for its turn again: id and key stay, and its last end is forgotten.

        Raises ConflictError unless it has ended, and InvalidError where the server restarts test tasks alone. After a
        lost answer the task is looked at: it was restarted when it no longer stands as it ended.
        """
        operation = "jobs.restart"
        async with self._client.exclusive.hold(f"botmaestro restart {job_id}"):
            before = await self._task(job_id, operation)
            if before.state not in ENDED:
                raise ConflictError(
                    f"{operation}: task {before.id} is {before.state}; only one that has ended can be restarted",
                    operation=operation,
                )
            return mapping.job(await self._restart_once(before, operation))

    async def _restart_once(self, before: Task, operation: str) -> Task:
        async def send() -> Task:
            now = await self._update(before, {"state": "START"}, Effect.FINDABLE, operation)
            if now.state in ENDED:
                raise ProtocolError(
                    f"{operation}: the answer says that task {now.id} still stands", operation=operation
                )
            return now

        async def look_up() -> Task | None:
            now = await self._task(str(before.id), operation)
            runs_again = now.state not in ENDED or now.dateStartRunning != before.dateStartRunning
            return now if runs_again else None

        what = f"a new run of task {before.id}"
        return await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def report(
        self,
        job_id: str,
        outcome: JobOutcome,
        *,
        message: str | None = None,
        counts: ItemCounts | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> Job:
        """The job, after finishing it from inside its run. One that still waits, or has timed out, is finished too.

        Raises ConflictError when it has ended already, unless it did just so, and UnsupportedError for STOPPED and for
        outputs.
        """
        operation = "jobs.report"
        if outputs:
            hint = "upload them as a result file: artifacts.upload(..., job=...)"
            raise UnsupportedError("jobs.report with outputs", adapter="botmaestro", hint=hint)
        if outcome not in mapping.FINISH_WORDS:
            hint = "a run that ends early says how far it came: SUCCEEDED, PARTIAL or FAILED"
            raise UnsupportedError(f"jobs.report of {outcome.upper()}", adapter="botmaestro", hint=hint)
        ending = mapping.ending(outcome, message, counts)
        task = await self._task(job_id, operation)
        if task.state in ENDED:
            return _ended_so(task, ending, operation)
        try:
            return mapping.job(await self._update(task, ending, Effect.SET, operation))
        except (ConflictError, InvalidError):
            with afterwards():
                now = await self._task(job_id, operation)
            if now.state not in ENDED:
                raise
        return _ended_so(now, ending, operation)

    async def _update(self, task: Task, body: Mapping[str, Any], effect: Effect, operation: str) -> Task:
        """The task, after changing it."""
        answer = await self._client.call("POST", f"/task/{task.id}", effect=effect, operation=operation, json=body)
        now = Task.of(answer, operation)
        if now.id != task.id:
            raise ProtocolError(f"{operation}: changed task {task.id}, got {now.id}", operation=operation)
        return now

    def _refuse(self, start: mapping.Start) -> None:
        operation = "jobs.start"
        _check_options(operation, start.options)
        if KEY in start.inputs:
            raise refuse(operation, f"the input name {KEY!r} is taken by the bridge; rename the input")
        check_name(operation, "automation", start.automation, NO_LIMITS)
        check_reference(operation, "key", start.key, self._limits)
        check_moment(operation, "not_before", start.not_before)
        check_inputs(operation, start.inputs, self._limits)

    async def _start_blindly(self, start: mapping.Start) -> Job:
        may_be = (
            f"a task of {start.automation!r} may have been started; look before you repeat, "
            f"and give starts a key so that this can be found out for you"
        )
        with self._client.effects.blindly("jobs.start", may_be):
            return await self._send(start, Effect.BLIND)

    async def _earlier(self, start: mapping.Start) -> Job | None:
        return await self._client.effects.earlier(
            lambda: self._by_key(start), operation="jobs.start", what=_named(start), key=start.key or ""
        )

    async def _start_once(self, start: mapping.Start) -> Job:
        return await self._client.effects.once(
            lambda: self._send(start, Effect.FINDABLE),
            lambda: self._by_key(start),
            operation="jobs.start",
            what=_named(start),
            subject=start.automation,
            key=start.key or "",
        )

    async def begun(self, intent: Intent) -> tuple[str, ...] | None:
        """The id of the task that a start has made whose end nobody saw; None for one from before `key_days`."""
        if intent.at < self.clock.now() - self._key_age:
            return None
        start = mapping.Start(
            automation=intent.subject, inputs={}, key=intent.key, priority=None, not_before=None, options={}
        )
        job = await self._by_key(start)
        return () if job is None else (job.id,)

    async def _send(self, start: mapping.Start, effect: Effect) -> Job:
        operation = "jobs.start"
        body = mapping.new_task(start)
        try:
            answer = await self._client.call(
                "POST", "/task", effect=effect, operation=operation, json=body, mark=start.key or ""
            )
        except NotFoundError:
            raise NotFoundError(
                f"{operation}: there is no automation {start.automation!r}; "
                f"`rpa-bridge automations list` shows what there is",
                status=404,
                operation=operation,
            ) from None
        job = mapping.job(Task.of(answer, operation))
        if job.automation.casefold() != start.automation.casefold() or job.key != start.key:
            raise ProtocolError(f"{operation}: the answer does not name our start", operation=operation)
        return job

    async def _by_key(self, start: mapping.Start) -> Job | None:
        """The task that carries this key, no older than the settings say.

        Raises ConflictError when it is another automation's, or not one.
        """
        operation, since = "jobs.start", self.clock.now() - self._key_age
        with apart():  # an empty list means that the start may be sent
            jobs = [job async for job in self.find(key=start.key, since=since)]
        if len(jobs) > 1:
            raise ConflictError(
                f"{operation}: tasks {jobs[0].id} and {jobs[1].id} both carry the key {start.key!r}; "
                f"look at both, and use another key",
                operation=operation,
            )
        if jobs and jobs[0].automation.casefold() != start.automation.casefold():
            raise ConflictError(
                f"{operation}: the key {start.key!r} belongs to task {jobs[0].id} of {jobs[0].automation!r}; "
                f"use another key",
                operation=operation,
            )
        return jobs[0] if jobs else None

    async def _task(self, job_id: str, operation: str) -> Task:
        number = number_of(operation, "task", job_id)
        task = await self._client.read(Task, f"/task/{number}", operation=operation)
        if task.id != number:
            raise ProtocolError(f"{operation}: asked for task {job_id}, got {task.id}", operation=operation)
        return task


def _named(start: mapping.Start) -> str:
    return f"a task of {start.automation!r} with the key {start.key!r}"


def _ended_so(task: Task, ending: Mapping[str, Any], operation: str) -> Job:
    if mapping.ended_so(task, ending):
        return mapping.job(task)
    raise ConflictError(
        f"{operation}: task {task.id} has ended already, {task.finishStatus or task.state}; its first report stands",
        operation=operation,
    )


def _check_options(operation: str, options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in START_OPTIONS:
            hint = f"options are {', '.join(sorted(START_OPTIONS))}"
            raise UnsupportedError(f"start option {name!r}", adapter="botmaestro", hint=hint)
    priority = options.get("priority", 0)
    if type(priority) is not int or not 0 <= priority <= 10:
        raise refuse(operation, "the option 'priority' must be a whole number from 0 to 10")
    if not isinstance(options.get("test", False), bool):
        raise refuse(operation, "the option 'test' must be true or false")


class _NewestFirst:
    """Whether rows have surely come newest first so far: only then may a listing end at one that is too old."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._in_order = True
        self._steps = 0

    def holds(self, created_at: datetime | None) -> bool:
        """Takes note of the next row; True when enough rows were older than the one before, and none was newer."""
        last, self._last = self._last, created_at or self._last
        if created_at is None or last is None:
            return False
        self._in_order = self._in_order and created_at <= last
        self._steps += created_at < last
        return self._in_order and self._steps >= SURELY_IN_ORDER
