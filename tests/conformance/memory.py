"""A small true adapter in memory, on which the suite proves itself. Its platform counts every call as a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from rpa_bridge.conformance import Harness, never
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, AdapterSettings, Finding
from rpa_bridge.contract.automations import Automation, AutomationService
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.jobs import Job, JobOutcome, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Failure, FailureKind, Item, ItemDraft, ItemState, Queue, QueueService
from rpa_bridge.errors import ConflictError, NotFoundError, UnsupportedError
from rpa_bridge.helpers.checks import check_draft, check_inputs, check_mark, check_moment, check_name, check_reference
from rpa_bridge.testing import ManualClock

T = TypeVar("T")
LIMITS = Limits(
    name_length=50,
    reference_length=100,
    item_bytes=10_000,
    input_chars=5_000,
    flat_values=True,
    unique_references=True,
    finds_starts_by_key=True,
)
ORDER = [Priority.HIGH, Priority.NORMAL, Priority.LOW]


class Platform:
    """Everything there is."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.calls = 0
        self.hold: JobState | None = None
        self.automations = {name: Automation(id=name.lower(), name=name) for name in ("Echo", "Broken")}
        self.queues = {
            "Letters": Queue(id="1", name="Letters", retries=1),
            "Once": Queue(id="2", name="Once", unique_references=True),
        }
        self.jobs: dict[str, Job] = {}
        self.items: dict[str, Item] = {}

    async def ask(self, kept: Mapping[str, T], what: str, key: str) -> T:
        """One request for a thing; others may come in between."""
        self.calls += 1
        await asyncio.sleep(0)
        if key not in kept:
            raise NotFoundError(f"there is no {what} {key!r}; look for its name")
        return kept[key]


