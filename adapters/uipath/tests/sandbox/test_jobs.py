from __future__ import annotations

import json
from typing import Any

import pytest

from rpa_bridge.sandbox.lifecycle import Ending

START = "/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs"
STOP = "/odata/Jobs/UiPath.Server.Configuration.OData.StopJobs"


async def _state(wire: Any, job: Any) -> str:
    answer = await wire.ask("GET", f"/odata/Jobs({job['Id']})", status=200)
    return str(answer.body["State"])


async def _refused(wire: Any, status: int, code: int, **info: Any) -> Any:
    answer = await wire.ask("POST", START, {"startInfo": {"ReleaseName": "Invoices"} | info}, status=status)
    assert answer.code == code
    assert (await wire.ask("GET", "/odata/Jobs")).values == []
    return answer


async def test_a_job_waits_and_is_over_when_it_is_looked_at(wire: Any) -> None:
    started = await wire.start(InputArguments='{"month": "2026-10"}', Reference="r-1", JobPriority="High")
    assert (started["State"], started["ReleaseName"], started["Reference"]) == ("Pending", "Invoices", "r-1")
    assert started["EndTime"] is None
    job = (await wire.ask("GET", f"/odata/Jobs({started['Id']})", status=200)).body
    assert (job["State"], job["JobPriority"]) == ("Successful", "High")
    assert json.loads(job["OutputArguments"]) == {"month": "2026-10"}
    assert job["CreationTime"] <= job["StartTime"] <= job["EndTime"]
    assert (job["Key"], job["Id"]) == (started["Key"], started["Id"])


async def test_a_job_starts_by_the_releases_key_before_its_name(wire: Any) -> None:
    letters = (await wire.ask("GET", "/odata/Releases", query={"$filter": "Name eq 'Letters'"})).values[0]
    job = await wire.start(ReleaseKey=letters["Key"])
    assert job["ReleaseName"] == "Letters"
    info = {"ReleaseKey": "11111111-aaaa-4111-8111-111111111111", "ReleaseName": "Invoices"}
    assert (await wire.ask("POST", START, {"startInfo": info}, status=404)).code == 1002


async def test_an_unknown_release_is_a_404(wire: Any) -> None:
    await _refused(wire, 404, 1002, ReleaseName="Invoces")


async def test_a_release_of_another_folder_is_unknown_here(wire: Any) -> None:
    finance = wire.in_folder(FolderPath="Finance")
    release = (await wire.ask("GET", "/odata/Releases", headers=finance)).values[0]
    await _refused(wire, 404, 1002, ReleaseKey=release["Key"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"StartInfo": {"ReleaseName": "Invoices"}},
        {"startInfo": {"ReleaseName": "Invoices"}, "beside": 1},
        {"startInfo": None},
        {"startInfo": {"ReleaseName": "Invoices", "Inputs": "{}"}},
        {"startInfo": {"ReleaseName": "Invoices", "InputArguments": {"month": 1}}},
        {"startInfo": {"ReleaseName": "Invoices", "JobPriority": "Urgent"}},
        {"startInfo": {"ReleaseName": "Invoices", "JobsCount": "2"}},
        {"startInfo": {"ReleaseName": "Invoices", "RunAsMe": "yes"}},
        {"startInfo": {"ReleaseName": "Invoices", "BatchExecutionKey": "none"}},
    ],
)
async def test_a_body_that_cannot_be_bound_is_a_misleading_400(wire: Any, body: Any) -> None:
    answer = await wire.ask("POST", START, body, status=400)
    assert (answer.code, answer.body["message"]) == (0, "startInfo must not be null")


@pytest.mark.parametrize("text", ["[]", "3", "{", '"text"'])
async def test_inputs_are_json_of_an_object(wire: Any, text: str) -> None:
    await _refused(wire, 400, 1009, InputArguments=text)


async def test_inputs_and_references_have_a_limit(wire: Any) -> None:
    await wire.start(InputArguments=json.dumps({"x": "y" * 9990}), Reference="r" * 128)
    await wire.ask("POST", START, {"startInfo": {"ReleaseName": "Invoices", "Reference": "r" * 129}}, status=400)
    inputs = json.dumps({"x": "y" * 10_000})
    answer = await wire.ask("POST", START, {"startInfo": {"ReleaseName": "Invoices", "InputArguments": inputs}})
    assert (answer.status, answer.code) == (400, 1009)


async def test_a_start_may_be_refused_for_want_of_a_machine(wire: Any) -> None:
    wire.world.switches["uipath.start_refusal"] = 2818
    await _refused(wire, 409, 2818)


async def test_jobs_move_on_by_looks(wire: Any) -> None:
    wire.world.lifecycle.looks = 2
    job = await wire.start()
    assert [await _state(wire, job) for _ in range(4)] == ["Pending", "Running", "Successful", "Successful"]


