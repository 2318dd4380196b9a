"""Standard tests of jobs after their start: looking, waiting, finding, ending."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.jobs import ItemCounts, Job, JobOutcome, JobState
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError, WaitTimeoutError

from .stage import Stage, listed
from .standard import requires

ENDINGS = (JobOutcome.SUCCEEDED, JobOutcome.FAILED, JobOutcome.PARTIAL)


async def _started_apart(stage: Stage, count: int) -> list[Job]:
    """Jobs with a second of the platform's time between them, oldest first."""
    jobs = []
    for number in range(count):
        jobs.append(await stage.adapter.jobs.start(stage.automation, {"n": number}))
        stage.harness.advance(1)
    return jobs


class JobTests:
    """Standard tests of what jobs do, and of what can be done with them."""

    @requires("jobs.wait", "jobs.start")
    async def test_a_job_ends_with_an_outcome(self, stage: Stage) -> None:
        started = await stage.adapter.jobs.start(stage.automation, {"n": 1})
        job = await stage.finished(started)
        assert job.id == started.id
        assert job.automation == stage.automation
        assert (job.state, job.outcome, job.finished) == (JobState.FINISHED, JobOutcome.SUCCEEDED, True)
        assert job.inputs == {"n": 1}

    @requires("jobs.wait", "jobs.start")
    async def test_outputs_come_back(self, stage: Stage) -> None:
        inputs = {"n": 1, "name": "größer ☃"}
        assert (await stage.finished(await stage.adapter.jobs.start(stage.automation, inputs))).outputs == inputs

    @requires("jobs.wait", "jobs.start")
    async def test_a_failed_job_is_a_result(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.failing_automation))
        assert job.outcome is JobOutcome.FAILED
        assert job.message, "a failed job says why"

    @requires("jobs.wait", "jobs.start", "jobs.get")
    async def test_the_times_of_a_job_are_in_order(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.automation))
        assert job.created_at is not None
        moments = [one for one in (job.created_at, job.started_at, job.ended_at) if one is not None]
        assert all(one.utcoffset() is not None for one in moments)
        assert moments == sorted(moments)
        assert abs(job.created_at - stage.harness.now()) < timedelta(minutes=5)

    @requires("jobs.get", "jobs.start")
    async def test_get_gives_the_job_that_was_started(self, stage: Stage) -> None:
        started = await stage.adapter.jobs.start(stage.automation, {"n": 1})
        job = await stage.adapter.jobs.get(started.id)
        assert (job.id, job.automation, job.inputs) == (started.id, started.automation, started.inputs)

    @requires("jobs.get")
    async def test_an_unknown_job_is_not_found(self, stage: Stage) -> None:
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.jobs.get(stage.harness.missing_id)
        assert stage.harness.missing_id in str(caught.value), "the error must name what is not there"

    @requires("jobs.get")
    async def test_an_id_that_cannot_be_is_refused(self, stage: Stage) -> None:
        for job_id in ("", "no such id", "1/../2", "1' or 1 eq 1", "☃"):
            with stage.refused(NotFoundError, InvalidError):
                await stage.adapter.jobs.get(job_id)

    @requires("jobs.wait", "jobs.start")
    async def test_waiting_ends_in_time_and_the_job_goes_on(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.harness.hold(JobState.RUNNING))
        with stage.refused(WaitTimeoutError) as caught:
            await stage.adapter.jobs.wait(job, timeout=stage.harness.poll, poll=stage.harness.poll)
        assert job.id in str(caught.value)
        assert not (await stage.adapter.jobs.get(job.id)).finished

    @requires("jobs.wait")
    async def test_waiting_for_an_unknown_job_ends_at_once(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.jobs.wait(stage.harness.missing_id, timeout=5)

    @requires("jobs.as_finished", "jobs.start")
    async def test_each_job_is_told_once_as_it_finishes(self, stage: Stage) -> None:
        jobs = [await stage.adapter.jobs.start(stage.automation, {"n": number}) for number in range(3)]
        finished = await listed(stage.adapter.jobs.as_finished(jobs, timeout=30, poll=stage.harness.poll))
        assert sorted(job.id for job in finished) == sorted(job.id for job in jobs)
        assert all(job.finished for job in finished)

    @requires("jobs.get_many", "jobs.start", "jobs.get")
    async def test_many_jobs_are_had_at_once_in_the_order_asked_for(self, stage: Stage) -> None:
        jobs = [await stage.adapter.jobs.start(stage.automation, {"n": number}) for number in range(6)]
        ended = [await stage.finished(job) for job in jobs[:3]]
        wanted = [job.id for job in reversed(jobs)]
        found = await stage.adapter.jobs.get_many(wanted)
        assert [job.id for job in found] == wanted
        by_id = {job.id: job for job in found}
        assert [by_id[job.id].outputs for job in ended] == [job.outputs for job in ended]
        with stage.refused(NotFoundError):
            await stage.adapter.jobs.get_many([*wanted, stage.harness.missing_id])

    @requires("jobs.wait_all", "jobs.start")
    async def test_all_jobs_are_waited_for_in_the_order_given(self, stage: Stage) -> None:
        jobs = [await stage.adapter.jobs.start(stage.automation) for _ in range(6)]
        wanted: list[Job | str] = [jobs[4], jobs[0].id, jobs[4].id, *jobs]
        ended = await stage.adapter.jobs.wait_all(wanted, timeout=stage.harness.patience, poll=stage.harness.poll)
        assert [job.id for job in ended] == [one if isinstance(one, str) else one.id for one in wanted]
        assert all(job.finished for job in ended)

    @requires("jobs.find", "jobs.start")
    async def test_find_yields_the_newest_first(self, stage: Stage) -> None:
        jobs = await _started_apart(stage, 3)
        found = [job.id async for job in stage.adapter.jobs.find()]
        assert found[:3] == [job.id for job in reversed(jobs)]
        assert len(set(found)) == len(found)

    @requires("jobs.find", "jobs.start")
    async def test_find_filters_by_automation(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation)
        other = await stage.adapter.jobs.start(stage.failing_automation)
        found = await listed(stage.adapter.jobs.find(automation=stage.automation))
        assert {one.automation for one in found} == {stage.automation}
        assert job.id in [one.id for one in found]
        assert other.id not in [one.id for one in found]

    @requires("jobs.find")
    async def test_find_for_an_unknown_automation_yields_nothing_of_others(self, stage: Stage) -> None:
        with contextlib.suppress(NotFoundError):
            assert await listed(stage.adapter.jobs.find(automation=stage.new_name("automation"))) == []

    @requires("jobs.find", "jobs.start")
    async def test_find_filters_by_state(self, stage: Stage) -> None:
        done = await stage.finished(await stage.adapter.jobs.start(stage.automation))
        open_job = await stage.adapter.jobs.start(stage.harness.hold(JobState.RUNNING))
        await stage.until(open_job.id, JobState.RUNNING)
        finished = await listed(stage.adapter.jobs.find(state=JobState.FINISHED))
        assert {job.state for job in finished} == {JobState.FINISHED}
        assert done.id in [job.id for job in finished]
        assert open_job.id not in [job.id for job in finished]
        running = await listed(stage.adapter.jobs.find(state=JobState.RUNNING))
        assert [job.id for job in running] == [open_job.id]

    @requires("jobs.find", "jobs.start")
    async def test_find_filters_by_key(self, stage: Stage) -> None:
        if not stage.limits.finds_starts_by_key:
            with stage.refused(UnsupportedError, unsent=True):
                await listed(stage.adapter.jobs.find(key="one"))
            return
        await stage.adapter.jobs.start(stage.automation)
        for key in ("one", "it's 100 %/☃"):
            job = await stage.adapter.jobs.start(stage.automation, key=key)
            found = await listed(stage.adapter.jobs.find(key=key))
            assert [(one.id, one.key) for one in found] == [(job.id, key)]
        assert await listed(stage.adapter.jobs.find(key="on")) == []

    @requires("jobs.find", "jobs.start")
    async def test_find_filters_by_age(self, stage: Stage) -> None:
        old = await stage.adapter.jobs.start(stage.automation)
        stage.harness.advance(60)
        between = stage.harness.now() - timedelta(seconds=30)
        new = await stage.adapter.jobs.start(stage.automation)
        found = [job.id async for job in stage.adapter.jobs.find(since=between)]
        assert new.id in found
        assert old.id not in found
        assert await listed(stage.adapter.jobs.find(since=stage.harness.now() + timedelta(days=1))) == []

    @requires("jobs.find", "jobs.start")
    async def test_filters_add_up(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.automation))
        await stage.finished(await stage.adapter.jobs.start(stage.failing_automation))
        since = stage.harness.now() - timedelta(minutes=1)
        found = stage.adapter.jobs.find(automation=stage.automation, state=JobState.FINISHED, since=since)
        assert [one.id async for one in found] == [job.id]

    @requires("jobs.find", "jobs.start")
    async def test_find_goes_beyond_one_page(self, stage: Stage) -> None:
        started = {(await stage.adapter.jobs.start(stage.automation)).id for _ in range(stage.harness.page + 5)}
        found = [job.id async for job in stage.adapter.jobs.find(automation=stage.automation)]
        assert started <= set(found)
        assert len(set(found)) == len(found)

    @requires(Feature.JOB_STOP)
    async def test_a_running_job_is_stopped_by_force(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.harness.hold(JobState.RUNNING))
        await stage.until(job.id, JobState.RUNNING)
        stopped = await stage.adapter.jobs.stop(job.id, force=True)
        assert stopped.id == job.id
        assert (await stage.finished(job)).outcome is JobOutcome.STOPPED

    @requires(Feature.JOB_STOP)
    async def test_a_running_job_is_asked_to_stop(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.harness.hold(JobState.RUNNING))
        await stage.until(job.id, JobState.RUNNING)
        stopped = await stage.adapter.jobs.stop(job.id)
        assert stopped.stop_requested or stopped.state is JobState.STOPPING or stopped.outcome is JobOutcome.STOPPED

    @requires(Feature.JOB_STOP)
    async def test_a_pending_job_never_runs_after_it_was_stopped(self, stage: Stage) -> None:
        tomorrow = stage.harness.now() + timedelta(days=1)
        job = await stage.unless_refused(stage.adapter.jobs.start(stage.automation, not_before=tomorrow))
        if job is None:
            job = await stage.adapter.jobs.start(stage.harness.hold(JobState.PENDING))
        await stage.adapter.jobs.stop(job.id)
        ended = await stage.finished(job)
        assert ended.outcome is JobOutcome.STOPPED
        assert ended.outputs == {}

    @requires(Feature.JOB_STOP)
    async def test_stopping_leaves_a_finished_job_as_it_is(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.automation))
        for force in (False, True):
            stopped = await stage.adapter.jobs.stop(job.id, force=force)
            assert (stopped.id, stopped.outcome) == (job.id, JobOutcome.SUCCEEDED)
        assert (await stage.adapter.jobs.get(job.id)).outcome is JobOutcome.SUCCEEDED

    @requires(Feature.JOB_STOP)
    async def test_an_unknown_job_cannot_be_stopped(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.jobs.stop(stage.harness.missing_id)

    @requires(Feature.JOB_RESTART)
    async def test_a_restarted_job_runs_again_with_its_inputs(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.automation, {"n": 1}))
        again = await stage.finished(await stage.adapter.jobs.restart(job.id))
        assert (again.automation, again.inputs) == (job.automation, {"n": 1})
        assert again.outcome is JobOutcome.SUCCEEDED

    @requires(Feature.JOB_RESTART)
    async def test_a_restart_is_a_job_of_its_own(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.failing_automation, {"n": 1}))
        again = await stage.adapter.jobs.restart(job.id)
        assert again.id != job.id
        assert (await stage.adapter.jobs.get(job.id)).outcome is JobOutcome.FAILED

    @requires(Feature.JOB_RESTART)
    async def test_an_unknown_job_cannot_be_restarted(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.jobs.restart(stage.harness.missing_id)

    @requires(Feature.JOB_RESUME)
    async def test_a_suspended_job_is_woken(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.harness.hold(JobState.SUSPENDED))
        await stage.until(job.id, JobState.SUSPENDED)
        assert (await stage.adapter.jobs.resume(job.id, {"n": 2})).state is not JobState.SUSPENDED

    @requires(Feature.JOB_RESUME)
    async def test_only_a_suspended_job_can_be_woken(self, stage: Stage) -> None:
        job = await stage.finished(await stage.adapter.jobs.start(stage.automation))
        with stage.refused(ConflictError):
            await stage.adapter.jobs.resume(job.id)

    @requires(Feature.JOB_REPORT)
    async def test_a_run_reports_its_own_end(self, stage: Stage) -> None:
        automation = stage.harness.hold(JobState.RUNNING)
        for outcome in ENDINGS:
            job = await stage.adapter.jobs.start(automation)
            await stage.until(job.id, JobState.RUNNING)
            await stage.adapter.jobs.report(job.id, outcome, message="größer ☃")
            ended = await stage.finished(job)
            assert (ended.outcome, ended.message) == (outcome, "größer ☃")

    @requires(Feature.JOB_REPORT)
    async def test_a_run_reports_how_many_items_it_worked(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.harness.hold(JobState.RUNNING))
        await stage.until(job.id, JobState.RUNNING)
        counts = ItemCounts(total=3, processed=2, failed=1)
        await stage.adapter.jobs.report(job.id, JobOutcome.PARTIAL, counts=counts)
        assert (await stage.finished(job)).counts == counts

    @requires(Feature.JOB_REPORT)
    async def test_a_run_reports_its_outputs(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.harness.hold(JobState.RUNNING))
        await stage.until(job.id, JobState.RUNNING)
        await stage.adapter.jobs.report(job.id, JobOutcome.SUCCEEDED, outputs={"lines": 3})
        assert (await stage.finished(job)).outputs == {"lines": 3}

    @requires(Feature.JOB_REPORT)
    async def test_an_unknown_job_cannot_report(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.jobs.report(stage.harness.missing_id, JobOutcome.SUCCEEDED)
