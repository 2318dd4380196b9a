"""Standard tests of starting jobs: what travels with a start, what is refused before it, and the key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.jobs import Job, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError

from .automations import ODD_NAMES
from .stage import Stage
from .standard import requires
from .values import NOT_JSON, TEXTS


async def _jobs(stage: Stage) -> dict[str, Job]:
    return {job.id: job async for job in stage.adapter.jobs.find(automation=stage.automation)}


async def _ids_since(stage: Stage, before: dict[str, Job]) -> set[str]:
    return set(await _jobs(stage)) - set(before)


class StartTests:
    """Standard tests of `jobs.start`."""

    @requires("jobs.start")
    async def test_start_gives_a_job(self, stage: Stage) -> None:
        job = await stage.adapter.jobs.start(stage.automation, {"month": "2026-10"})
        assert job.id
        assert job.automation == stage.automation
        assert job.state is not JobState.UNKNOWN
        assert job.native_state
        assert job.inputs == {"month": "2026-10"}

    @requires("jobs.start", "jobs.get")
    async def test_inputs_arrive_as_they_were_given(self, stage: Stage) -> None:
        inputs: dict[str, Any] = {**TEXTS, "number": 9007199254740993, "half": 0.5, "yes": True, "nothing": None}
        job = await stage.adapter.jobs.start(stage.automation, inputs)
        assert (await stage.adapter.jobs.get(job.id)).inputs == inputs

    @requires("jobs.start", "jobs.get")
    async def test_inputs_may_be_nested(self, stage: Stage) -> None:
        inputs = {"rows": [{"a": 1, "b": [True, None]}], "empty": {}}
        job = await stage.adapter.jobs.start(stage.automation, inputs)
        assert (await stage.adapter.jobs.get(job.id)).inputs == inputs

    @requires("jobs.start", "jobs.get")
    async def test_a_job_may_have_no_inputs(self, stage: Stage) -> None:
        inputs: tuple[Mapping[str, Any] | None, ...] = (None, {})
        for none in inputs:
            job = await stage.adapter.jobs.start(stage.automation, none)
            assert (await stage.adapter.jobs.get(job.id)).inputs == {}

    @requires("jobs.start")
    async def test_an_unknown_automation_cannot_be_started(self, stage: Stage) -> None:
        name = stage.new_name("automation")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.jobs.start(name)
        assert name in str(caught.value), "the error must name what is not there"

    @requires("jobs.start")
    async def test_an_oddly_named_automation_cannot_be_started(self, stage: Stage) -> None:
        for name in ODD_NAMES:
            with stage.refused(NotFoundError, InvalidError):
                await stage.adapter.jobs.start(name)

    @requires("jobs.start")
    async def test_an_unknown_option_is_refused_before_sending(self, stage: Stage) -> None:
        with stage.refused(UnsupportedError, unsent=True) as caught:
            await stage.adapter.jobs.start(stage.automation, options={"conformance_no_such_option": 1})
        assert "conformance_no_such_option" in str(caught.value)

    @requires("jobs.start")
    async def test_inputs_that_json_cannot_hold_are_refused_before_sending(self, stage: Stage) -> None:
        for value in NOT_JSON:
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.jobs.start(stage.automation, {"value": value})

    @requires("jobs.start", "jobs.get")
    async def test_inputs_as_long_as_declared_fit_and_longer_ones_are_refused(self, stage: Stage) -> None:
        limit = stage.limits.input_chars
        text = "x" * ((limit or 20_000) - len('{"text": ""}'))
        job = await stage.adapter.jobs.start(stage.automation, {"text": text})
        assert (await stage.adapter.jobs.get(job.id)).inputs == {"text": text}
        if limit is not None:
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.jobs.start(stage.automation, {"text": "x" * limit})

    @requires("jobs.start")
    async def test_each_priority_is_taken_over(self, stage: Stage) -> None:
        for priority in Priority:
            job = await stage.adapter.jobs.start(stage.automation, priority=priority)
            assert job.priority is priority

    @requires("jobs.start", "jobs.get")
    async def test_a_start_waits_for_its_time_or_is_refused(self, stage: Stage) -> None:
        moment = stage.harness.now() + timedelta(hours=1)
        job = await stage.unless_refused(stage.adapter.jobs.start(stage.automation, not_before=moment))
        if job is None:
            return
        assert job.not_before is not None
        assert abs(job.not_before - moment) < timedelta(seconds=1)
        assert (await stage.adapter.jobs.get(job.id)).state is JobState.PENDING
        stage.harness.advance(3700)
        assert (await stage.finished(job)).id == job.id

    @requires("jobs.start")
    async def test_a_time_without_a_zone_is_refused_before_sending(self, stage: Stage) -> None:
        with stage.refused(InvalidError, UnsupportedError, unsent=True):
            await stage.adapter.jobs.start(stage.automation, not_before=datetime(2040, 1, 1))  # noqa: DTZ001 - on purpose

    @requires("jobs.start", "jobs.find")
    async def test_a_second_start_with_the_same_key_gives_the_same_job(self, stage: Stage) -> None:
        if await _has_no_keys(stage):
            return
        before = await _jobs(stage)
        first = await stage.adapter.jobs.start(stage.automation, {"n": 1}, key="conformance-key")
        second = await stage.adapter.jobs.start(stage.automation, {"n": 1}, key="conformance-key")
        assert first.key == second.key == "conformance-key"
        assert first.id == second.id
        assert await _ids_since(stage, before) == {first.id}

    @requires("jobs.start", "jobs.find")
    async def test_a_finished_job_still_stands_for_its_key(self, stage: Stage) -> None:
        if await _has_no_keys(stage):
            return
        first = await stage.finished(await stage.adapter.jobs.start(stage.automation, key="conformance-key"))
        second = await stage.adapter.jobs.start(stage.automation, key="conformance-key")
        assert second.id == first.id
        assert second.outcome is first.outcome

    @requires("jobs.start", "jobs.find")
    async def test_starts_with_the_same_key_at_the_same_time_are_one(self, stage: Stage) -> None:
        if await _has_no_keys(stage):
            return
        before = await _jobs(stage)
        starts = (stage.adapter.jobs.start(stage.automation, key="conformance-key") for _ in range(5))
        ids = {job.id for job in await asyncio.gather(*starts)}
        assert len(ids) == 1
        assert await _ids_since(stage, before) == ids

    @requires("jobs.start", "jobs.find")
    async def test_a_key_never_starts_a_second_job_even_with_other_inputs(self, stage: Stage) -> None:
        if await _has_no_keys(stage):
            return
        before = await _jobs(stage)
        first = await stage.adapter.jobs.start(stage.automation, {"n": 1}, key="conformance-key")
        try:
            second = await stage.adapter.jobs.start(stage.automation, {"n": 2}, key="conformance-key")
        except ConflictError:
            second = first
        assert second.id == first.id
        assert second.inputs == {"n": 1}
        assert await _ids_since(stage, before) == {first.id}

    @requires("jobs.start", "jobs.find")
    async def test_different_keys_start_different_jobs(self, stage: Stage) -> None:
        if await _has_no_keys(stage):
            return
        keys = ["a", "A", "a ", "ab", "a'b", "a%b", "größer ☃"]
        jobs = [await stage.adapter.jobs.start(stage.automation, key=key) for key in keys]
        assert len({job.id for job in jobs}) == len(keys)
        for key, job in zip(keys, jobs, strict=True):
            assert (await stage.adapter.jobs.start(stage.automation, key=key)).id == job.id

    @requires("jobs.start")
    async def test_an_empty_or_overlong_key_is_refused_before_sending(self, stage: Stage) -> None:
        longest = stage.limits.reference_length
        for key in ("", *(["k" * (longest + 1)] if longest else [])):
            with stage.refused(InvalidError, UnsupportedError, unsent=True):
                await stage.adapter.jobs.start(stage.automation, key=key)

    @requires(Feature.JOB_START_MANY, "jobs.get")
    async def test_many_are_started_together(self, stage: Stage) -> None:
        before = await _jobs(stage)
        jobs = await stage.adapter.jobs.start_many(stage.automation, 3, {"month": "2026-10"})
        assert await _ids_since(stage, before) == {job.id for job in jobs}
        assert len(jobs) == len({job.id for job in jobs}) == 3
        for job in jobs:
            assert (await stage.adapter.jobs.get(job.id)).inputs == {"month": "2026-10"}

    @requires(Feature.JOB_START_MANY)
    async def test_many_with_a_key_are_started_once(self, stage: Stage) -> None:
        key = stage.new_name("key")
        before = await _jobs(stage)
        first = await stage.adapter.jobs.start_many(stage.automation, 2, key=key)
        again = await stage.adapter.jobs.start_many(stage.automation, 2, key=key)
        assert {job.id for job in again} == {job.id for job in first} == await _ids_since(stage, before)
        assert {job.key for job in first} == {key}
        with stage.refused(ConflictError):
            await stage.adapter.jobs.start_many(stage.automation, 3, key=key)
        assert len(await _ids_since(stage, before)) == 2

    @requires(Feature.JOB_START_MANY)
    async def test_a_number_that_starts_nothing_is_refused_before_sending(self, stage: Stage) -> None:
        for count in (0, -1):
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.jobs.start_many(stage.automation, count)


async def _has_no_keys(stage: Stage) -> bool:
    """Whether the limits say so; a key is a promise, and who cannot keep it must refuse the start."""
    if stage.limits.finds_starts_by_key:
        return False
    with stage.refused(UnsupportedError, unsent=True):
        await stage.adapter.jobs.start(stage.automation, key="conformance-key")
    return True
