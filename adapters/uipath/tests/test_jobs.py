"""Starting jobs on UiPath: a key is one job, or the jobs of one start, whatever happens on the way."""

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
    JobState,
    NotFoundError,
    OutcomeUnknownError,
    Priority,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.errors import Delivery
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_uipath.adapter import LIMITS
from rpa_bridge_uipath.automations import UiPathAutomations
from rpa_bridge_uipath.jobs import UiPathJobs

START = "POST *StartJobs"
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

    with pytest.raises(ConflictError, match=f"2 jobs carry the key 'k-1', not 1: {first}, {second}; look at them"):
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
    script.answer(JOB | {"Id": 8, "Reference": "rb-id-1", "InputArguments": '{"n": 1}'})

    job = await scripted(script).start("Invoices")

    assert (job.id, job.key, job.inputs) == ("8", "rb-id-1", {"n": 1}), "a list's row may lack the inputs"
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


def swap_names(sandbox: Sandbox) -> None:
    """Gives each release the other's name, as when a new one takes the place of an old one."""
    face: Any = sandbox.faces["uipath"]
    for release in face._state.releases.values():
        release["Name"] = {"Invoices": "Letters", "Letters": "Invoices"}.get(release["Name"], release["Name"])


async def test_a_release_that_has_got_the_name_is_the_one_that_is_started(sandbox: Sandbox) -> None:
    clock = ManualClock()
    async with Bridge({"connections": sandbox.connections}, clock=clock, cache_dir=None) as bridge:
        erp = bridge["uipath"]
        await erp.jobs.start("Invoices")
        swap_names(sandbox)
        clock.advance(60)

        assert (await erp.jobs.start("Invoices")).automation == "Invoices"


