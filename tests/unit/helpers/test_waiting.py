from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from rpa_bridge.contract.jobs import Job, JobOutcome, JobService, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import AuthError, InvalidError, RateLimitedError, UnavailableError, WaitTimeoutError
from rpa_bridge.testing import ManualClock

RUNNING, FINISHED = JobState.RUNNING, JobState.FINISHED
Look = JobState | Exception


def job(job_id: str, state: JobState = RUNNING) -> Job:
    outcome = JobOutcome.FAILED if state is FINISHED else None
    return Job(id=job_id, automation="Invoices", state=state, native_state=state, outcome=outcome)


class ScriptedJobs(JobService):
    """Jobs whose looks are written down; the last one is repeated."""

    def __init__(self, clock: ManualClock, **script: list[Look]) -> None:
        super().__init__("scripted", clock)
        self.script = script
        self.looks: list[str] = []

    async def get(self, job_id: str) -> Job:
        self.looks.append(job_id)
        looks = self.script[job_id]
        look = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(look, Exception):
            raise look
        return job(job_id, look)

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
        raise AssertionError("waiting starts nothing")

    def find(
        self,
        *,
        automation: str | None = None,
        state: JobState | None = None,
        key: str | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Job]:
        raise AssertionError("waiting searches nothing")


async def test_pauses_grow_up_to_poll_and_end_with_the_job() -> None:
    clock = ManualClock()
    jobs = ScriptedJobs(clock, a=[JobState.PENDING, RUNNING, JobState.SUSPENDED, JobState.STOPPING, RUNNING, FINISHED])
    finished = await jobs.wait("a", poll=0.5)
    assert finished.outcome is JobOutcome.FAILED
    assert clock.slept == pytest.approx([0.2, 0.3, 0.45, 0.5, 0.5])


async def test_no_pause_reaches_beyond_the_deadline_and_the_last_look_is_at_the_deadline() -> None:
    clock = ManualClock()
    jobs = ScriptedJobs(clock, a=[JobState.SUSPENDED])
    with pytest.raises(WaitTimeoutError) as error:
        await jobs.wait(job("a"), timeout=1.0)
    assert sum(clock.slept) == pytest.approx(1.0)
    assert len(jobs.looks) == len(clock.slept) + 1
    assert str(error.value) == (
        "after 1 seconds job a (suspended) has not finished; it goes on: look again with jobs.get('a'), or wait longer"
    )


async def test_a_timeout_of_nothing_looks_once() -> None:
    jobs = ScriptedJobs(ManualClock(), a=[RUNNING, FINISHED])
    with pytest.raises(WaitTimeoutError):
        await jobs.wait("a", timeout=0)
    assert jobs.looks == ["a"]


async def test_a_dead_server_does_not_end_the_wait() -> None:
    jobs = ScriptedJobs(ManualClock(), a=[RUNNING, *[UnavailableError("down")] * 40, FINISHED])
    assert (await jobs.wait("a", timeout=3600)).finished


async def test_the_platforms_wish_for_a_longer_pause_is_granted() -> None:
    clock = ManualClock()
    jobs = ScriptedJobs(clock, a=[RateLimitedError("slow down", retry_after=60.0), FINISHED])
    await jobs.wait("a")
    assert clock.slept == [60.0]


async def test_a_server_that_stays_dead_is_named_when_time_is_over() -> None:
    jobs = ScriptedJobs(ManualClock(), a=[UnavailableError("the server is down")])
    with pytest.raises(
        WaitTimeoutError, match=r"job a \(not yet seen\).*the last look failed: the server is down"
    ) as e:
        await jobs.wait("a", timeout=5)
    assert isinstance(e.value.__cause__, UnavailableError)


async def test_an_error_that_will_not_pass_ends_the_wait() -> None:
    jobs = ScriptedJobs(ManualClock(), a=[RUNNING, AuthError("wrong key")])
    with pytest.raises(AuthError, match="wrong key"):
        await jobs.wait("a")


@pytest.mark.parametrize("poll", [0.0, -1.0, float("nan")])
async def test_a_pause_of_nothing_is_refused_before_any_look(poll: float) -> None:
    jobs = ScriptedJobs(ManualClock(), a=[RUNNING])
    with pytest.raises(InvalidError, match="poll must be more than 0"):
        await jobs.wait("a", poll=poll)
    assert jobs.looks == []


async def test_each_job_is_yielded_once_as_it_finishes_and_then_left_alone() -> None:
    jobs = ScriptedJobs(ManualClock(), a=[RUNNING, RUNNING, FINISHED], b=[FINISHED], c=[RUNNING, FINISHED])
    assert [one.id async for one in jobs.as_finished(["a", "b", "c", "a"])] == ["b", "c", "a"]
    assert jobs.looks == ["a", "b", "c", "a", "c", "a"]


async def test_one_unreachable_job_does_not_hide_the_others() -> None:
    jobs = ScriptedJobs(ManualClock(), a=[UnavailableError("down"), FINISHED], b=[FINISHED])
    assert [one.id async for one in jobs.as_finished(["a", "b"])] == ["b", "a"]


async def test_no_jobs_are_finished_at_once() -> None:
    jobs = ScriptedJobs(ManualClock())
    assert [one async for one in jobs.as_finished([])] == []


async def test_what_has_finished_is_yielded_before_the_rest_is_late() -> None:
    names = [f"j{number}" for number in range(12)]
    script: dict[str, list[Look]] = {name: [RUNNING] for name in names}
    jobs = ScriptedJobs(ManualClock(), done=[FINISHED], **script)
    finished = jobs.as_finished(["done", *names], timeout=1)
    assert (await anext(finished)).id == "done"
    with pytest.raises(WaitTimeoutError, match=r"jobs j0 \(running\), .*j9 \(running\) and 2 more have not; they"):
        await anext(finished)
