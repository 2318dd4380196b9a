"""UiPath's own SDK from PyPI against the face: the second witness's witness."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from uipath.platform import UiPath

from rpa_bridge.testing import SandboxThread


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(["uipath"]) as running:
        yield running


def _token(settings: Any) -> str:
    """The SDK logs in at the vendor's own addresses only, so that its token comes from here."""
    client = HTTPConnection(urlsplit(settings["url"]).netloc)
    form = {"grant_type": "client_credentials"} | settings["auth"]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    client.request("POST", "/identity_/connect/token", urlencode(form), headers)
    token = json.load(client.getresponse())["access_token"]
    client.close()
    return str(token)


@pytest.fixture
def sdk(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("UIPATH_FOLDER_KEY", raising=False)
    monkeypatch.delenv("UIPATH_JOB_KEY", raising=False)
    monkeypatch.setenv("UIPATH_FOLDER_PATH", "Shared")
    settings = sandbox.connections["uipath"]
    return UiPath(base_url=settings["url"].removesuffix("/orchestrator_"), secret=_token(settings))


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
    started = processes.invoke("Invoices", {"month": "2026-10"})
    assert started.state == "Pending"
    job = jobs.retrieve(started.key)
    assert (job.id, job.state) == (started.id, "Successful")
    assert json.loads(job.output_arguments) == {"month": "2026-10"}
    assert [one.key for one in jobs.list(filter="State eq 'Successful'", orderby="Id").items] == [started.key]


async def test_it_starts_jobs_without_waiting_and_in_a_folder_with_other_letters(processes: Any, jobs: Any) -> None:
    started = await processes.invoke_async("Letters", folder_path="Büro")
    job = await jobs.retrieve_async(started.key, folder_path="Büro")
    assert job.state == "Successful"


async def test_it_stops_a_job_by_its_key(sandbox: SandboxThread, processes: Any, jobs: Any) -> None:
    sandbox.world.lifecycle.hold = True
    started = processes.invoke("Invoices")
    jobs.stop(job_keys=[started.key], strategy="Kill")
    assert jobs.retrieve(started.key).state == "Stopped"


async def test_it_adds_and_lists_queue_items(queues: Any) -> None:
    added = queues.create_item({"SpecificContent": {"amount": 3}, "Reference": "r-1"}, queue_name="Invoices")
    queues.create_item({"SpecificContent": {}, "Reference": "r-2"}, queue_name="Letters")
    listed = queues.list_items("Invoices")
    assert [item["Id"] for item in listed["value"]] == [added["Id"]]
    assert len((await queues.list_items_async())["value"]) == 2


async def test_it_works_a_transaction_although_it_stumbles_over_the_empty_answer(queues: Any) -> None:
    queues.create_item({"SpecificContent": {"amount": 3}}, queue_name="Invoices")
    taken = queues.create_transaction_item({}, queue_name="Invoices", no_robot=True)
    assert (taken["Status"], taken["SpecificContent"]) == ("InProgress", {"amount": 3})
    with pytest.raises(json.JSONDecodeError):
        queues.complete_transaction_item(str(taken["Id"]), {"IsSuccessful": True, "Output": {"total": 3}})
    (done,) = queues.list_items("Invoices")["value"]
    assert (done["Status"], done["Output"]) == ("Successful", {"total": 3})
