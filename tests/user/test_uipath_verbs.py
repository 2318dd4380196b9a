"""The table of verbs in docs/uipath.md holds: each sends the requests, and needs the scopes, that its row names."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote
from zipfile import ZipFile

import pytest
from pydantic import SecretStr

from rpa_bridge import Adapter, Bridge, DeniedError, ItemDraft, JobState
from rpa_bridge.contract.features import features_of
from rpa_bridge.contract.queues import Failure, FailureKind, Item, QueueDraft
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock

T = TypeVar("T")
Prepare = Callable[[Adapter, Sandbox], Awaitable[Any]]
Do = Callable[[Adapter, Any], Awaitable[Any]]

PAGE = Path(__file__).parents[2] / "docs" / "uipath.md"
USELESS = "OR.Audit.Read"
"""A scope that opens none of our requests."""
BASE = "/acme/default/orchestrator_"
FILE = "bucket:5001:2026/october.txt"
LATER = datetime(2040, 1, 1, tzinfo=UTC)
FAULT = Failure(kind=FailureKind.BUSINESS, reason="the invoice has no number")
ITEM = ItemDraft(values={"number": "4711"}, reference="INV-4711")
QUEUE = QueueDraft(name="Claims", retries=2)
LOGIN = {"username": SecretStr("rpa"), "password": SecretStr("verbs-canary")}
HOOK = "https://hooks.example.com/rpa"


class Row(NamedTuple):
    """A verb's row."""

    requests: list[str]
    scopes: list[str]


def rows_of_the_page() -> dict[str, Row]:
    """What the page says of each verb; one that comes in several kinds has a row for each."""
    found = {}
    for line in PAGE.read_text().splitlines():
        verb, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        named = re.fullmatch(r"`(\w+\.\w+)`(, .+)?", verb)
        if named and len(cells) == 3:
            requests, scopes = (re.findall(r"`([^`]+)`", cell) for cell in cells[:2])
            found[named[1] + (named[2] or "")] = Row(requests, scopes)
    return found


async def everything(found: AsyncIterator[T]) -> list[T]:
    return [one async for one in found]


async def first(found: AsyncIterator[T]) -> T:
    return (await everything(found))[0]


