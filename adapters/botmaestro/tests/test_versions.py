"""What an older server lacks: asked once, refused by name, and never a hindrance where nobody can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from rpa_bridge import Adapter, Feature, ItemDraft, JobState, NotFoundError, UnsupportedError
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.client import SINCE, ServerVersion

Requests = Callable[[str], list[Exchange]]
VERSION = "GET */maestro/version"
JSON = {"Content-Type": "application/json"}
SECRET = SecretStr("canary-4711-secret")


def is_version(sandbox: Sandbox, version: str) -> None:
    sandbox.world.switches["botmaestro.version"] = version


async def test_the_version_is_asked_for_once_and_only_when_something_hangs_on_it(
    maestro: Adapter, requests: Requests
) -> None:
    await maestro.jobs.get((await maestro.jobs.start("Invoices")).id)
    assert not requests(VERSION)

    await asyncio.gather(maestro.queues.get("Invoices"), maestro.queues.add("Invoices", ItemDraft(values={})))
    await maestro.credentials.reveal("erp")

    assert len(requests(VERSION)) == 1
    assert not {"token", "organization"} & requests(VERSION)[0].headers.keys()


async def test_what_an_older_server_lacks_is_refused_with_both_versions(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    is_version(sandbox, "3.0.1")

    with pytest.raises(UnsupportedError) as caught:
        await maestro.queues.add("Invoices", ItemDraft(values={}))

    assert str(caught.value) == (
        "botmaestro does not support queues.add; it needs a server of version 3.0.2, and this one has 3.0.1: "
        "have it updated"
    )
    assert [one.path for one in requests("*")] == ["/api/v2/maestro/version"], "not even a log-in"
    assert (await maestro.credentials.put("erp", {"user": SECRET})).name == "erp"


async def test_before_3_a_credential_can_be_made_and_added_to_but_not_changed(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    is_version(sandbox, "2.9.9")
    await maestro.credentials.put("bank", {"user": SECRET})
    await maestro.credentials.put("bank", {"pin": SECRET})
    writes = len(requests("POST */credential*"))

    with pytest.raises(UnsupportedError, match=r"credentials\.put of a field that is there; .*3\.0\.0"):
        await maestro.credentials.put("bank", {"pin": SecretStr("canary-4712-other")})
    with pytest.raises(UnsupportedError, match=r"credentials\.delete; .*3\.0\.0"):
        await maestro.credentials.delete("bank", key="pin")

    assert len(requests("POST */credential*")) == writes == 2
    assert set((await maestro.credentials.reveal("bank")).fields) == {"user", "pin"}


async def test_before_2_a_task_that_waits_can_be_stopped_and_one_that_runs_cannot(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    is_version(sandbox, "1.8.0")
    job = await maestro.jobs.start("Invoices")
    sandbox.world.lifecycle.seconds = 1000
    sandbox.world.clock.advance(600)

    with pytest.raises(UnsupportedError, match=r"jobs\.stop of a running task; .*2\.0\.0"):
        await maestro.jobs.stop(job.id)
    assert not requests("POST */task/*")

    sandbox.world.lifecycle.hold = True
    waiting = await maestro.jobs.start("Invoices")
    assert (await maestro.jobs.stop(waiting.id)).state is JobState.FINISHED
    with pytest.raises(UnsupportedError, match=r"incidents\.report"):
        await maestro.incidents.report(ValueError("no amount"), job=job.id)
    with pytest.raises(UnsupportedError, match=r"incidents\.find"):
        _ = [one async for one in maestro.incidents.find()]


async def test_capabilities_lose_what_the_server_lacks_once_its_version_is_known(
    sandbox: Sandbox, maestro: Adapter, requests: Requests
) -> None:
    is_version(sandbox, "1.8.0")
    everything = maestro.capabilities
    assert not requests("*")

    with pytest.raises(UnsupportedError):
        await maestro.credentials.reveal("erp")

    gone = everything.features - maestro.capabilities.features
    assert {one.partition(".")[0] for one in gone} == {"credentials", "incidents", "queues"}
    assert Feature.JOB_STOP in maestro.capabilities, "a task that waits can still be cancelled"
    assert everything.limits.reads_secrets
    assert not maestro.capabilities.limits.reads_secrets


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.STATUS, match=VERSION, times=99, status=404, headers=JSON, body="{}"),
        Fault(FaultKind.STATUS, match=VERSION, times=99, status=503, headers=JSON, body="{}"),
        Fault(FaultKind.STATUS, match=VERSION, times=99, status=200, headers=JSON, body='{"version": "newest"}'),
        Fault(FaultKind.STATUS, match=VERSION, times=99, status=200, headers=JSON, body='{"version": null}'),
        Fault(FaultKind.HTML, match=VERSION, times=99),
    ],
    ids=["unknown", "broken", "no number", "null", "web page"],
)
async def test_a_version_that_cannot_be_read_hinders_nobody_and_is_not_asked_for_again(
    sandbox: Sandbox, maestro: Adapter, requests: Requests, fault: Fault
) -> None:
    sandbox.world.faults.add(fault)

    await maestro.queues.get("Invoices")
    asked = len(requests(VERSION))
    await maestro.queues.get("Letters")

    assert len(requests(VERSION)) == asked
    assert Feature.QUEUE_FIND in maestro.capabilities


async def test_an_old_server_that_hides_its_version_answers_for_itself(sandbox: Sandbox, maestro: Adapter) -> None:
    is_version(sandbox, "3.0.1")
    sandbox.world.faults.add(Fault(FaultKind.HTML, match=VERSION))

    with pytest.raises(NotFoundError):
        await maestro.queues.get("Invoices")


@pytest.mark.parametrize(
    ("told", "lacks"),
    [
        ("3.0.1", True),
        ("3.0.2", False),
        ("3.0.10", False),
        ("3.0.2-RC1", False),
        ("3.1", False),
        ("3", True),
        ("v2.9.9", True),
        ("10.0.0", False),
        ("999.0.0", False),
        ("", False),
        ("newest", False),
        ("3.0.1٣", True),
    ],
)
async def test_versions_are_compared_as_numbers(script: Any, told: str, lacks: bool) -> None:
    version = ServerVersion(script, told)

    assert (await version.lacks("queues.get") is not None) is lacks


def test_every_gate_is_a_noun_or_a_verb_that_there_is(maestro_verbs: frozenset[str]) -> None:
    for what in SINCE:
        noun, _, verb = what.partition(" ")[0].partition(".")
        assert noun in {one.partition(".")[0] for one in maestro_verbs}
        assert not verb or f"{noun}.{verb}" in maestro_verbs


@pytest.fixture
def maestro_verbs(maestro: Adapter) -> frozenset[str]:
    return frozenset(maestro.capabilities.features)
