"""Jobs on UiPath: a key is one job, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import (
    Adapter,
    Bridge,
    ConflictError,
    InvalidError,
    Job,
    JobOutcome,
    JobState,
    NotFoundError,
    OutcomeUnknownError,
    Priority,
    ProtocolError,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.errors import Delivery
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.automations import UiPathAutomations
from rpa_bridge_uipath.jobs import UiPathJobs

START = "POST *StartJobs"
STOP = "POST *StopJobs"
LOOK = "GET */odata/Jobs[?]*"
Requests = Callable[[str], list[Exchange]]
JOB = {"Id": 7, "Key": "12345678-1234-5678-1234-567812345678", "State": "Running", "ReleaseName": "Invoices"}


def started(requests: Requests) -> int:
    """How many starts the platform carried out."""
    return sum(one.executed for one in requests(START))


async def started_elsewhere(erp: Adapter, automation: str, **info: Any) -> list[int]:
    """Starts jobs as another program would; their ids."""
    release = await erp.automations.get(automation)
    request = Request(
        "POST",
        "/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs",
        effect=Effect.BLIND,
        operation="raw",
        json={"startInfo": {"ReleaseKey": release.id, **info}},
        headers={"X-UIPATH-FolderPath": "Shared"},
    )
    return [row["Id"] for row in json.loads((await erp.raw.send(request)).body)["value"]]


def scripted(script: Any) -> UiPathJobs:
    """The service on answers on order."""
    client = script.client
    return UiPathJobs(client, script.clock, UiPathAutomations(client, script.clock), LIMITS)


async def test_a_key_of_another_automation_is_a_conflict_that_names_the_job(erp: Adapter, requests: Requests) -> None:
    job = await erp.jobs.start("Letters", key="k-1")

    with pytest.raises(ConflictError, match=rf"'k-1' belongs to job {job.id} of 'Letters'; use another key"):
        await erp.jobs.start("Invoices", key="k-1")
    assert started(requests) == 1


async def test_an_automation_may_be_written_in_another_case(erp: Adapter, requests: Requests) -> None:
    assert (await erp.jobs.start("invoices", key="k-1")).id == (await erp.jobs.start("INVOICES", key="k-1")).id
    assert started(requests) == 1


async def test_two_jobs_with_one_reference_are_a_conflict_that_names_both(erp: Adapter, requests: Requests) -> None:
    first, second = await started_elsewhere(erp, "Invoices", Reference="k-1", JobsCount=2, Strategy="ModernJobsCount")

    with pytest.raises(ConflictError, match=f"jobs {first} and {second} both carry the key 'k-1'"):
        await erp.jobs.start("Invoices", key="k-1")
    assert started(requests) == 1


async def test_a_key_is_not_another_key_in_other_case(erp: Adapter, requests: Requests) -> None:
    small, large = await erp.jobs.start("Invoices", key="k-a"), await erp.jobs.start("Invoices", key="K-A")

    assert small.id != large.id
    assert [job.id async for job in erp.jobs.find(key="K-A")] == [large.id]


async def test_starts_with_one_key_at_once_are_one_job_in_one_process(erp: Adapter, requests: Requests) -> None:
    jobs = await asyncio.gather(*(erp.jobs.start("Invoices", key="k-1") for _ in range(8)))

    assert len({job.id for job in jobs}) == 1
    assert len(requests(START)) == 1


async def test_starts_with_one_key_at_once_are_one_job_in_two_processes(
    sandbox: Sandbox, tmp_path: Path, requests: Requests
) -> None:
    settings = {"connections": {"erp": sandbox.connections["uipath"]}}
    async with Bridge(settings, cache_dir=tmp_path) as one, Bridge(settings, cache_dir=tmp_path) as two:
        starts = [bridge["erp"].jobs.start("Invoices", key="k-1") for bridge in (one, two) for _ in range(4)]
        jobs = await asyncio.gather(*starts)

    assert len({job.id for job in jobs}) == 1
    assert len(requests(START)) == 1


async def test_starts_without_a_key_are_jobs_of_their_own(erp: Adapter, requests: Requests) -> None:
    jobs = await asyncio.gather(*(erp.jobs.start("Invoices") for _ in range(3)))

    assert len({job.id for job in jobs}) == len({job.key for job in jobs}) == 3
    assert all(str(job.key).startswith("rb-") for job in jobs)
    assert requests(LOOK) == [], "a Reference that nobody else can have is not looked for"


async def test_a_look_up_that_fails_before_the_start_stops_it(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=LOOK, status=503, times=99))

    with pytest.raises(UnavailableError):
        await erp.jobs.start("Invoices", key="k-1")
    assert requests(START) == []


async def test_a_look_up_that_fails_after_a_lost_answer_is_not_absence(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=START, when=When.AFTER))
    sandbox.faults.add(Fault(FaultKind.STATUS, match=LOOK, status=500, skip=1, times=12))

    job = await erp.jobs.start("Invoices", key="k-1")

    assert job.key == "k-1"
    assert len(requests(START)) == 1
    assert len(requests(LOOK)) == 14


async def test_an_answer_that_names_another_start_is_not_believed(script: Any) -> None:
    script.page({"Id": 1, "Key": "r", "Name": "Invoices"})
    script.answer({"value": [JOB | {"Reference": "somebody-elses"}]}, status=201)
    script.page(JOB | {"Id": 8, "Reference": "rb-id-1"})

    job = await scripted(script).start("Invoices")

    assert (job.id, job.key) == ("8", "rb-id-1")
    assert sum(one.path.endswith("StartJobs") for one in script.requests) == 1


@pytest.mark.parametrize("body", [None, {"value": []}, {"value": [JOB, JOB]}, [], {"value": [{"Id": 1}]}])
async def test_a_start_whose_answer_cannot_be_read_is_looked_up(script: Any, body: Any) -> None:
    script.page({"Id": 1, "Key": "r", "Name": "Invoices"})
    script.answer(body, status=201)
    for _ in range(7):
        script.page()

    with pytest.raises(OutcomeUnknownError, match="'rb-id-1' was not found within 120 seconds"):
        await scripted(script).start("Invoices")
    assert sum(one.path.endswith("StartJobs") for one in script.requests) == 1


async def test_a_releases_key_is_remembered_and_asked_for_again_when_it_was_made_anew(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    await erp.jobs.start("Invoices")
    await erp.jobs.start("Invoices")
    assert len(requests("GET */odata/Releases[?]*")) == 1

    face: Any = sandbox.faces["uipath"]
    for release in face._state.releases.values():
        release["Key"] = sandbox.world.new_uuid()
    job = await erp.jobs.start("Invoices", key="k-1")

    assert job.automation == "Invoices"
    assert len(requests("GET */odata/Releases[?]*")) == 2
    assert [one.status for one in requests(START)] == [201, 201, 404, 201]


async def test_a_release_that_is_gone_is_not_found(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    await erp.jobs.start("Invoices")
    face: Any = sandbox.faces["uipath"]
    face._state.releases.clear()

    with pytest.raises(NotFoundError, match="no automation 'Invoices' in this folder"):
        await erp.jobs.start("Invoices")
    assert started(requests) == 1


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
    with pytest.raises(NotFoundError):
        await scripted(script).get("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(("priority", "number"), [(Priority.LOW, 25), (Priority.NORMAL, 45), (Priority.HIGH, 65)])
async def test_a_priority_goes_as_a_word_and_as_a_number(
    erp: Adapter, requests: Requests, priority: Priority, number: int
) -> None:
    job = await erp.jobs.start("Invoices", priority=priority)

    info = json.loads(requests(START)[0].body)["startInfo"]
    assert (info["JobPriority"], info["SpecificPriorityValue"]) == (priority.value.capitalize(), number)
    assert job.priority is priority


async def test_without_a_priority_the_releases_own_counts(erp: Adapter, requests: Requests) -> None:
    await erp.jobs.start("Invoices")

    info = json.loads(requests(START)[0].body)["startInfo"]
    assert not {"JobPriority", "SpecificPriorityValue"} & set(info)


async def test_a_start_on_one_robot_is_accepted(erp: Adapter, requests: Requests) -> None:
    job = await erp.jobs.start("Invoices", options={"Strategy": "Specific", "RobotIds": [701]})

    assert job.state is JobState.PENDING
    assert "JobsCount" not in json.loads(requests(START)[0].body)["startInfo"]


@pytest.mark.parametrize(
    ("how", "kind", "sentence"),
    [
        ({"not_before": datetime(2040, 1, 1, tzinfo=UTC)}, UnsupportedError, "not_before; use a trigger"),
        ({"options": {"JobsCount": 2}}, UnsupportedError, "'JobsCount'; options are EntryPointPath"),
        ({"options": {"Reference": "mine"}}, UnsupportedError, "'Reference'"),
        ({"options": {"Strategy": "All"}}, InvalidError, "Strategy must be"),
        ({"options": {"Strategy": "Specific", "RobotIds": [1, 2]}}, InvalidError, "Strategy must be"),
        ({"inputs": {"text": "x" * 10_000}}, InvalidError, "at most 10000 fit"),
        ({"key": "k" * 129}, InvalidError, "at most 128 fit"),
    ],
)
async def test_what_uipath_cannot_do_is_refused_unsent(
    sandbox: Sandbox, erp: Adapter, how: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        await erp.jobs.start("Invoices", **how)
    assert sandbox.world.exchanges == []


async def test_half_a_character_is_refused_and_nothing_is_started(erp: Adapter, requests: Requests) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: erp.jobs.start("Invoices", key="k\ud800"),
        lambda: erp.jobs.start("Invoices\ud800"),
        lambda: erp.jobs.start("Invoices", {"text": "\ud800"}),
    ]
    for call in calls:
        with pytest.raises(InvalidError) as caught:
            await call()
        assert caught.value.delivery is Delivery.NOT_SENT
    assert requests(START) == []


async def test_the_beginning_of_time_is_a_time_to_look_from(erp: Adapter) -> None:
    job = await erp.jobs.start("Invoices")

    found: list[Job] = [one async for one in erp.jobs.find(since=datetime.min.replace(tzinfo=UTC))]

    assert [one.id for one in found] == [job.id]


async def test_a_state_that_uipath_does_not_have_is_not_asked_for(sandbox: Sandbox, erp: Adapter) -> None:
    assert [job async for job in erp.jobs.find(state=JobState.UNKNOWN)] == []
    assert sandbox.world.exchanges == []