async def test_jobs_move_on_by_time(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.world.lifecycle.seconds = 10
    job = await wire.start()
    states = [await _state(wire, job)]
    for _ in range(2):
        wire.world.clock.advance(5)
        states.append(await _state(wire, job))
    assert states == ["Pending", "Running", "Successful"]


async def test_a_list_counts_as_a_look_at_what_it_shows(wire: Any) -> None:
    wire.world.lifecycle.looks = 2
    shown, hidden = await wire.start(), await wire.start()
    for _ in range(2):
        await wire.ask("GET", "/odata/Jobs", query={"$filter": f"Id eq {shown['Id']}"}, status=200)
    assert await _state(wire, shown) == "Successful"
    assert await _state(wire, hidden) == "Pending"


async def test_held_jobs_stay_where_they_are(wire: Any) -> None:
    wire.world.lifecycle.looks = 2
    job = await wire.start()
    await _state(wire, job)
    assert await _state(wire, job) == "Running"
    wire.world.lifecycle.hold = True
    assert [await _state(wire, job) for _ in range(3)] == ["Running"] * 3


async def test_a_job_can_be_told_to_fault(wire: Any) -> None:
    wire.world.lifecycle.endings["Invoices"] = Ending("failed", "no such file")
    job = (await wire.ask("GET", f"/odata/Jobs({(await wire.start())['Id']})")).body
    assert (job["State"], job["Info"], job["OutputArguments"]) == ("Faulted", "no such file", None)
    assert (job["ErrorCode"], job["JobError"]["title"]) == ("Robot", "no such file")
    wire.world.switches["uipath.job_error_capitals"] = True
    job = (await wire.ask("GET", f"/odata/Jobs({(await wire.start())['Id']})")).body
    assert job["JobError"]["Title"] == "no such file"


async def test_outputs_can_be_chosen(wire: Any) -> None:
    wire.world.lifecycle.endings["*"] = Ending(outputs={"total": 3, "name": "Ä"})
    job = (await wire.ask("GET", f"/odata/Jobs({(await wire.start())['Id']})")).body
    assert json.loads(job["OutputArguments"]) == {"total": 3, "name": "Ä"}


async def test_jobs_are_found_by_what_clients_ask(wire: Any) -> None:
    first, second = await wire.start(Reference="O'Brien"), await wire.start()
    for condition in ("Reference eq 'O''Brien'", f"Key eq {first['Key']}", f"Id in ({first['Id']},1)"):
        answer = await wire.ask("GET", "/odata/Jobs", query={"$filter": condition}, status=200)
        assert [job["Id"] for job in answer.values] == [first["Id"]]
    query = {"$filter": f"Key in ('{second['Key']}')", "$select": "Id,Key", "$top": "1"}
    answer = await wire.ask("GET", "/odata/Jobs", query=query, status=200)
    assert answer.values == [{"Id": second["Id"], "Key": second["Key"]}]
    answer = await wire.ask("GET", "/odata/Jobs", query={"$filter": "State eq '5'", "$count": "true"}, status=200)
    assert answer.body["@odata.count"] == 2
    assert (await wire.ask("GET", "/odata/Jobs", query={"$top": "1001"}, status=400)).code == 1000


async def test_a_job_is_joined_with_its_release_and_robot(wire: Any) -> None:
    job = await wire.start()
    path = f"/odata/Jobs({job['Id']})"
    joined = (await wire.ask("GET", path, query={"$expand": "Release,Robot,Machine"}, status=200)).body
    assert (joined["Release"]["Name"], joined["Robot"]["Name"]) == ("Invoices", "robot-701")
    assert joined["Machine"]["Name"] == joined["HostMachineName"]
    assert "Release" not in (await wire.ask("GET", path)).body
    found = await wire.ask("GET", "/odata/Jobs", query={"$filter": "Release/ProcessKey eq 'Acme.Invoices'"}, status=200)
    assert len(found.values) == 1
    assert (await wire.ask("GET", path, query={"$expand": "Environment"}, status=400)).code == 1000


async def test_a_job_is_found_by_its_key_with_or_without_a_folder(wire: Any) -> None:
    job = await wire.start()
    path = f"/odata/Jobs/UiPath.Server.Configuration.OData.GetByKey(identifier={job['Key']})"
    for headers in (wire.headers, wire.in_folder()):
        assert (await wire.ask("GET", path, headers=headers, status=200)).body["Id"] == job["Id"]
    assert (await wire.ask("GET", path, headers=wire.in_folder(FolderPath="Finance"), status=404)).code == 1002
    wire.world.switches["uipath.job_by_key_needs_folder"] = True
    assert (await wire.ask("GET", path, headers=wire.in_folder(), status=400)).code == 1101


async def test_a_job_of_another_folder_is_not_seen(wire: Any) -> None:
    job = await wire.start()
    finance = wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("GET", "/odata/Jobs", headers=finance)).values == []
    assert (await wire.ask("GET", f"/odata/Jobs({job['Id']})", headers=finance, status=404)).code == 1002
    answer = await wire.ask("POST", STOP, {"strategy": "Kill", "jobIds": [job["Id"]]}, headers=finance, status=404)
    assert answer.code == 1002


