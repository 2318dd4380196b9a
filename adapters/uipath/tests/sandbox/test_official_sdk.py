"""UiPath's own SDK from PyPI against the face: the second witness's witness."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from uipath.platform.attachments import Attachment
from uipath.platform.errors import EnrichedException
from uipath.platform.orchestrator.queues import CommitType

from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.lifecycle import Ending
from rpa_bridge.testing import SandboxThread

NOWHERE = "11111111-aaaa-4111-8111-111111111111"


@pytest.fixture
async def queues(sdk: Any) -> AsyncIterator[Any]:
    service = sdk.queues
    yield service
    await service.aclose()


@pytest.fixture
async def processes(sdk: Any) -> AsyncIterator[Any]:
    service = sdk.processes
    yield service
    await service.aclose()
    await sdk.attachments.aclose()


@pytest.fixture
async def jobs(sdk: Any) -> AsyncIterator[Any]:
    service = sdk.jobs
    yield service
    await service.aclose()


async def test_it_starts_a_job_and_sees_it_end(processes: Any, jobs: Any) -> None:
    started = processes.invoke("Invoices", {"month": "2026-10"}, run_as_me=True, entry_point_path="Main.xaml")
    assert (started.state, started.source_type) == ("Pending", "AgentService")
    job = jobs.retrieve(started.key)
    assert (job.id, job.state) == (started.id, "Successful")
    assert json.loads(jobs.extract_output(job)) == {"month": "2026-10"}
    assert [one.key for one in jobs.list(filter="State eq 'Successful'", orderby="Id").items] == [started.key]


async def test_it_starts_jobs_without_waiting_and_in_a_folder_with_other_letters(processes: Any, jobs: Any) -> None:
    started = await processes.invoke_async("Letters", folder_path="Büro")
    job = await jobs.retrieve_async(started.key, folder_path="Büro")
    assert job.state == "Successful"
    listed = await jobs.list_async(folder_path="Büro")
    assert [one.key for one in listed.items] == [started.key]


async def test_it_sends_large_inputs_as_a_file_and_reads_large_outputs_from_one(processes: Any, jobs: Any) -> None:
    inputs = {"text": "ä" * 20_000}
    started = processes.invoke("Invoices", inputs)
    assert (started.input_arguments, UUID(started.input_file).version) == (None, 4)
    job = jobs.retrieve(started.key)
    assert job.output_arguments is None
    assert json.loads(jobs.extract_output(job)) == inputs
    again = await processes.invoke_async("Invoices", inputs)
    assert json.loads(await jobs.extract_output_async(await jobs.retrieve_async(again.key))) == inputs


async def test_it_gives_a_job_its_attachments(sdk: Any, processes: Any, jobs: Any) -> None:
    key = sdk.attachments.upload(name="letter.txt", content="Büro")
    attachment = Attachment(ID=key, FullName="letter.txt", MimeType="text/plain")
    started = processes.invoke("Letters", attachments=[attachment])
    assert jobs.list_attachments(job_key=UUID(started.key)) == [str(key)]


async def test_it_stops_jobs_by_their_keys(served: SandboxThread, processes: Any, jobs: Any) -> None:
    served.world.lifecycle.hold = True
    first, second = processes.invoke("Invoices"), await processes.invoke_async("Letters")
    jobs.stop(job_keys=[first.key, first.key], strategy="Kill")
    await jobs.stop_async(job_keys=[second.key])
    assert [jobs.retrieve(one.key).state for one in (first, second)] == ["Stopped", "Stopped"]
    with pytest.raises(LookupError):
        jobs.stop(job_keys=[first.key, NOWHERE])


async def test_it_says_when_there_is_no_such_job(processes: Any, jobs: Any) -> None:
    started = processes.invoke("Letters")
    assert (jobs.exists(started.key), await jobs.exists_async(NOWHERE)) == (True, False)
    with pytest.raises(LookupError, match=NOWHERE):
        jobs.retrieve(NOWHERE)


async def test_it_sees_why_a_job_failed_and_restarts_it(served: SandboxThread, processes: Any, jobs: Any) -> None:
    """Its `Job` reads `JobError` in either case: the names of its own fields are the definition's."""
    served.world.lifecycle.endings["Invoices"] = Ending("failed", "no such file")
    old = jobs.retrieve(processes.invoke("Invoices", {"n": 1}).key)
    assert (old.state, old.info, old.job_error.title) == ("Faulted", "no such file", "no such file")
    served.world.lifecycle.endings.clear()
    new, newer = jobs.restart(job_key=old.key), await jobs.restart_async(job_key=old.key)
    assert len({old.key, new.key, newer.key}) == 3
    assert json.loads(jobs.retrieve(new.key).output_arguments) == {"n": 1}


