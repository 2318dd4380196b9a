"""Jobs that are suspended, resumed, restarted, and stopped in company."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rpa_bridge.sandbox.lifecycle import Ending

ACTION = "/odata/Jobs/UiPath.Server.Configuration.OData."
NOWHERE = "11111111-aaaa-4111-8111-111111111111"


async def _job(wire: Any, job: Any) -> Any:
    return (await wire.ask("GET", f"/odata/Jobs({job['Id']})", status=200)).body


async def _state(wire: Any, job: Any) -> str:
    return str((await _job(wire, job))["State"])


async def _resume(wire: Any, key: str, status: int = 200, **more: Any) -> Any:
    return await wire.ask("POST", f"{ACTION}ResumeJob", {"jobKey": key} | more, status=status)


async def _suspended(wire: Any, **info: Any) -> Any:
    wire.world.switches["uipath.suspend_automation"] = "Invoices"
    job = await wire.start(**info)
    assert await _state(wire, job) == "Suspended"
    return job


async def test_a_suspended_job_sleeps_until_it_is_resumed_and_then_runs_on(wire: Any) -> None:
    wire.world.switches["uipath.suspend_automation"] = "Invoices"
    wire.world.lifecycle.looks = 2
    job = await wire.start(InputArguments='{"n": 1}')
    assert [await _state(wire, job) for _ in range(5)] == ["Pending", "Running", *["Suspended"] * 3]
    sleeping = await _job(wire, job)
    assert sleeping["PersistenceId"] is not None
    assert sleeping["EndTime"] is None
    resumed = (await _resume(wire, job["Key"], inputArguments='{"approved": true}')).body
    assert (resumed["Id"], resumed["State"], resumed["ResumeVersion"]) == (job["Id"], "Resumed", 1)
    assert resumed["ResumeTime"] is not None
    assert [await _state(wire, job) for _ in range(3)] == ["Resumed", "Running", "Successful"]
    done = await _job(wire, job)
    assert json.loads(done["OutputArguments"]) == {"n": 1, "approved": True}
    assert done["StartTime"] == sleeping["StartTime"]


async def test_a_job_may_be_suspended_more_than_once(wire: Any) -> None:
    wire.world.switches["uipath.suspensions"] = 2
    job = await _suspended(wire)
    await _resume(wire, job["Key"])
    assert await _state(wire, job) == "Suspended"
    assert (await _resume(wire, job["Key"])).body["ResumeVersion"] == 2
    assert await _state(wire, job) == "Successful"
    other = (await wire.ask("GET", "/odata/Jobs", query={"$filter": "State eq '7'"}, status=200)).values
    assert other == []


async def test_only_a_suspended_job_is_resumed_and_only_once(wire: Any) -> None:
    job = await _suspended(wire)
    await _resume(wire, job["Key"])
    assert (await _resume(wire, job["Key"], 409)).code == 1017
    assert (await _resume(wire, NOWHERE, 404)).code == 1002
    assert (await _resume(wire, job["Key"], 400, inputArguments="[]")).code == 1009
    assert (await wire.ask("POST", f"{ACTION}ResumeJob", {}, status=400)).code == 1009
    assert (await wire.ask("POST", f"{ACTION}ResumeJob", {"jobId": job["Id"]}, status=400)).code == 0


async def test_older_servers_resume_without_inputs(wire: Any) -> None:
    job = await _suspended(wire)
    wire.world.switches["uipath.resume_inputs"] = False
    assert (await _resume(wire, job["Key"], 400, inputArguments="{}")).code == 0
    assert await _state(wire, job) == "Suspended"
    await _resume(wire, job["Key"])


async def test_a_payload_in_its_inbox_wakes_a_job_once(wire: Any) -> None:
    job = await _suspended(wire)
    (trigger,) = (await wire.ask("GET", "/odata/JobTriggers", query={"$filter": f"JobId eq {job['Id']}"})).values
    by_key = f"/odata/JobTriggers/UiPath.Server.Configuration.OData.GetByJobKey(jobKey={job['Key']})"
    assert (await wire.ask("GET", by_key, status=200)).values == [trigger]
    path = f"/api/JobTriggers/DeliverPayload/{trigger['ItemKey']}"
    payload = f"/api/JobTriggers/GetPayload/{trigger['ItemKey']}"
    await wire.ask("GET", payload, status=404)
    assert (await wire.ask("POST", path, {"payload": "x" * 4000}, status=400)).code == 1009
    await wire.ask("POST", path, {"payload": "yes"}, status=202)
    await wire.ask("POST", path, {"payload": "no"}, status=208)
    assert (await wire.ask("GET", payload, status=200)).body == {"payload": "yes"}
    assert json.loads((await _job(wire, job))["OutputArguments"]) == {"payload": "yes"}
    await wire.ask("POST", f"/api/JobTriggers/DeliverPayload/{NOWHERE}", {}, status=404)


async def test_a_suspended_job_that_is_stopped_cannot_be_woken(wire: Any) -> None:
    job = await _suspended(wire)
    (trigger,) = (await wire.ask("GET", "/odata/JobTriggers", status=200)).values
    await wire.ask("POST", f"{ACTION}StopJobs", {"strategy": "SoftStop", "jobIds": [job["Id"]]}, status=200)
    assert await _state(wire, job) == "Stopped"
    assert (await _resume(wire, job["Key"], 409)).code == 1017
    await wire.ask("POST", f"/api/JobTriggers/DeliverPayload/{trigger['ItemKey']}", {}, status=208)
    assert await _state(wire, job) == "Stopped"


async def test_a_finished_job_is_restarted_as_a_new_one_with_the_same_inputs(wire: Any) -> None:
    wire.world.lifecycle.endings["Invoices"] = Ending("failed", "no")
    old = await wire.start(InputArguments='{"n": 1}', Reference="k-1", JobPriority="High", EntryPointPath="B.xaml")
    assert await _state(wire, old) == "Faulted"
    wire.world.lifecycle.endings.clear()
    new = (await wire.ask("POST", f"{ACTION}RestartJob", {"jobId": old["Id"]}, status=200)).body
    assert new["Id"] > old["Id"]
    assert new["Key"] != old["Key"]
    assert new["BatchExecutionKey"] != old["BatchExecutionKey"]
    assert (new["State"], new["InputArguments"], new["JobPriority"]) == ("Pending", '{"n": 1}', "High")
    assert (new["Reference"], new["EntryPointPath"], new["JobError"]) == (None, "B.xaml", None)
    assert [await _state(wire, job) for job in (old, new)] == ["Faulted", "Successful"]
    wire.world.switches["uipath.restart_keeps_reference"] = True
    again = (await wire.ask("POST", f"{ACTION}RestartJob", {"jobId": old["Id"]}, status=200)).body
    assert again["Reference"] == "k-1"


async def test_only_finished_jobs_are_restarted(wire: Any) -> None:
    wire.world.lifecycle.hold = True
    job = await wire.start()
    answer = await wire.ask("POST", f"{ACTION}RestartJob", {"jobId": job["Id"]}, status=409)
    assert (answer.code, "CannotRestartUnfinishedJob" in answer.body["message"]) == (1017, True)
    assert (await wire.ask("POST", f"{ACTION}RestartJob", {"jobId": 1}, status=404)).code == 1002
    assert (await wire.ask("POST", f"{ACTION}RestartJob", {"jobKey": job["Key"]}, status=400)).code == 0
    finance = wire.in_folder(FolderPath="Finance")
    await wire.ask("POST", f"{ACTION}RestartJob", {"jobId": job["Id"]}, headers=finance, status=404)
    assert len((await wire.ask("GET", "/odata/Jobs")).values) == 1


async def test_jobs_are_stopped_together_each_as_its_state_allows(wire: Any) -> None:
    done = await wire.start()
    assert await _state(wire, done) == "Successful"
    wire.world.lifecycle.looks = 9
    running, waiting = await wire.start(), await wire.start()
    while await _state(wire, running) != "Running":
        assert await _state(wire, waiting)
    wire.world.lifecycle.hold = True
    body = {"strategy": "Kill", "jobIds": [done["Id"], running["Id"], waiting["Id"], running["Id"]]}
    await wire.ask("POST", f"{ACTION}StopJobs", body, status=200)
    assert await _state(wire, done) == "Successful"
    assert await _state(wire, running) == "Terminating"
    soft = {"strategy": "SoftStop", "jobIds": [running["Id"]]}
    await wire.ask("POST", f"{ACTION}StopJobs", soft, status=200)
    assert await _state(wire, running) == "Terminating", "a kill is not taken back"


@pytest.mark.parametrize(("skips", "status", "state"), [(False, 404, "Pending"), (True, 200, "Stopped")])
async def test_an_unknown_job_among_others_stops_nothing_unless_it_is_skipped(
    wire: Any, skips: bool, status: int, state: str
) -> None:
    wire.world.lifecycle.hold = True
    wire.world.switches["uipath.stop_skips_unknown"] = skips
    job = await wire.start()
    body = {"strategy": "Kill", "jobIds": [job["Id"], 1]}
    await wire.ask("POST", f"{ACTION}StopJobs", body, status=status)
    assert await _state(wire, job) == state
