"""Tasks, and the runner that works them by the world's lifecycle. docs: botmaestro.md 3"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from rpa_bridge.sandbox.lifecycle import Stage

from .automations import Automations
from .backend import Backend, Body, Route
from .errors import invalid
from .paging import first_moment
from .records import RUNNER, FinishStatus, Task, TaskState

OPEN = frozenset({TaskState.START, TaskState.RUNNING, TaskState.TIMEOUT})
"""What may still move; finishing from TIMEOUT is possible."""
INTERRUPT_SINCE = "2.0.0"


def _utc(moment: datetime) -> datetime:
    """A date without an offset means UTC. docs: botmaestro.md 3 "Quirks" """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class NewTask(Body):
    activity_label: str
    test: bool = False
    parameters: dict[str, Any] = Field(default_factory=dict)
    priority: int = Field(default=0, ge=0, le=10)
    min_execution_date: Annotated[datetime, AfterValidator(_utc)] | None = None


class TaskUpdate(Body):
    state: TaskState | None = None
    finish_status: FinishStatus | None = None
    finish_message: str | None = None
    total_items: int | None = None
    processed_items: int | None = None
    failed_items: int | None = None
    interrupted: bool | None = None
    killed: bool | None = None


class Jobs:
    """The task list. Time moves tasks by itself; looks count when a task is read or listed."""

    def __init__(self, backend: Backend, automations: Automations) -> None:
        self._backend = backend
        self._automations = automations

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/task", self._create),
            Route("GET", "/task", self._list),
            Route("GET", "/task/{id}", self._get),
            Route("POST", "/task/{id}", self._update),
            Route("DELETE", "/task/{id}", self._delete),
        ]

    def start(self, new: NewTask) -> Task:
        """Puts a task into the queue. Raises RefusedError for an unknown automation."""
        automation, now = self._automations.by_label(new.activity_label), self._backend.now()
        task = Task(
            id=self._backend.next_number("task"),
            parameters=new.parameters,
            activity_id=automation.id,
            activity_label=automation.label,
            activity_name=automation.name,
            agent_id=automation.bot_id,
            date_creation=now,
            date_last_modified=now,
            min_execution_date=new.min_execution_date,
            test=new.test,
            priority=new.priority,
            queued=now,
        )
        self._backend.state.tasks[task.id] = task
        return task

    def any_active(self, automation: str) -> bool:
        """Whether a task of the automation waits or, where that counts, runs."""
        counted = OPEN if self._backend.switch("running_is_active") else {TaskState.START}
        return any(task.state in counted for task in self._as_of_now() if task.activity_label == automation)

    def claim(self, machine: str, automation: str | None) -> Task | None:
        """The next task that waits, RUNNING from now on for somebody outside: the lifecycle leaves it alone.

        The highest priority first, then the one that has waited longest.
        """
        now = self._backend.now()
        waiting = [
            task
            for task in self._as_of_now()
            if task.state is TaskState.START
            and not task.killed
            and automation in (None, task.activity_label)
            and (task.min_execution_date is None or task.min_execution_date <= now)
        ]
        task = min(waiting, key=lambda one: (-one.priority, one.queued, one.id), default=None)
        if task is not None:
            task.claimed, task.machine_id = True, machine
            self._move(task, TaskState.RUNNING)
        return task

    async def _create(self, request: web.Request) -> web.Response:
        return web.json_response(self._wire(self.start(await self._backend.read(request, NewTask))))

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._look(self._backend.task(request.match_info["id"])))

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        states = self._states(query.get("stateFilter"))
        since = first_moment(query, self._backend.now()) if self._backend.switch("days_on_tasks") else None
        rows = [
            task
            for task in self._as_of_now()
            if query.get("activityLabel") in (None, "", task.activity_label)
            and query.get("machineId") in (None, "", task.machine_id)
            and (since is None or task.date_creation >= since)
            and (not states or self._due(task, task.looks) in states)
        ]
        return self._backend.answer_page(request, rows, self._look)

    async def _update(self, request: web.Request) -> web.Response:
        task_id = request.match_info["id"]
        self._backend.task(task_id)
        update = await self._backend.read(request, TaskUpdate)
        task = self._backend.task(task_id)
        self._pass_time(task)
        if not self._backend.has_reached(INTERRUPT_SINCE):
            update.interrupted = update.killed = None
        if update.state is None and update.interrupted is None and update.killed is None:
            raise invalid("state, interrupted or killed is expected")
        match update.state:
            case TaskState.FINISHED:
                self._finish(task, update)
            case TaskState.START:
                self._restart(task)
            case TaskState.CANCELED:
                self._cancel(task)
            case TaskState.RUNNING | TaskState.TIMEOUT:
                raise invalid(f"state: {update.state} cannot be set")
        task.interrupted = task.interrupted if update.interrupted is None else update.interrupted
        task.killed = task.killed if update.killed is None else update.killed
        task.date_last_modified = self._backend.now()
        return web.json_response(self._wire(task))

    async def _delete(self, request: web.Request) -> web.Response:
        task = self._backend.task(request.match_info["id"])
        if not task.test:
            raise self._backend.conflict("Only test tasks can be deleted")
        del self._backend.state.tasks[task.id]
        return web.Response(status=204)

    def _finish(self, task: Task, update: TaskUpdate) -> None:
        """From START and RUNNING, and again when FINISHED. docs: botmaestro.md 14"""
        if task.state is TaskState.CANCELED:
            raise self._backend.conflict("A canceled task cannot be finished")
        if update.finish_status is None:
            raise invalid("finishStatus is expected")
        counts = (update.total_items, update.processed_items, update.failed_items)
        if self._backend.switch("check_item_counts") and not _add_up(*counts):
            raise invalid("totalItems must be the sum of processedItems and failedItems")
        task.state, task.finish_status = TaskState.FINISHED, update.finish_status
        task.finish_message = update.finish_message or ""
        task.total_items, task.processed_items, task.failed_items = counts

    def _restart(self, task: Task) -> None:
        if not task.test and not self._backend.switch("restart_production"):
            raise self._backend.conflict("Only test tasks can be restarted")
        task.state, task.queued, task.looks = TaskState.START, self._backend.now(), 0
        task.date_start_running = task.machine_id = task.finish_status = task.finish_message = None
        task.total_items = task.processed_items = task.failed_items = None
        task.interrupted = task.killed = None
        task.claimed = False

    def _cancel(self, task: Task) -> None:
        if task.state is TaskState.FINISHED or (
            task.state in (TaskState.RUNNING, TaskState.TIMEOUT) and not self._backend.switch("cancel_running")
        ):
            raise self._backend.conflict(f"A task in state {task.state} cannot be canceled")
        task.state = TaskState.CANCELED

    def _look(self, task: Task) -> dict[str, Any]:
        """The task as the caller sees it; the look counts."""
        self._move(task, self._due(task, task.looks))
        task.looks += 1
        return self._wire(task)

    def _wire(self, task: Task) -> dict[str, Any]:
        """The task as the server writes it."""
        return self._backend.wire(task) | {"state": self._name(task.state)}

    def _name(self, state: TaskState) -> str:
        """What the wire calls a state; of the newest one the name is not known. docs: botmaestro.md 3"""
        return self._backend.switch("task_timeout_state") if state is TaskState.TIMEOUT else state

    def _states(self, given: str | None) -> set[TaskState]:
        """The states of a filter, one or more with commas between (a guess); none means all."""
        named = {self._name(state): state for state in TaskState}
        words = [word for word in (given or "").split(",") if word]
        for word in words:
            if word not in named:
                raise invalid(f"stateFilter: there is no state {word!r}")
        return {named[word] for word in words}

    def _as_of_now(self) -> list[Task]:
        """All tasks, after what happened by itself."""
        tasks = [*self._backend.state.tasks.values()]
        for task in tasks:
            self._pass_time(task)
        return tasks

    def _pass_time(self, task: Task) -> None:
        """What happened since the last look. A task that nobody has looked at moves by seconds alone."""
        if task.looks or self._backend.world.lifecycle.seconds:
            self._move(task, self._due(task, max(task.looks - 1, 0)))

    def _due(self, task: Task, looks: int) -> TaskState:
        """The state that the task should be in, after so many looks."""
        if task.state not in OPEN:
            return task.state
        if task.killed:
            return TaskState(self._backend.switch("killed_task_ends"))
        if task.claimed:
            return TaskState.TIMEOUT if self._overdue(task) else TaskState.RUNNING
        stage = self._backend.world.lifecycle.stage(
            looks=looks, created=task.queued, now=self._backend.now(), not_before=task.min_execution_date
        )
        if stage is Stage.ENDED:
            return TaskState.FINISHED
        if stage is Stage.WAITING and task.state is TaskState.START:
            return TaskState.START
        return TaskState.TIMEOUT if self._overdue(task) else TaskState.RUNNING

    def _overdue(self, task: Task) -> bool:
        hours = self._backend.switch("task_timeout_hours")
        if hours is None or task.date_start_running is None:
            return False
        return self._backend.now() >= task.date_start_running + timedelta(hours=hours)

    def _move(self, task: Task, state: TaskState) -> None:
        if state is task.state:
            return
        now = self._backend.now()
        if state in (TaskState.RUNNING, TaskState.FINISHED):
            task.date_start_running = task.date_start_running or now
            task.machine_id = task.machine_id or RUNNER
        if state is TaskState.FINISHED:
            self._end(task)
        task.state, task.date_last_modified = state, now

    def _end(self, task: Task) -> None:
        """How the runner ends it. A task has no outputs on this wire, only a message."""
        if task.killed:
            task.finish_status, task.finish_message = FinishStatus.FAILED, "Task killed."
            return
        ending = self._backend.world.lifecycle.ending(task.activity_label)
        succeeded = ending.outcome == "succeeded"
        task.finish_status = FinishStatus.SUCCESS if succeeded else FinishStatus.FAILED
        task.finish_message = ending.message or ("Task finished." if succeeded else "Task failed.")


def _add_up(total: int | None, processed: int | None, failed: int | None) -> bool:
    """Whether all are absent, or none is negative and the sum is right."""
    if total is None or processed is None or failed is None:
        return total is processed is failed is None
    return min(total, processed, failed) >= 0 and total == processed + failed
