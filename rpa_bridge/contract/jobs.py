"""Jobs: one run of an automation (UiPath: job · BotMaestro: task)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from .features import Feature, Service, optional
from .model import Neutral, Priority


class JobState(StrEnum):
    """Where the job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    STOPPING = "stopping"
    FINISHED = "finished"
    UNKNOWN = "unknown"


class JobOutcome(StrEnum):
    """How a finished job ended."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCounts(Neutral):
    """How many items a run has worked; total = processed + failed."""

    total: int
    processed: int
    failed: int

    def __post_init__(self) -> None:
        if min(self.total, self.processed, self.failed) < 0 or self.total != self.processed + self.failed:
            raise ValueError("item counts must not be negative, and total must be processed + failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Neutral):
    """A job as the platform last described it. `outcome` is there exactly when it is finished."""

    id: str
    automation: str
    state: JobState
    native_state: str
    outcome: JobOutcome | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    key: str | None = None
    priority: Priority | None = None
    counts: ItemCounts | None = None
    robot: str | None = None
    stop_requested: bool = False
    not_before: datetime | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.state is JobState.FINISHED) != (self.outcome is not None):
            raise ValueError("a job has an outcome exactly when it is finished")

    @property
    def finished(self) -> bool:
        """Whether the platform will not change it any more by itself."""
        return self.state is JobState.FINISHED


class JobService(Service):
    """Start automations and follow their runs."""

    noun = "jobs"

    @abstractmethod
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
        """The job, once the platform has accepted it.

        With `key` the start happens at most once: the key travels with the job, a second start with the same key
        returns the job that exists, and an uncertain answer is looked up, never repeated.
        `options` are this platform's own settings of a start, under its own names; an unknown one is refused.
        Raises NotFoundError for an unknown automation, InvalidError for inputs that the platform cannot take,
        UnsupportedError for `not_before` or an option that it lacks, and OutcomeUnknownError when nobody can tell
        whether the job was started.
        """

    @optional(Feature.JOB_START_MANY)
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
        """The jobs, `count` of them with the same inputs, once the platform has accepted all.

        With `key` they are started at most once together. Raises what `start` raises, and ConflictError when jobs
        with this key exist in another number.
        """
        raise NotImplementedError

    @abstractmethod
    async def get(self, job_id: str) -> Job:
        """The job now. Raises NotFoundError."""

    looks_at: ClassVar[int] = 1
    """How many jobs one call of `get_many` should be asked for."""

    async def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        """The jobs now, in the order asked for; overridden where one request can look at many. Raises NotFoundError."""
        return [await self.get(job_id) for job_id in job_ids]

    @abstractmethod
    def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        """Jobs, newest first; `since` is the earliest creation. Pages are fetched as the caller iterates."""

    @optional(Feature.JOB_STOP)
    async def stop(self, job_id: str, *, force: bool = False) -> Job:
        """The job, after asking it to end; with `force` it is killed. A finished job is left as it is."""
        raise NotImplementedError

    @optional(Feature.JOB_RESTART)
    async def restart(self, job_id: str) -> Job:
        """The job that runs it again with the same inputs. Never repeated after an uncertain answer."""
        raise NotImplementedError

    @optional(Feature.JOB_RESUME)
    async def resume(self, job_id: str, inputs: Mapping[str, Any] | None = None) -> Job:
        """The job, after waking it from SUSPENDED. Raises ConflictError in any other state."""
        raise NotImplementedError

    @optional(Feature.JOB_REPORT)
    async def report(
        self,
        job_id: str,
        outcome: JobOutcome,
        *,
        message: str | None = None,
        counts: ItemCounts | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> Job:
        """The job, after finishing it from inside its run."""
        raise NotImplementedError

    async def wait(self, job: Job | str, *, timeout: float | None = None, poll: float = 2.0) -> Job:
        """The finished job. A failed job is a result, not an exception.

        `timeout` in seconds, None for ever; `poll` is the longest pause between two looks, in seconds.
        Raises WaitTimeoutError; the job goes on.
        """
        from rpa_bridge.helpers import waiting  # helpers are built on the contract

        return await waiting.wait(self, job, timeout=timeout, poll=poll)

    async def wait_all(
        self, jobs: Iterable[Job | str], *, timeout: float | None = None, poll: float = 2.0
    ) -> list[Job]:
        """The finished jobs, in the order given. Raises WaitTimeoutError when some did not in time; all go on."""
        from rpa_bridge.helpers import waiting  # helpers are built on the contract

        return await waiting.wait_all(self, jobs, timeout=timeout, poll=poll)

    def as_finished(
        self, jobs: Iterable[Job | str], *, timeout: float | None = None, poll: float = 2.0
    ) -> AsyncIterator[Job]:
        """Each of the jobs as it finishes. Raises WaitTimeoutError when some did not in time.

        A thousand jobs cost as few requests as the platform allows: many are looked at together.
        """
        from rpa_bridge.helpers import waiting  # helpers are built on the contract

        return waiting.as_finished(self, jobs, timeout=timeout, poll=poll)