async def _running(wire: Any) -> Any:
    wire.world.lifecycle.looks = 2
    job = await wire.start()
    await _state(wire, job)
    assert await _state(wire, job) == "Running"
    return job


@pytest.mark.parametrize(
    ("strategy", "between"),
    [("SoftStop", "Stopping"), ("Kill", "Terminating"), ("1", "Stopping"), ("2", "Terminating")],
)
async def test_a_running_job_stops_in_two_steps(wire: Any, strategy: str, between: str) -> None:
    job = await _running(wire)
    answer = await wire.ask("POST", STOP, {"strategy": strategy, "jobIds": [job["Id"]]}, status=200)
    assert answer.body == ""
    assert [await _state(wire, job) for _ in range(3)] == [between, between, "Stopped"]


async def test_a_job_that_time_has_ended_is_past_stopping(wire: Any) -> None:
    wire.world.lifecycle.seconds = 10
    job = await wire.start()
    wire.world.clock.advance(11)
    await wire.ask("POST", STOP, {"strategy": "Kill", "jobIds": [job["Id"]]}, status=200)
    assert await _state(wire, job) == "Successful"


async def test_one_job_is_stopped_by_its_own_address(wire: Any) -> None:
    job = await _running(wire)
    path = f"/odata/Jobs({job['Id']})/UiPath.Server.Configuration.OData.StopJob"
    await wire.ask("POST", path, {"strategy": "Kill"}, status=200)
    assert await _state(wire, job) == "Terminating"
    assert (await wire.ask("POST", path, {}, status=400)).code == 1009


async def test_a_waiting_job_is_cancelled_at_once(wire: Any) -> None:
    wire.world.lifecycle.looks = 9
    job = await wire.start()
    await wire.ask("POST", STOP, {"strategy": "SoftStop", "jobIds": [job["Id"]]}, status=200)
    assert await _state(wire, job) == "Stopped"


async def test_a_soft_stop_may_be_ignored_and_a_kill_may_not(wire: Any) -> None:
    wire.world.switches["uipath.soft_stop_ignored"] = True
    polite, killed = await _running(wire), await _running(wire)
    await wire.ask("POST", STOP, {"strategy": "SoftStop", "jobIds": [polite["Id"]]}, status=200)
    await wire.ask("POST", STOP, {"strategy": "Kill", "jobIds": [killed["Id"]]}, status=200)
    for _ in range(2):
        await wire.ask("GET", "/odata/Jobs")
    assert (await _state(wire, polite), await _state(wire, killed)) == ("Successful", "Stopped")


async def test_stopping_a_job_that_is_over_changes_nothing(wire: Any) -> None:
    job = await wire.start()
    assert await _state(wire, job) == "Successful"
    body = {"strategy": "Kill", "jobIds": [job["Id"]]}
    await wire.ask("POST", STOP, body, status=200)
    wire.world.switches["uipath.stop_finished_refused"] = True
    assert (await wire.ask("POST", STOP, body, status=409)).code == 1017
    assert await _state(wire, job) == "Successful"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"strategy": "Kill", "jobIds": [1]}, 404, 1002),
        ({"strategy": "Kill"}, 400, 1009),
        ({"jobIds": [40001]}, 400, 1009),
        ({"strategy": "Softly", "jobIds": [40001]}, 400, 0),
        ({"strategy": "Kill", "jobIds": ["40001"]}, 400, 0),
        ({"strategy": "Kill", "jobKeys": []}, 400, 0),
    ],
)
async def test_a_wrong_stop_is_refused(wire: Any, body: Any, status: int, code: int) -> None:
    assert (await wire.ask("POST", STOP, body, status=status)).code == code


async def test_unordered_lists_may_be_shuffled(wire: Any) -> None:
    info = {"ReleaseName": "Invoices", "Strategy": "ModernJobsCount", "JobsCount": 50}
    await wire.ask("POST", START, {"startInfo": info}, status=201)
    wire.world.switches["uipath.unordered_is_shuffled"] = True
    loose = [job["Id"] for job in (await wire.ask("GET", "/odata/Jobs")).values]
    assert loose != sorted(loose)