class Automations(AutomationService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("memory", platform.clock)
        self._platform = platform

    async def find(self) -> AsyncIterator[Automation]:
        for one in self._platform.automations.values():
            yield one

    async def get(self, name: str) -> Automation:
        check_name("automations.get", "automation", name, Limits())
        return await self._platform.ask(self._platform.automations, "automation", name)


class Jobs(JobService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("memory", platform.clock)
        self._platform = platform

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
        for option in options or {}:
            raise UnsupportedError(f"the option {option!r} of a start", adapter="memory")
        check_inputs("jobs.start", inputs or {}, LIMITS)
        check_reference("jobs.start", "key", key, LIMITS)
        check_moment("jobs.start", "not_before", not_before)
        platform = self._platform
        await platform.ask(platform.automations, "automation", automation)
        for job in platform.jobs.values():
            if key is not None and job.key == key:
                return job
        job = Job(
            id=str(len(platform.jobs) + 1),
            automation=automation,
            state=JobState.PENDING,
            native_state="pending",
            inputs=dict(inputs or {}),
            key=key,
            priority=priority,
            not_before=not_before,
            created_at=platform.clock.now(),
        )
        platform.jobs[job.id] = job
        return job

    async def get(self, job_id: str) -> Job:
        platform = self._platform
        job = await platform.ask(platform.jobs, "job", job_id)
        if not job.finished and not (job.not_before and job.not_before > platform.clock.now()):
            job = platform.jobs[job_id] = self._moved_on(job)
        return job

    def _moved_on(self, job: Job) -> Job:
        if self._platform.hold is not None:
            return replace(job, state=self._platform.hold, native_state=self._platform.hold.value)
        broken = job.automation == "Broken"
        return replace(
            job,
            state=JobState.FINISHED,
            native_state="over",
            outcome=JobOutcome.FAILED if broken else JobOutcome.SUCCEEDED,
            message="it is broken" if broken else None,
            outputs={} if broken else job.inputs,
            ended_at=self._platform.clock.now(),
        )

    async def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        self._platform.calls += 1
        for job in reversed(self._platform.jobs.values()):
            wanted = automation in {None, job.automation} and state in {None, job.state} and key in {None, job.key}
            if wanted and (since is None or (job.created_at is not None and job.created_at >= since)):
                yield job

    async def stop(self, job_id: str, *, force: bool = False) -> Job:
        platform = self._platform
        job = await platform.ask(platform.jobs, "job", job_id)
        if not job.finished:
            job = replace(job, state=JobState.FINISHED, native_state="stopped", outcome=JobOutcome.STOPPED)
            platform.jobs[job_id] = job
        return job


class Queues(QueueService):
    def __init__(self, platform: Platform) -> None:
        super().__init__("memory", platform.clock)
        self._platform = platform

    async def get(self, name: str) -> Queue:
        check_name("queues.get", "queue", name, Limits())
        return await self._platform.ask(self._platform.queues, "queue", name)

    def check_item(self, draft: ItemDraft) -> None:
        check_draft("queues.add", draft, LIMITS)

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        self.check_item(draft)
        if (await self.get(queue)).unique_references and draft.reference is not None:
            known = {item.reference for item in self._platform.items.values() if item.queue == queue}
            if draft.reference in known:
                raise ConflictError(f"queue {queue!r} has an item {draft.reference!r} already; leave it out")
        item = Item(
            id=str(len(self._platform.items) + 1),
            queue=queue,
            state=ItemState.NEW,
            native_state="new",
            values=dict(draft.values),
            reference=draft.reference,
            priority=draft.priority,
            not_before=draft.not_before,
            due_at=draft.due_at,
            mark=draft.mark,
        )
        self._platform.items[item.id] = item
        return item

    async def take(self, queue: str) -> Item | None:
        await self.get(queue)
        now = self.clock.now()
        free = [one for one in self._platform.items.values() if one.queue == queue and one.state is ItemState.NEW]
        ready = [one for one in free if one.not_before is None or one.not_before <= now]
        if not ready:
            return None
        return self._keep(min(ready, key=lambda one: ORDER.index(one.priority)), ItemState.TAKEN)

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        self._keep(replace(await self._held(item), output=dict(output or {})), ItemState.DONE)

    async def fail(self, item: Item, failure: Failure) -> None:
        held = replace(await self._held(item), failure=failure)
        again = failure.kind is FailureKind.APPLICATION and held.attempt <= (await self.get(held.queue)).retries
        self._keep(held, ItemState.RETRIED if again else ItemState.FAILED)
        if again:
            following = replace(
                held, id=str(len(self._platform.items) + 1), attempt=held.attempt + 1, retry_of=held.id, failure=None
            )
            self._keep(following, ItemState.NEW)

    async def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        check_mark("queues.items", mark)
        if after is not None and not after.isdecimal():
            raise NotFoundError(f"there is no item {after!r}; look for it")
        await self.get(queue)
        for item in list(self._platform.items.values()):
            wanted = item.queue == queue and state in {None, item.state} and reference in {None, item.reference}
            marked = mark is None or (item.mark is not None and item.mark.startswith(mark))
            if wanted and marked and (after is None or int(item.id) > int(after)):
                yield item

    async def get_item(self, queue: str, item_id: str) -> Item:
        return await self._platform.ask(self._platform.items, f"item of queue {queue!r}", item_id)

    async def _held(self, item: Item) -> Item:
        held = await self.get_item(item.queue, item.id)
        if held.state is not ItemState.TAKEN:
            raise ConflictError(f"item {item.id} is {held.state}, not taken; take another")
        return held

    def _keep(self, item: Item, state: ItemState) -> Item:
        kept = self._platform.items[item.id] = replace(item, state=state, native_state=state.value)
        return kept


class MemoryAdapter(Adapter):
    """The adapter; `open` gives it a platform of its own."""

    info = AdapterInfo(name="memory", title="Memory", limits=LIMITS)
    settings_model = AdapterSettings
    platform: Platform
    jobs_class: type[Jobs] = Jobs
    queues_class: type[Queues] = Queues

    @classmethod
    def open(cls, settings: AdapterSettings, context: AdapterContext) -> Self:
        platform = Platform()
        services = Automations(platform), cls.jobs_class(platform), cls.queues_class(platform)
        adapter = cls(context, *services, place=f"memory {id(platform)}")
        adapter.platform = platform
        return adapter

    async def check(self) -> list[Finding]:
        return [Finding(subject="memory", ok=True, message="it is there")]


ABSENT = {
    noun: never("the reference has only the nouns that people meet first")
    for noun in (
        *("assets", "credentials", "artifacts", "robots", "logs", "alerts", "incidents", "messages"),
        *("folders", "schedules", "webhooks"),
    )
}


class MemoryHarness(Harness):
    """The reference on the suite's stage."""

    marks = ABSENT
    automation = "Echo"
    failing_automation = "Broken"
    queue = "Letters"
    unique_queue = "Once"
    page = 5
    adapter_class: type[MemoryAdapter] = MemoryAdapter
    platform: Platform

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Adapter]:
        adapter = self.adapter_class.open(AdapterSettings(), AdapterContext(connection="memory"))
        self.platform = adapter.platform
        self.clock = self.platform.clock
        yield adapter

    def sent(self) -> int:
        return self.platform.calls

    def advance(self, seconds: float) -> None:
        self.platform.clock.advance(seconds)

    def hold(self, state: JobState) -> str:
        self.platform.hold = state
        return "Echo"
