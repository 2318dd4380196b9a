"""Jobs: runs of the commands that the settings name. Each goes on when its starter ends."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import ConflictError, UnsupportedError
from rpa_bridge.helpers.checks import check_inputs, check_moment, check_reference, refuse

from . import mapping
from .database import Database
from .errors import not_found
from .processes import is_lost, owner_of
from .runner import LOST, Order, Runner, detach
from .settings import AutomationSettings
from .wire import LIMITS


class LocalJobs(JobService):
    """Jobs. With a file each runs in a process of its own; with ":memory:" it is a task of this one."""

    def __init__(
        self, adapter_name: str, clock: Clock, database: Database, automations: Mapping[str, AutomationSettings]
    ) -> None:
        super().__init__(adapter_name, clock)
        self._database = database
        self._automations = automations
        self._tasks: set[asyncio.Task[None]] = set()

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
        if options:
            option = f"start option {next(iter(options))!r}"
            raise UnsupportedError(option, adapter=self.adapter_name, hint="it has none; leave it out")
        if automation not in self._automations:
            raise not_found("automation", automation, self._automations)
        check_reference("jobs.start", "key", key, LIMITS)
        check_moment("jobs.start", "not_before", not_before)
        settings = self._automations[automation]
        given = _complete(settings, inputs or {})
        check_inputs("jobs.start", given, LIMITS)
        values = {
            "automation": automation,
            "inputs": json.dumps(given),
            "key": key,
            "priority": priority,
            "robot": platform.node(),
            "owner": owner_of(os.getpid()),
            "not_before": mapping.moment_text(not_before),
            "now": self._now(),
        }
        job_id, is_new = await self._database.write(lambda db: _insert(db, values))
        if is_new:  # whoever cancels us now finds a job that runs, and none that nobody runs
            await asyncio.shield(self._in_background(self._launch(job_id, _order(settings))))
        return await self.get(str(job_id))

    async def get(self, job_id: str) -> Job:
        await self._bury_the_lost()
        number = mapping.row_id("job", job_id)
        row = await self._database.read(lambda db: db.execute("SELECT * FROM jobs WHERE id = ?", (number,)).fetchone())
        if row is None:
            raise not_found("job", job_id)
        return mapping.job(row)

    async def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        check_moment("jobs.find", "since", since)
        await self._bury_the_lost()
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE id < :last AND (:automation IS NULL OR automation = :automation)"
            " AND (:words IS NULL OR state IN (SELECT value FROM json_each(:words)))"
            " AND (:key IS NULL OR key = :key) AND (:since IS NULL OR created_at >= :since)"
            " ORDER BY id DESC LIMIT :page",
            newest_first=True,
            automation=automation,
            words=mapping.job_words(state),
            key=key,
            since=mapping.moment_text(since),
        )
        async for row in rows:
            yield mapping.job(row)

    async def stop(self, job_id: str, *, force: bool = False) -> Job:
        await self._bury_the_lost()
        values = {"id": mapping.row_id("job", job_id), "wish": "force" if force else "soft", "now": self._now()}
        await self._database.write(
            lambda db: db.execute(
                "UPDATE jobs SET stop = CASE stop WHEN 'force' THEN stop ELSE :wish END,"
                " state = CASE state WHEN 'waiting' THEN 'stopped' ELSE 'stopping' END,"
                " ended_at = CASE state WHEN 'waiting' THEN :now END"
                " WHERE id = :id AND ended_at IS NULL",
                values,
            )
        )
        return await self.get(job_id)

    async def restart(self, job_id: str) -> Job:
        job = await self.get(job_id)
        if not job.finished:
            raise ConflictError(f"job {job_id} is still {job.native_state}; stop it, or wait for its end, first")
        return await self.start(job.automation, job.inputs, priority=job.priority)

    async def report(
        self,
        job_id: str,
        outcome: JobOutcome,
        *,
        message: str | None = None,
        counts: ItemCounts | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> Job:
        given = dict(outputs or {})
        check_inputs("jobs.report", given, LIMITS)
        values = {
            "id": mapping.row_id("job", job_id),
            "state": mapping.JOB_WORDS[outcome],
            "message": message,
            "counts": mapping.counts_text(counts),
            "outputs": json.dumps(given),
            "now": self._now(),
        }
        changed = await self._database.write(
            lambda db: (
                db.execute(
                    "UPDATE jobs SET state = :state, message = :message, counts = :counts, outputs = :outputs,"
                    " ended_at = :now WHERE id = :id AND state IN ('running', 'stopping')",
                    values,
                ).rowcount
            )
        )
        job = await self.get(job_id)
        if not changed:
            raise ConflictError(f"job {job_id} is {job.native_state}; only a running one can be reported")
        return job

    async def aclose(self) -> None:
        """Ends what runs as a task of this process; what runs by itself goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _launch(self, job_id: int, order: Order) -> None:
        if self._database.in_memory:
            self._in_background(Runner(self._database, self.clock, job_id, order).run())
            return
        try:
            owner = await asyncio.to_thread(detach, self._database.path, job_id, order)
        except OSError as error:
            message = f"no process could be started for it ({error.strerror}); end other programs and start it again"
            await self._database.write(
                lambda db: db.execute(
                    "UPDATE jobs SET state = 'failed', message = ?, ended_at = ? WHERE id = ?",
                    (message, self._now(), job_id),
                )
            )
            return
        await self._database.write(
            lambda db: db.execute("UPDATE jobs SET owner = ? WHERE id = ? AND state = 'waiting'", (owner, job_id))
        )

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _bury_the_lost(self) -> None:
        """Ends the jobs whose process is gone. They are never started again by themselves: they may be half done."""
        lost = await self._database.read(_lost)
        if lost:
            end = (LOST.word, LOST.message, self._now())
            await self._database.write(
                lambda db: db.executemany(
                    "UPDATE jobs SET state = ?, message = ?, ended_at = ?"
                    " WHERE id = ? AND owner = ? AND ended_at IS NULL",
                    [(*end, *one) for one in lost],
                )
            )

    def _now(self) -> str | None:
        return mapping.moment_text(self.clock.now())