async def content(opened: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> bytes:
    async with opened as pieces:
        return b"".join([piece async for piece in pieces])


async def nothing(_boss: Adapter, _sandbox: Sandbox) -> None:
    """The sandbox is born with what the verb needs."""


async def waiting_job(boss: Adapter, sandbox: Sandbox) -> str:
    sandbox.world.lifecycle.hold = True
    return (await boss.jobs.start("Invoices")).id


async def finished_job(boss: Adapter, _sandbox: Sandbox) -> str:
    return (await boss.jobs.wait(await boss.jobs.start("Invoices"))).id


async def suspended_job(boss: Adapter, sandbox: Sandbox) -> str:
    sandbox.world.switches["uipath.suspend_automation"] = "Invoices"
    job = await boss.jobs.start("Invoices")
    assert (await boss.jobs.get(job.id)).state is JobState.SUSPENDED
    return job.id


async def attachment(boss: Adapter, sandbox: Sandbox) -> str:
    return (await boss.artifacts.upload("a.txt", b"a", job=await finished_job(boss, sandbox))).id


async def job_with_file(boss: Adapter, sandbox: Sandbox) -> str:
    job = await finished_job(boss, sandbox)
    await boss.artifacts.upload("a.txt", b"a", job=job)
    return job


async def new_item(boss: Adapter, _sandbox: Sandbox) -> Item:
    return await boss.queues.add("Invoices", ITEM)


async def taken_item(boss: Adapter, sandbox: Sandbox) -> Item:
    await new_item(boss, sandbox)
    item = await boss.queues.take("Invoices")
    assert item is not None
    return item


async def failed_item(boss: Adapter, sandbox: Sandbox) -> Item:
    item = await taken_item(boss, sandbox)
    await boss.queues.fail(item, FAULT)
    return item


async def package(boss: Adapter, _sandbox: Sandbox) -> Any:
    return await first(boss.automations.packages())


async def webhook(boss: Adapter, _sandbox: Sandbox) -> str:
    return (await boss.webhooks.create("ops", HOOK)).name


def nupkg() -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as packed:
        packed.writestr("a.nuspec", "<package><metadata><id>Acme.New</id><version>1.0.0</version></metadata></package>")
    return file.getvalue()


VERBS: dict[str, tuple[Prepare, Do]] = {
    "automations.find": (nothing, lambda erp, _: first(erp.automations.find())),
    "automations.get": (nothing, lambda erp, _: erp.automations.get("Invoices")),
    "automations.schema": (nothing, lambda erp, _: erp.automations.schema("Invoices")),
    "automations.packages": (nothing, lambda erp, _: first(erp.automations.packages())),
    "automations.open_package": (package, lambda erp, one: content(erp.automations.open_package(one))),
    "automations.upload_package": (nothing, lambda erp, _: erp.automations.upload_package(nupkg())),
    "jobs.start": (nothing, lambda erp, _: erp.jobs.start("Invoices")),
    "jobs.start, with a key": (nothing, lambda erp, _: erp.jobs.start("Invoices", key="invoices-2026-10")),
    "jobs.start, large inputs": (nothing, lambda erp, _: erp.jobs.start("Invoices", {"text": "x" * 10_000})),
    "jobs.start_many": (nothing, lambda erp, _: erp.jobs.start_many("Invoices", 3)),
    "jobs.get": (waiting_job, lambda erp, job: erp.jobs.get(job)),
    "jobs.find": (waiting_job, lambda erp, _: first(erp.jobs.find())),
    "jobs.stop": (waiting_job, lambda erp, job: erp.jobs.stop(job)),
    "jobs.restart": (finished_job, lambda erp, job: erp.jobs.restart(job)),
    "jobs.resume": (suspended_job, lambda erp, job: erp.jobs.resume(job)),
    "queues.find": (nothing, lambda erp, _: first(erp.queues.find())),
    "queues.get": (nothing, lambda erp, _: erp.queues.get("Invoices")),
    "queues.create": (nothing, lambda erp, _: erp.queues.create(QUEUE)),
    "queues.update": (nothing, lambda erp, _: erp.queues.update("Invoices", QUEUE)),
    "queues.delete": (nothing, lambda erp, _: erp.queues.delete("Letters")),
    "queues.stats": (nothing, lambda erp, _: erp.queues.stats("Invoices")),
    "queues.items": (new_item, lambda erp, _: first(erp.queues.items("Invoices"))),
    "queues.get_item": (new_item, lambda erp, item: erp.queues.get_item("Invoices", item.id)),
    "queues.add": (nothing, lambda erp, _: erp.queues.add("Invoices", ITEM)),
    "queues.add_many": (nothing, lambda erp, _: erp.queues.add_many("Invoices", [ITEM])),
    "queues.take": (new_item, lambda erp, _: erp.queues.take("Invoices")),
    "queues.complete": (taken_item, lambda erp, item: erp.queues.complete(item)),
    "queues.fail": (taken_item, lambda erp, item: erp.queues.fail(item, FAULT)),
    "queues.progress": (taken_item, lambda erp, item: erp.queues.progress(item, "half")),
    "queues.postpone": (new_item, lambda erp, item: erp.queues.postpone(item, LATER)),
    "queues.remove": (new_item, lambda erp, item: erp.queues.remove(item)),
    "queues.retry": (failed_item, lambda erp, item: erp.queues.retry(item)),
    "assets.find": (nothing, lambda erp, _: first(erp.assets.find())),
    "assets.get": (nothing, lambda erp, _: erp.assets.get("Currency")),
    "assets.put": (nothing, lambda erp, _: erp.assets.put("Currency", "CHF")),
    "assets.delete": (nothing, lambda erp, _: erp.assets.delete("Currency")),
    "credentials.find": (nothing, lambda erp, _: first(erp.credentials.find())),
    "credentials.reveal": (nothing, lambda erp, _: erp.credentials.reveal("SAP")),
    "credentials.put": (nothing, lambda erp, _: erp.credentials.put("SAP", LOGIN)),
    "credentials.delete": (nothing, lambda erp, _: erp.credentials.delete("SAP")),
    "artifacts.find": (nothing, lambda erp, _: first(erp.artifacts.find(container="Reports"))),
    "artifacts.find, of a job": (job_with_file, lambda erp, job: first(erp.artifacts.find(job=job))),
    "artifacts.open": (nothing, lambda erp, _: content(erp.artifacts.open(FILE))),
    "artifacts.open, of a job": (attachment, lambda erp, file: content(erp.artifacts.open(file))),
    "artifacts.upload": (nothing, lambda erp, _: erp.artifacts.upload("a.txt", b"a", container="Reports")),
    "artifacts.upload, to a job": (finished_job, lambda erp, job: erp.artifacts.upload("a.txt", b"a", job=job)),
    "artifacts.delete": (nothing, lambda erp, _: erp.artifacts.delete(FILE)),
    "artifacts.delete, of a job": (attachment, lambda erp, file: erp.artifacts.delete(file)),
    "robots.find": (nothing, lambda erp, _: first(erp.robots.find())),
    "robots.get": (nothing, lambda erp, _: erp.robots.get("robot-701")),
    "robots.machines": (nothing, lambda erp, _: first(erp.robots.machines())),
    "logs.find": (nothing, lambda erp, _: everything(erp.logs.find())),
    "logs.find, of a job": (finished_job, lambda erp, job: first(erp.logs.find(job=job))),
    "alerts.send": (nothing, lambda erp, _: erp.alerts.send("Invoices", "they are late")),
    "alerts.find": (nothing, lambda erp, _: everything(erp.alerts.find())),
    "folders.find": (nothing, lambda erp, _: first(erp.folders.find())),
    "folders.get": (nothing, lambda erp, _: erp.folders.get("Shared")),
    "schedules.find": (nothing, lambda erp, _: first(erp.schedules.find())),
    "webhooks.find": (webhook, lambda erp, _: first(erp.webhooks.find())),
    "webhooks.create": (nothing, lambda erp, _: erp.webhooks.create("ops", HOOK)),
    "webhooks.ping": (webhook, lambda erp, name: erp.webhooks.ping(name)),
    "webhooks.delete": (webhook, lambda erp, name: erp.webhooks.delete(name)),
}
"""How each row of the page is tried: what must be there before, and the verb itself."""


def as_written(exchange: Exchange) -> str:
    """A request as the page writes it: without the base, the query, UiPath's long prefixes and the values."""
    path = unquote(exchange.path.partition("?")[0])
    if not path.startswith(BASE):
        return f"{exchange.method} storage"
    path = path.removeprefix(BASE).removeprefix("/odata")
    path = re.sub(r"UiPath\.Server\.Configuration\.OData\.|UiPathODataSvc\.", "", path)
    path = re.sub(r"\(([0-9]+|[0-9a-f-]{36})\)", "(id)", path)
    path = re.sub(r"='[^']*'", "", path)
    return f"{exchange.method} {re.sub(r'/[0-9]+/', '/id/', path).removeprefix('/')}"


def offered(adapter: Adapter) -> set[str]:
    """The verbs that the adapter has."""
    found = set[str]()
    for service in adapter.services:
        if not service.is_absent:
            required = {name for base in type(service).__mro__ for name in getattr(base, "__abstractmethods__", ())}
            found |= {f"{service.noun}.{name}" for name in required} | set(features_of(type(service)))
    return found


async def test_each_verb_of_the_adapter_has_a_row_and_each_row_is_tried(bridge: Bridge) -> None:
    rows = rows_of_the_page()

    assert {verb.partition(",")[0] for verb in rows} == offered(bridge["uipath"])
    assert rows.keys() == VERBS.keys()


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_needs_the_scopes_of_its_row_and_sends_its_requests(
    verb: str, sandbox: Sandbox, clock: ManualClock
) -> None:
    row, (prepare, do) = rows_of_the_page()[verb], VERBS[verb]
    full = sandbox.connections["uipath"]
    key = sandbox.faces["uipath"].dump()["tables"]["robot keys"]["701"]["Key"]

    def with_scopes(*scopes: str) -> dict[str, Any]:
        return full | {"robot_key": key, "auth": full["auth"] | {"scope": " ".join([USELESS, *scopes])}}

    connections = {f"without {scope}": with_scopes(*(set(row.scopes) - {scope})) for scope in row.scopes}
    connections |= {"boss": full, "erp": with_scopes(*row.scopes)}
    async with Bridge({"connections": connections}, clock=clock, cache_dir=None) as bridge:
        prepared = await prepare(bridge["boss"], sandbox)
        for scope in row.scopes:
            with pytest.raises(DeniedError):
                await do(bridge[f"without {scope}"], prepared)
        await bridge["erp"].fetch_login()
        before = len(sandbox.world.exchanges)
        await do(bridge["erp"], prepared)

    sent = [as_written(one) for one in sandbox.world.exchanges[before:]]
    assert list(dict.fromkeys(sent)) == row.requests
