"""What a start may ask for, and what becomes visible of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import ClientSession

from rpa_bridge.sandbox.lifecycle import Ending

ACTION = "/odata/Jobs/UiPath.Server.Configuration.OData."
NOWHERE = "11111111-aaaa-4111-8111-111111111111"


async def _start(wire: Any, status: int = 201, **info: Any) -> Any:
    return await wire.ask(
        "POST", f"{ACTION}StartJobs", {"startInfo": {"ReleaseName": "Invoices"} | info}, status=status
    )


async def _refused(wire: Any, status: int, code: int, **info: Any) -> str:
    answer = await _start(wire, status, **info)
    assert answer.code == code
    assert (await wire.ask("GET", "/odata/Jobs")).values == []
    return str(answer.body["message"])


async def _uploaded(wire: Any, content: bytes) -> str:
    """The id of a new attachment."""
    attachment = (await wire.ask("POST", "/odata/Attachments", {"Name": "in.json"}, status=201)).body
    access = attachment["BlobFileAccess"]
    headers = dict(zip(access["Headers"]["Keys"], access["Headers"]["Values"], strict=True))
    async with ClientSession() as session, session.put(access["Uri"], data=content, headers=headers) as response:
        assert response.ok
    return str(attachment["Id"])


async def _content_of(wire: Any, attachment_id: str) -> Any:
    access = (await wire.ask("GET", f"/odata/Attachments({attachment_id})", status=200)).body["BlobFileAccess"]
    async with ClientSession() as session, session.get(access["Uri"]) as response:
        return json.loads(await response.read())


async def _job(wire: Any, job: Any) -> Any:
    return (await wire.ask("GET", f"/odata/Jobs({job['Id']})", status=200)).body


async def _robot(wire: Any) -> Any:
    return (await wire.ask("GET", "/odata/Robots", status=200)).values[0]


async def test_several_jobs_of_one_start_share_reference_and_batch(wire: Any) -> None:
    batch = "22222222-aaaa-4111-8111-111111111111"
    info: dict[str, Any] = {
        "Strategy": "ModernJobsCount",
        "JobsCount": 3,
        "Reference": "k-1",
        "BatchExecutionKey": batch,
    }
    jobs = (await _start(wire, **info)).values
    assert len({job["Id"] for job in jobs}) == len({job["Key"] for job in jobs}) == 3
    assert {(job["Reference"], job["BatchExecutionKey"]) for job in jobs} == {("k-1", batch)}
    other = (await _start(wire, JobsCount=2)).values
    assert len({job["BatchExecutionKey"] for job in other}) == 1


@pytest.mark.parametrize(
    "info",
    [
        {"Strategy": "All"},
        {"Strategy": "RobotCount", "NoOfRobots": 1},
        {"Strategy": "ModernJobsCount", "JobsCount": 0},
        {"Strategy": "Specific", "JobsCount": 2},
        {"Strategy": "Specific"},
        {"Strategy": "Specific", "RobotIds": [1]},
        {"Strategy": "ModernJobsCount", "RobotIds": [701]},
        {"Strategy": "ModernJobsCount", "MachineRobots": [{"MachineId": 1}]},
        {"Strategy": "ModernJobsCount", "MachineRobots": [{}]},
        {"NoOfRobots": 1},
        {"EnvironmentVariables": "x" * 4001},
        {"SpecificPriorityValue": 101},
        {"Attachments": [{"category": "in"}]},
    ],
)
async def test_what_does_not_go_together_is_refused(wire: Any, info: dict[str, Any]) -> None:
    await _refused(wire, 400, 1009, **info)


async def test_folders_of_other_kinds_refuse_other_strategies(wire: Any) -> None:
    robot = await _robot(wire)
    assert await _refused(wire, 400, 1009, Strategy="All") == "StrategyNotAvailableInModernFolder"
    wire.world.switches["uipath.refused_strategies"] = ["Specific"]
    assert await _refused(wire, 400, 1009, Strategy="Specific", RobotIds=[robot["Id"]])
    assert len((await _start(wire, Strategy="All")).values) == 1
    assert len((await _start(wire, Strategy="RobotCount", NoOfRobots=2)).values) == 2


async def test_a_start_may_choose_its_robot(wire: Any) -> None:
    robot = await _robot(wire)
    pair = {"MachineId": robot["MachineId"], "RobotId": robot["Id"], "RobotUserName": robot["Username"]}
    for info, count in (
        ({"Strategy": "Specific", "RobotIds": [robot["Id"]]}, 1),
        ({"Strategy": "ModernJobsCount", "JobsCount": 2, "MachineRobots": [pair]}, 2),
        ({"Strategy": "Specific", "MachineRobots": [{"MachineName": robot["MachineName"]}]}, 1),
    ):
        wire.world.lifecycle.hold = True
        jobs = (await _start(wire, **info)).values
        assert len(jobs) == count
        query = {"$expand": "Robot,Machine"}
        shown = (await wire.ask("GET", f"/odata/Jobs({jobs[0]['Id']})", query=query, status=200)).body
        assert (shown["Robot"]["Id"], shown["Machine"]["Id"]) == (robot["Id"], robot["MachineId"])
    free = (await _start(wire)).values[0]
    shown = (await wire.ask("GET", f"/odata/Jobs({free['Id']})", query={"$expand": "Robot"}, status=200)).body
    assert shown["Robot"] is None


@pytest.mark.parametrize(
    ("info", "word", "number"),
    [
        ({}, "Normal", 45),
        ({"JobPriority": "High"}, "High", 65),
        ({"SpecificPriorityValue": 10}, "Low", 10),
        ({"JobPriority": "Low", "SpecificPriorityValue": 90}, "High", 90),
    ],
)
async def test_the_priority_is_a_number_and_a_word_that_follows_it(
    wire: Any, info: Any, word: str, number: int
) -> None:
    job = (await _start(wire, **info)).values[0]
    assert (job["JobPriority"], job["SpecificPriorityValue"]) == (word, number)


async def test_a_job_shows_how_it_was_started(wire: Any) -> None:
    info: dict[str, Any] = {
        "RuntimeType": "NonProduction",
        "EntryPointPath": "Other.xaml",
        "EnvironmentVariables": "A=1\nB=ä",
        "Source": "CommandLine",
        "RequiresUserInteraction": True,
        "TraceId": "t-1",
    }
    job = (await _start(wire, **info)).values[0]
    assert {name: job[name] for name in info} == info
    condition = {"$filter": "RuntimeType eq 'NonProduction' and SourceType eq 'CommandLine'"}
    assert len((await wire.ask("GET", "/odata/Jobs", query=condition, status=200)).values) == 1
    wire.world.switches["uipath.entry_points"] = ["Main.xaml"]
    assert (await _start(wire, 400, EntryPointPath="Other.xaml")).code == 1009
    await _start(wire, EntryPointPath="Main.xaml")


@pytest.mark.parametrize(
    "info",
    [
        {"RuntimeType": "Sleepy"},
        {"Source": "Nobody"},
        {"MachineRobots": [{"Machine": 1}]},
        {"Attachments": [{"AttachmentId": NOWHERE}]},
        {"VideoRecordingSettings": {"VideoRecordingType": "Some"}},
        {"InputFile": "in.json"},
    ],
)
async def test_members_of_members_are_bound_as_strictly(wire: Any, info: dict[str, Any]) -> None:
    await _refused(wire, 400, 0, **info)


async def test_large_inputs_come_from_an_attachment(wire: Any) -> None:
    inputs = {"long": "ä" * 20_000}
    attachment_id = await _uploaded(wire, json.dumps(inputs).encode())
    started = (await _start(wire, InputFile=attachment_id)).values[0]
    assert (started["InputFile"], started["InputArguments"]) == (attachment_id, None)
    job = await _job(wire, started)
    assert (job["State"], job["OutputArguments"]) == ("Successful", None)
    assert await _content_of(wire, job["OutputFile"]) == inputs


async def test_inputs_must_be_there_and_a_json_object_and_in_one_place(wire: Any) -> None:
    await _refused(wire, 404, 1002, InputFile=NOWHERE)
    await _refused(wire, 404, 1002, Attachments=[{"attachmentId": NOWHERE}])
    await _refused(wire, 400, 1009, InputFile=await _uploaded(wire, b"[1]"))
    await _refused(wire, 400, 1009, InputFile=await _uploaded(wire, b"\xff"))
    await _refused(wire, 400, 1009, InputFile=await _uploaded(wire, b"{}"), InputArguments="{}")


async def test_attachments_are_linked_to_the_jobs_that_get_them(wire: Any) -> None:
    attachment_id = await _uploaded(wire, b"a file")
    for job in (await _start(wire, JobsCount=2, Attachments=[{"attachmentId": attachment_id}])).values:
        linked = await wire.ask("GET", "/api/JobAttachments/GetByJobKey", query={"jobKey": job["Key"]}, status=200)
        assert [one["attachmentId"] for one in linked.body] == [attachment_id]


@pytest.mark.parametrize("switch", [{"uipath.old_robot": True}, {"uipath.attachments": False}])
async def test_long_outputs_are_lost_without_a_word_where_there_is_no_file_for_them(wire: Any, switch: Any) -> None:
    wire.world.lifecycle.endings["*"] = Ending(outputs={"long": "x" * 10_240})
    job = await _job(wire, (await _start(wire)).values[0])
    assert job["OutputArguments"] is None
    assert job["OutputFile"] is not None
    wire.world.switches |= switch
    job = await _job(wire, (await _start(wire)).values[0])
    assert (job["State"], job["OutputArguments"], job["OutputFile"]) == ("Successful", None, None)


async def test_a_start_can_be_tried_without_starting(wire: Any) -> None:
    path = f"{ACTION}ValidateDynamicJob"
    good = {"startInfo": {"ReleaseName": "Invoices"}}
    answer = await wire.ask("POST", path, good, status=200)
    assert answer.body == {"IsValid": True, "Errors": [], "ErrorCodes": []}
    assert (await wire.ask("POST", path, {"startInfo": {"ReleaseName": "Invoces"}}, status=404)).code == 1002
    assert (await wire.ask("POST", path, {"startInfo": {"Release": "Invoices"}}, status=400)).code == 0
    wire.world.switches["uipath.start_refusal"] = 2818
    answer = await wire.ask("POST", path, good, status=200)
    assert (answer.body["IsValid"], answer.body["ErrorCodes"]) == (False, ["TemplateNoRuntime"])
    assert (await wire.ask("GET", "/odata/Jobs")).values == []
    wire.world.switches["uipath.start_refusal"] = None
    job = (await _start(wire)).values[0]
    path = f"/odata/Jobs({job['Id']})/UiPath.Server.Configuration.OData.ValidateExistingJob"
    assert (await wire.ask("POST", path, status=200)).body["IsValid"] is True


async def test_a_job_may_wait_with_a_reason_that_ends_when_it_runs(wire: Any) -> None:
    wire.world.switches["uipath.pending_error"] = "TemplateNoHostsAvailable"
    wire.world.lifecycle.looks = 2
    started = (await _start(wire)).values[0]
    assert started["ErrorCode"] == "TemplateNoHostsAvailable"
    seen = [await _job(wire, started) for _ in range(3)]
    assert [(job["State"], job["ErrorCode"]) for job in seen] == [
        ("Pending", "TemplateNoHostsAvailable"),
        ("Running", None),
        ("Successful", None),
    ]