def _insert(db: sqlite3.Connection, values: Mapping[str, Any]) -> tuple[int, bool]:
    """The job's number, and whether it is new: a key makes one job only, and the file itself sees to that."""
    found = db.execute("SELECT id, automation FROM jobs WHERE key = :key", values).fetchone()
    if found is None:
        [new] = db.execute(
            "INSERT INTO jobs (automation, state, inputs, key, priority, robot, owner, not_before, created_at)"
            " VALUES (:automation, 'waiting', :inputs, :key, :priority, :robot, :owner, :not_before, :now)"
            " RETURNING id",
            values,
        ).fetchone()
        return new, True
    if found["automation"] != values["automation"]:
        raise ConflictError(
            f"key {values['key']!r} belongs to job {found['id']} of {found['automation']!r}; use another key"
        )
    return found["id"], False


def _lost(db: sqlite3.Connection) -> list[tuple[int, str]]:
    unfinished = db.execute("SELECT id, owner FROM jobs WHERE ended_at IS NULL").fetchall()
    return [(row["id"], row["owner"]) for row in unfinished if is_lost(row["owner"])]


def _order(settings: AutomationSettings) -> Order:
    return Order(
        command=settings.command,
        cwd=settings.cwd,
        env=settings.env,
        secrets={name: value.get_secret_value() for name, value in settings.secrets.items()},
        timeout=settings.timeout,
    )


def _complete(settings: AutomationSettings, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with what was left out and has a default. Raises InvalidError when they are not what it takes."""
    declared = settings.inputs
    if declared is None:
        return dict(inputs)
    for name in inputs:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(declared) or 'nothing'}"
            raise refuse("jobs.start", f"there is no input {name!r}; {hint}")
    for name, one in declared.items():
        if one.required and one.default is None and name not in inputs:
            raise refuse("jobs.start", f"the input {name!r} is missing; give it a value")
    return {name: one.default for name, one in declared.items() if one.default is not None} | dict(inputs)
