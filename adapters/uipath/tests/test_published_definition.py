"""Every request that the adapter sends is one that UiPath's published definition knows.

The definition itself is not shipped: where it lies beside the checkout it is used, elsewhere the facts that we took
from it are (method, path and body members of each operation).
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from rpa_bridge import Bridge, ConflictError, Failure, FailureKind, ItemDraft, ItemState, JobState, Priority
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock

DEFINITION = Path(__file__).parents[4] / "shared" / "vendors" / "uipath-orchestrator.openapi.json"
BASE = "/acme/default/orchestrator_"
ACTION = "UiPath.Server.Configuration.OData."
FACTS: dict[str, set[str]] = {  # docs: UiPath.WebApi 20.0, the operations that this adapter uses
    "GET /odata/Releases": set(),
    "GET /odata/Jobs": set(),
    "GET /odata/Jobs(0)": set(),
    f"POST /odata/Jobs/{ACTION}StartJobs": {"startInfo"},
    f"POST /odata/Jobs/{ACTION}StopJobs": {"strategy", "jobIds"},
    "GET /odata/QueueDefinitions": set(),
    "GET /odata/QueueItems": set(),
    "GET /odata/QueueItems(0)": set(),
    "POST /odata/Queues/UiPathODataSvc.AddQueueItem": {"itemData"},
    "POST /odata/Queues/UiPathODataSvc.StartTransaction": {"transactionData"},
    "POST /odata/Queues(0)/UiPathODataSvc.SetTransactionResult": {"transactionResult"},
}


async def everything_the_adapter_can_do(bridge: Bridge, sandbox: Sandbox) -> None:
    """Each verb, with every argument that changes what is sent."""
    erp = bridge["uipath"]
    await erp.check()
    automations = [one async for one in erp.automations.find()]
    await erp.automations.get(automations[0].name)
    sandbox.world.lifecycle.hold = True
    job = await erp.jobs.start(
        "Invoices",
        {"month": "O'Brien & Söhne"},
        key="k-1",
        priority=Priority.HIGH,
        options={"RuntimeType": "Unattended"},
    )
    await erp.jobs.start("Invoices", key="k-1")
    await erp.jobs.get(str(job.raw_data["Key"]))
    await erp.jobs.stop(job.id, force=True)
    await erp.jobs.stop((await erp.jobs.start("Letters")).id)
    async for _ in erp.jobs.find(automation="Invoices", state=JobState.FINISHED, key="k-1", since=job.created_at):
        await erp.jobs.get(job.id)
    moment = sandbox.world.clock.now()
    _ = [one async for one in erp.queues.find()]
    await erp.queues.add(
        "Letters", ItemDraft(values={"n": 1, "t": "x", "b": True}, reference="R-1", not_before=moment, due_at=moment)
    )
    with suppress(ConflictError):
        await erp.queues.add("Letters", ItemDraft(values={"n": 1}, reference="R-1", priority=Priority.LOW))
    await erp.queues.add("Invoices", ItemDraft(values={"n": 1}))
    await erp.queues.add("Invoices", ItemDraft(values={"n": 2}))
    for outcome in ("done", "failed"):
        item = await erp.queues.take("Invoices")
        assert item is not None
        if outcome == "done":
            await erp.queues.complete(item, {"paid": "yes"})
        else:
            await erp.queues.fail(item, Failure(kind=FailureKind.BUSINESS, reason="no", detail="because"))
    await erp.queues.take("Invoices")
    async for item in erp.queues.items("Letters", state=ItemState.NEW, reference="R-1"):
        await erp.queues.get_item("Letters", item.id)


@pytest.fixture
async def sent() -> AsyncIterator[list[Exchange]]:
    """What reached the sandbox's API."""
    async with Sandbox(["uipath"]) as sandbox:
        clock = ManualClock(sandbox.world.clock.now())
        async with Bridge({"connections": sandbox.connections}, clock=clock, cache_dir=None) as bridge:
            await everything_the_adapter_can_do(bridge, sandbox)
        exchanges = [one for one in sandbox.world.exchanges if one.path.startswith(BASE)]
        assert len(exchanges) == len(sandbox.world.exchanges) - 1, "all but the log-in go to the API"
        yield exchanges


def operation(exchange: Exchange) -> str:
    """Method and path, with numbers in parentheses as 0."""
    path = urlsplit(exchange.path).path.removeprefix(BASE)
    return f"{exchange.method} {re.sub(r'[(][0-9]+[)]', '(0)', path)}"


def test_every_request_is_an_operation_whose_facts_we_know(sent: list[Exchange]) -> None:
    assert {operation(one) for one in sent} == set(FACTS)
    for one in sent:
        body: dict[str, Any] = json.loads(one.body) if one.body else {}
        assert set(body) == FACTS[operation(one)]
        assert one.headers.get("x-uipath-folderpath") == "Shared"


@pytest.mark.skipif(not DEFINITION.exists(), reason="the published definition does not lie beside this checkout")
def test_every_request_validates_against_the_published_definition(sent: list[Exchange]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own: it does not know one of the definition's security schemes
        from openapi_core import Config, OpenAPI
        from openapi_core.testing import MockRequest

        published = json.loads(DEFINITION.read_text(encoding="utf-8")) | {"servers": [{"url": "/"}]}
        definition = OpenAPI.from_dict(published, config=Config(spec_validator_cls=None))
        for one in sent:
            parts = urlsplit(one.path)
            request = MockRequest(
                "http://localhost",
                one.method.lower(),
                unquote(parts.path.removeprefix(BASE)),
                args=dict(parse_qsl(parts.query)),
                headers={"Authorization": "Bearer sandbox"},
                data=one.body.encode() if one.body else None,
                content_type="application/json",
            )
            definition.validate_request(request)