async def test_it_wakes_suspended_jobs_with_a_payload(served: SandboxThread, processes: Any, jobs: Any) -> None:
    served.world.switches["uipath.suspend_automation"] = "Invoices"
    first, second = processes.invoke("Invoices"), processes.invoke("Invoices")
    assert [jobs.retrieve(one.key).state for one in (first, second)] == ["Suspended", "Suspended"]
    jobs.resume(job_id=first.id, payload={"approved": True})
    await jobs.resume_async(job_id=second.id, payload="yes")
    assert json.loads(jobs.retrieve(first.key).output_arguments) == {"payload": {"approved": True}}
    assert jobs.retrieve(second.key).state == "Successful"
    with pytest.raises(LookupError, match="No inbox"):
        jobs.resume(job_id=1, payload={})


async def test_it_starts_a_job_twice_when_the_answer_is_lost(served: SandboxThread, processes: Any, jobs: Any) -> None:
    """A defect of the SDK: it repeats every request after a 5xx, starts too. docs: uipath.md 5.5"""
    served.world.faults.add(
        Fault(FaultKind.STATUS, match="POST *StartJobs", when=When.AFTER, headers={"Retry-After": "0"})
    )
    processes.invoke("Invoices")
    assert len(jobs.list().items) == 2


async def test_it_adds_and_lists_queue_items(queues: Any) -> None:
    added = queues.create_item({"SpecificContent": {"amount": 3}, "Reference": "r-1"}, queue_name="Invoices")
    await queues.create_item_async({"SpecificContent": {}, "Reference": "r-2"}, queue_name="Letters")
    listed = queues.list_items("Invoices")
    assert [item["Id"] for item in listed["value"]] == [added["Id"]]
    assert len((await queues.list_items_async())["value"]) == 2


async def test_it_does_not_escape_the_names_of_queues(queues: Any) -> None:
    """A defect of the SDK: a quote ends the text of its filter. docs: uipath.md 7, 28"""
    with pytest.raises(EnrichedException, match="1000"):
        queues.list_items("O'Brien")


async def test_it_adds_many_items_and_leaves_the_failures_to_its_caller(queues: Any) -> None:
    items = [{"SpecificContent": {"n": n}, "Reference": reference} for n, reference in enumerate("aab")]
    answer = queues.create_items(items, "Letters", CommitType.PROCESS_ALL_INDEPENDENTLY)
    assert (answer["Success"], [one["Ordinal"] for one in answer["FailedItems"]]) == (False, [2])
    answer = await queues.create_items_async(items[:1], "Letters", CommitType.ALL_OR_NOTHING)
    assert (answer["Success"], answer["FailedItems"][0]["ErrorCode"]) == (False, "DuplicateReference")
    assert len(queues.list_items("Letters")["value"]) == 2


async def test_it_works_transactions_although_it_stumbles_over_empty_answers(queues: Any) -> None:
    """A defect of the SDK: it reads JSON where a success has no body, and raises when all went well."""
    for amount in (3, 4):
        queues.create_item({"SpecificContent": {"amount": amount}}, queue_name="Invoices")
    taken = queues.create_transaction_item({}, queue_name="Invoices", no_robot=True)
    assert (taken["Status"], taken["SpecificContent"]) == ("InProgress", {"amount": 3})
    with pytest.raises(json.JSONDecodeError):
        queues.update_progress_of_transaction_item(str(taken["Id"]), "half")
    with pytest.raises(json.JSONDecodeError):
        queues.complete_transaction_item(str(taken["Id"]), {"IsSuccessful": True, "Output": {"total": 3}})
    other = await queues.create_transaction_item_async({}, queue_name="Invoices", no_robot=True)
    error = {"Reason": "no amount", "Type": "BusinessException"}
    with pytest.raises(json.JSONDecodeError):
        await queues.complete_transaction_item_async(
            str(other["Id"]), {"IsSuccessful": False, "ProcessingException": error}
        )
    done, failed = queues.list_items("Invoices")["value"]
    assert (done["Status"], done["Progress"], done["Output"]) == ("Successful", "half", {"total": 3})
    assert (failed["Status"], failed["ProcessingException"]["Reason"]) == ("Failed", "no amount")


async def test_it_cannot_tell_an_empty_queue_from_a_broken_answer(queues: Any) -> None:
    """A defect of the SDK: the 204 of an empty queue has no body either."""
    with pytest.raises(json.JSONDecodeError):
        queues.create_transaction_item({}, queue_name="Invoices", no_robot=True)


async def test_it_takes_items_as_a_robot(served: SandboxThread, queues: Any) -> None:
    """Without a robot's key it refuses to ask, unless it is told that there is no robot."""
    served.world.switches["uipath.robot_identifier_required"] = True
    queues.create_item({"SpecificContent": {}}, queue_name="Invoices")
    with pytest.raises(ValueError, match="Robot key"):
        queues.create_transaction_item({}, queue_name="Invoices")
    with pytest.raises(EnrichedException, match="RobotIdentifier"):
        queues.create_transaction_item({}, queue_name="Invoices", no_robot=True)
    taken = queues.create_transaction_item({"RobotIdentifier": NOWHERE}, queue_name="Invoices", no_robot=True)
    assert taken["RobotId"] is not None
