"""Jobs on UiPath after their start: found, stopped, run again, woken."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    ConflictError,
    InvalidError,
    Job,
    JobOutcome,
    JobState,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnsupportedError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.lifecycle import Ending
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.automations import UiPathAutomations
from rpa_bridge_uipath.jobs import UiPathJobs

STOP = "POST *StopJobs"
RESTART = "POST *RestartJob"
RESUME = "POST *ResumeJob"
Requests = Callable[[str], list[Exchange]]
JOB = {"Id": 7, "Key": "12345678-1234-5678-1234-567812345678", "State": "Running", "ReleaseName": "Invoices"}
DONE, ASLEEP = JOB | {"State": "Successful"}, JOB | {"State": "Suspended", "ResumeVersion": 1}


def scripted(script: Any) -> UiPathJobs:
    """The service on answers on order."""
    client = script.client
    return UiPathJobs(client, script.clock, UiPathAutomations(client, script.clock), LIMITS)


@pytest.fixture
async def asleep(sandbox: Sandbox, erp: Adapter) -> Job:
    """A job that waits for somebody to wake it."""
    sandbox.world.switches["uipath.suspend_automation"] = "Invoices"
    job = await erp.jobs.get((await erp.jobs.start("Invoices", {"n": 1})).id)
    assert job.state is JobState.SUSPENDED
    return job


async def test_a_job_is_found_by_its_number_and_by_its_key(erp: Adapter) -> None:
    job = await erp.jobs.start("Invoices")
    key = str(job.raw_data["Key"])

    found = {(await erp.jobs.get(name)).id for name in (job.id, key, key.upper())}

    assert found == {job.id}


@pytest.mark.parametrize("job_id", ["999999", "12345678-1234-5678-1234-567812345678", "no id", "", "1'2", "9" * 19])
async def test_an_unknown_job_is_not_found_and_named(erp: Adapter, job_id: str) -> None:
    for call in (erp.jobs.get(job_id), erp.jobs.stop(job_id)):
        with pytest.raises(NotFoundError, match=r"there is no job .* `rpa-bridge jobs list` shows") as caught:
            await call
        assert repr(job_id) in str(caught.value)


async def test_a_wrong_address_is_not_an_unknown_job(script: Any) -> None:
    script.answer(status=404)

    with pytest.raises(NotFoundError, match=r"does not know /odata/Jobs\(7\).* the address in the settings"):
        await scripted(script).get("7")


async def test_another_job_than_the_one_asked_for_is_not_believed(script: Any) -> None:
    script.answer(JOB)
    with pytest.raises(ProtocolError, match="asked for job 8, got 7"):
        await scripted(script).get("8")

    script.page(JOB)
    with pytest.raises(NotFoundError, match="there is no job"):
        await scripted(script).get("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("force", [False, True])
async def test_a_finished_job_is_not_stopped(erp: Adapter, requests: Requests, force: bool) -> None:
    job = await erp.jobs.wait(await erp.jobs.start("Invoices"), timeout=60)

    assert (await erp.jobs.stop(job.id, force=force)).outcome is JobOutcome.SUCCEEDED
    assert requests(STOP) == []


@pytest.mark.parametrize(("force", "strategy"), [(False, "SoftStop"), (True, "Kill")])
async def test_a_running_job_is_asked_to_stop_in_its_way(
    sandbox: Sandbox, erp: Adapter, requests: Requests, force: bool, strategy: str
) -> None:
    sandbox.world.lifecycle.hold = True
    job = await erp.jobs.start("Invoices")

    await erp.jobs.stop(str(job.raw_data["Key"]), force=force)

    assert json.loads(requests(STOP)[0].body) == {"strategy": strategy, "jobIds": [int(job.id)]}


async def test_a_job_that_ends_while_it_is_stopped_is_left_as_it_is(script: Any) -> None:
    script.answer(JOB)
    script.answer({"message": "It is in a final state.", "errorCode": 1017}, status=409)
    script.answer(JOB | {"State": "Successful"})

    assert (await scripted(script).stop("7")).outcome is JobOutcome.SUCCEEDED


async def test_a_stop_that_is_refused_while_the_job_runs_is_an_error(script: Any) -> None:
    script.answer(JOB)
    script.answer({"message": "It may not be stopped.", "errorCode": 1017}, status=409)
    script.answer(JOB)

    with pytest.raises(ConflictError, match="It may not be stopped"):
        await scripted(script).stop("7")


async def test_the_beginning_of_time_is_a_time_to_look_from(erp: Adapter) -> None:
    job = await erp.jobs.start("Invoices")

    found: list[Job] = [one async for one in erp.jobs.find(since=datetime.min.replace(tzinfo=UTC))]

    assert [one.id for one in found] == [job.id]


async def test_a_state_that_uipath_does_not_have_is_not_asked_for(sandbox: Sandbox, erp: Adapter) -> None:
    assert [job async for job in erp.jobs.find(state=JobState.UNKNOWN)] == []
    assert sandbox.world.exchanges == []


async def test_a_job_found_by_its_key_is_read_whole(script: Any) -> None:
    script.page(JOB | {"State": "Successful"})
    script.answer(JOB | {"State": "Successful", "OutputArguments": '{"paid": true}'})

    assert (await scripted(script).get(str(JOB["Key"]))).outputs == {"paid": True}, "a list's row may lack outputs"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Info": "It is broken.", "ErrorCode": "Robot"}, "It is broken."),
        ({"Info": "", "JobError": {"code": "Robot", "title": "Broken", "detail": "größer ☃"}}, "größer ☃"),
        ({"JobError": {"Title": "Broken", "Detail": None}}, "Broken"),
        ({"JobError": {}, "ErrorCode": "TemplateNoHostsAvailable"}, "TemplateNoHostsAvailable"),
        ({"JobError": None, "ErrorCode": None}, None),
    ],
)
async def test_a_job_says_what_is_wrong_wherever_the_platform_says_it(
    script: Any, members: dict[str, Any], message: str | None
) -> None:
    script.answer(JOB | {"State": "Faulted"} | members)

    assert (await scripted(script).get("7")).message == message


async def test_a_restarted_job_is_another_with_the_same_inputs(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outcome="failed")
    job = await erp.jobs.wait(await erp.jobs.start("Invoices", {"n": 1}, key="k-1"), timeout=60)
    sandbox.world.lifecycle.endings.clear()

    again = await erp.jobs.restart(str(job.raw_data["Key"]))

    assert json.loads(requests(RESTART)[0].body) == {"jobId": int(job.id)}
    assert (again.id != job.id, again.inputs) == (True, {"n": 1})
    assert (await erp.jobs.wait(again, timeout=60)).outcome is JobOutcome.SUCCEEDED
    assert (await erp.jobs.start("Invoices", key="k-1")).id == job.id, "the key stays with the first"


async def test_a_job_that_runs_is_not_restarted(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    sandbox.world.lifecycle.hold = True
    job = await erp.jobs.start("Invoices")

    with pytest.raises(ConflictError, match=f"job {job.id} is Pending; only a finished job"):
        await erp.jobs.restart(job.id)
    assert requests(RESTART) == []


@pytest.mark.parametrize("when", list(When))
async def test_a_restart_whose_answer_was_lost_is_unknown_and_not_repeated(
    sandbox: Sandbox, erp: Adapter, requests: Requests, when: When
) -> None:
    job = await erp.jobs.wait(await erp.jobs.start("Invoices"), timeout=60)
    sandbox.faults.add(Fault(FaultKind.CUT, match=RESTART, when=when))

    with pytest.raises(OutcomeUnknownError, match=f"job {job.id} may run again; look for a new job of 'Invoices'"):
        await erp.jobs.restart(job.id)
    assert len(requests(RESTART)) == 1
    assert len([one async for one in erp.jobs.find()]) == (2 if when is When.AFTER else 1)


async def test_an_answer_that_names_the_old_job_is_no_restart(script: Any) -> None:
    script.answer(DONE)
    script.answer(DONE)

    with pytest.raises(OutcomeUnknownError, match="job 7 may run again"):
        await scripted(script).restart("7")


async def test_a_server_without_restart_says_so(script: Any) -> None:
    script.answer(DONE)
    script.answer({"message": "No HTTP resource was found.", "errorCode": 0}, status=404)

    with pytest.raises(UnsupportedError, match=r"jobs\.restart; this server has no RestartJob"):
        await scripted(script).restart("7")


async def test_a_restart_of_a_release_that_is_gone_is_not_a_missing_feature(script: Any) -> None:
    script.answer(DONE)
    script.answer({"message": "The release does not exist.", "errorCode": 1002}, status=404)

    with pytest.raises(NotFoundError, match="The release does not exist"):
        await scripted(script).restart("7")


async def test_a_suspended_job_is_woken_with_inputs(erp: Adapter, asleep: Job, requests: Requests) -> None:
    woken = await erp.jobs.resume(asleep.id, {"approved": "größer ☃"})

    body = json.loads(requests(RESUME)[0].body)
    assert (body["jobKey"], json.loads(body["inputArguments"])) == (asleep.raw_data["Key"], {"approved": "größer ☃"})
    assert (woken.id, woken.state) == (asleep.id, JobState.PENDING)
    assert (await erp.jobs.wait(woken, timeout=60)).outputs == {"n": 1, "approved": "größer ☃"}


async def test_only_a_suspended_job_is_woken(erp: Adapter, requests: Requests) -> None:
    job = await erp.jobs.wait(await erp.jobs.start("Invoices"), timeout=60)

    with pytest.raises(ConflictError, match=f"job {job.id} is Successful; only a suspended job"):
        await erp.jobs.resume(job.id)
    assert requests(RESUME) == []


async def test_a_job_that_somebody_else_woke_first_is_a_conflict(script: Any) -> None:
    script.answer(ASLEEP)
    script.answer({"message": "It is not suspended.", "errorCode": 1017}, status=409)
    script.answer(JOB)

    with pytest.raises(ConflictError, match="job 7 is Running; only a suspended job"):
        await scripted(script).resume("7")


async def test_a_refusal_to_wake_a_job_that_sleeps_on_is_the_platforms_own(script: Any) -> None:
    script.answer(ASLEEP)
    script.answer({"message": "Its trigger has not fired.", "errorCode": 1009}, status=400)
    script.answer(ASLEEP)

    with pytest.raises(InvalidError, match="Its trigger has not fired"):
        await scripted(script).resume("7")


async def test_a_wake_whose_answer_was_lost_is_seen_in_the_jobs_state(
    sandbox: Sandbox, erp: Adapter, asleep: Job, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=RESUME, when=When.AFTER))

    woken = await erp.jobs.resume(asleep.id)

    assert woken.state is not JobState.SUSPENDED
    assert len(requests(RESUME)) == 1


async def test_a_job_that_sleeps_again_after_a_lost_answer_was_woken(script: Any) -> None:
    script.answer(ASLEEP)
    script.answer(status=502)
    script.answer(ASLEEP | {"ResumeVersion": 2})

    assert (await scripted(script).resume("7")).state is JobState.SUSPENDED


async def test_a_wake_that_was_lost_on_its_way_is_unknown_and_not_repeated(
    sandbox: Sandbox, erp: Adapter, asleep: Job, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=RESUME))

    with pytest.raises(OutcomeUnknownError, match=f"job {asleep.id} awake was not found within 120 seconds"):
        await erp.jobs.resume(asleep.id)
    assert len(requests(RESUME)) == 1
    assert (await erp.jobs.get(asleep.id)).state is JobState.SUSPENDED


async def test_inputs_whose_arrival_nobody_can_see_are_unknown(
    sandbox: Sandbox, erp: Adapter, asleep: Job, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=RESUME, when=When.AFTER))

    with pytest.raises(OutcomeUnknownError, match=f"job {asleep.id} may have been woken with these inputs"):
        await erp.jobs.resume(asleep.id, {"approved": True})
    assert len(requests(RESUME)) == 1


async def test_a_server_that_takes_no_inputs_for_a_wake_says_so(sandbox: Sandbox, erp: Adapter, asleep: Job) -> None:
    sandbox.world.switches["uipath.resume_inputs"] = False

    with pytest.raises(UnsupportedError, match="resume with inputs; this server takes none; resume without them"):
        await erp.jobs.resume(asleep.id, {"approved": True})
    assert (await erp.jobs.resume(asleep.id)).state is not JobState.SUSPENDED


@pytest.mark.parametrize("inputs", [{"text": "x" * 10_000}, {"at": datetime.max.replace(tzinfo=UTC)}])
async def test_inputs_that_no_wake_can_take_are_refused_unsent(
    sandbox: Sandbox, erp: Adapter, inputs: dict[str, Any]
) -> None:
    with pytest.raises(InvalidError):
        await erp.jobs.resume("7", inputs)
    assert sandbox.world.exchanges == []