async def test_a_start_of_a_release_that_was_renamed_this_minute_is_told_and_happens_once(
    sandbox: Sandbox, erp: Adapter, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    await erp.jobs.start("Invoices")
    assert caplog.records == []
    swap_names(sandbox)

    job = await erp.jobs.start("Invoices")
    assert job.automation == "Letters"
    assert "asked for 'Invoices', but the release that had this name a moment ago is now 'Letters'" in caplog.text
    assert f"was started: job {job.id};" in caplog.text
    assert started(requests) == 2

    assert (await erp.jobs.start("Invoices")).automation == "Invoices"


async def test_a_release_that_is_gone_is_not_found(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    await erp.jobs.start("Invoices")
    face: Any = sandbox.faces["uipath"]
    face._state.releases.clear()

    with pytest.raises(NotFoundError, match="no automation 'Invoices' in this folder"):
        await erp.jobs.start("Invoices")
    assert started(requests) == 1


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
        ({"options": {"JobsCount": 2}}, UnsupportedError, "'JobsCount'; options are AlertPendingExpression"),
        ({"options": {"Reference": "mine"}}, UnsupportedError, "'Reference'"),
        ({"options": {"Strategy": "All"}}, InvalidError, "Strategy must be"),
        ({"options": {"Strategy": "Specific", "RobotIds": [1, 2]}}, InvalidError, "Strategy must be"),
        ({"options": {"InputArguments": "{}"}}, UnsupportedError, "'InputArguments'"),
        ({"options": {"RunAsMe": "yes"}}, InvalidError, "option RunAsMe must be true or false"),
        ({"options": {"SpecificPriorityValue": True}}, InvalidError, "must be a whole number from 1 to 100"),
        ({"options": {"SpecificPriorityValue": 101}}, InvalidError, "must be a whole number from 1 to 100"),
        ({"options": {"MachineSessionIds": ["7"]}}, InvalidError, "must be a list of whole numbers"),
        ({"options": {"EnvironmentVariables": "K=" + "v" * 4000}}, InvalidError, "text of at most 4000 characters"),
        ({"options": {"StopStrategy": "Now"}}, InvalidError, "must be one of SoftStop, Kill"),
        ({"options": {"BatchExecutionKey": "mine"}}, InvalidError, "must be a GUID"),
        ({"options": {"Attachments": [{"category": "x"}]}}, InvalidError, "a list of objects with an attachmentId"),
        (
            {"options": {"MachineInfraTarget": {"at": object()}}},
            InvalidError,
            "must be an object",
        ),
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


async def test_every_option_reaches_the_platform_under_its_own_name(erp: Adapter, requests: Requests) -> None:
    options: dict[str, Any] = {
        "RuntimeType": "Unattended",
        "EnvironmentVariables": "LEVEL=1",
        "MachineRobots": [{"RobotId": 701}],
        "RequiresUserInteraction": False,
        "StopProcessExpression": "600",
        "StopStrategy": "SoftStop",
        "BatchExecutionKey": "12345678-1234-5678-1234-567812345678",
        "AutopilotForRobots": {"Enabled": True},
        "TraceId": "größer ☃",
    }

    await erp.jobs.start("Invoices", options=options)

    info = json.loads(requests(START)[0].body)["startInfo"]
    assert {name: info[name] for name in options} == options


async def test_a_secret_in_an_option_is_not_shown_when_it_is_refused(erp: Adapter) -> None:
    with pytest.raises(InvalidError) as caught:
        await erp.jobs.start("Invoices", options={"EnvironmentVariables": ["PASSWORD=hunter2"]})
    assert "hunter2" not in str(caught.value)


async def test_many_jobs_are_one_request_and_share_a_reference(erp: Adapter, requests: Requests) -> None:
    jobs = await erp.jobs.start_many("Invoices", 3, {"n": 1}, priority=Priority.HIGH)

    info = json.loads(requests(START)[0].body)["startInfo"]
    assert (info["Strategy"], info["JobsCount"]) == ("ModernJobsCount", 3)
    assert len(requests(START)) == 1
    assert len({job.id for job in jobs}) == 3
    assert {job.key for job in jobs} == {info["Reference"]}
    assert all(job.inputs == {"n": 1} for job in jobs)


async def test_many_with_a_key_are_started_once(erp: Adapter, requests: Requests) -> None:
    first = await erp.jobs.start_many("Invoices", 3, key="k-1")
    again = await asyncio.gather(*(erp.jobs.start_many("Invoices", 3, key="k-1") for _ in range(4)))

    assert {job.id for jobs in again for job in jobs} == {job.id for job in first}
    assert started(requests) == 1


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_a_key_of_another_number_of_jobs_is_a_conflict(erp: Adapter, requests: Requests, count: int) -> None:
    await erp.jobs.start_many("Invoices", 3, key="k-1")

    with pytest.raises(ConflictError, match=f"3 jobs carry the key 'k-1', not {count}: "):
        await erp.jobs.start_many("Invoices", count, key="k-1")
    assert started(requests) == 1


async def test_many_whose_answer_was_lost_are_found_and_never_started_again(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=START, when=When.AFTER))

    jobs = await erp.jobs.start_many("Invoices", 150, key="k-1")

    assert len({job.id for job in jobs}) == 150, "more than a page"
    assert len(requests(START)) == 1


async def test_many_that_appear_one_by_one_are_waited_for(script: Any) -> None:
    rows = [JOB | {"Id": number, "Reference": "rb-id-1"} for number in (7, 8)]
    script.page({"Id": 1, "Key": "r", "Name": "Invoices"})
    script.answer(status=502)
    script.page(rows[0])
    script.page(*rows)

    assert [job.id for job in await scripted(script).start_many("Invoices", 2)] == ["7", "8"]
    assert script.clock.slept == [0.5, 1.5]


async def test_many_of_which_only_some_are_found_are_unknown_and_named(script: Any) -> None:
    script.page({"Id": 1, "Key": "r", "Name": "Invoices"})
    script.answer(status=502)
    for _ in range(7):
        script.page(*(JOB | {"Id": number, "Reference": "rb-id-1"} for number in (7, 8)))

    with pytest.raises(OutcomeUnknownError, match=r"2 of 3 jobs with Reference 'rb-id-1' were seen \(7, 8\)"):
        await scripted(script).start_many("Invoices", 3)
    assert sum(one.path.endswith("StartJobs") for one in script.requests) == 1


@pytest.mark.parametrize("rows", [[7], [7, 7], [7, 8, 9]])
async def test_an_answer_with_another_number_of_jobs_is_not_believed(script: Any, rows: list[int]) -> None:
    script.page({"Id": 1, "Key": "r", "Name": "Invoices"})
    script.page(*(JOB | {"Id": number, "Reference": "rb-id-1"} for number in rows))
    script.page(*(JOB | {"Id": number, "Reference": "rb-id-1"} for number in (7, 8)))

    assert [job.id for job in await scripted(script).start_many("Invoices", 2)] == ["7", "8"]


@pytest.mark.parametrize(
    ("count", "options", "sentence"),
    [
        (0, {}, "from 1 to 1000 jobs"),
        (-1, {}, "from 1 to 1000 jobs"),
        (1001, {}, "from 1 to 1000 jobs"),
        (2, {"Strategy": "Specific", "RobotIds": [1, 2]}, "Strategy must be ModernJobsCount"),
        (2, {"Strategy": "JobsCount"}, "Strategy must be ModernJobsCount"),
    ],
)
async def test_many_that_cannot_be_counted_are_refused_unsent(
    sandbox: Sandbox, erp: Adapter, count: int, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidError, match=sentence):
        await erp.jobs.start_many("Invoices", count, options=options)
    assert sandbox.world.exchanges == []
