"""The two ends of a migration: platforms of the test's own, filled with what people keep there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rpa_bridge.bridge import Bridge
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.assets import AssetValue
from rpa_bridge.contract.features import Feature, FilePlace
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Field, ItemDraft, QueueDraft
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.selection import Selection
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock

PLATFORMS = ("uipath", "botmaestro", "local")
PAIRS = [(source, target) for source in PLATFORMS for target in PLATFORMS]
SETTLE_WINDOW = 5.0

QUEUE, ONCE = "Move letters", "Move 'once' é"
"""A queue with all that items can have; and one that takes each reference once, where the platform has such."""
CREDENTIAL = "Move login"
ASSETS: dict[str, AssetValue] = {"Move rate": "12,5", "Move count": 4711, "Move dry": True}
FILES = {"october.csv": b"a;b\n1;2\n", "sub/november.pdf": b"%PDF-1.4 binary \x00\xff"}
CONTAINER, AUTOMATION = "Invoices", "Invoices"
"""A bucket and an automation with which sandboxes are born."""
SECRETS = {"username": "move-user", "password": "move-canary-61c9e0"}
EVERYTHING = Selection(queues=("Move*",), assets=("Move*",), credentials=("Move*",), artifacts=("**",))
START = datetime(2031, 5, 6, 7, 8, 9, 500_000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class End:
    """One platform, reached through one connection."""

    adapter: Adapter
    sandbox: Sandbox | None
    """None for the local one."""

    def effects(self) -> list[str]:
        """The requests that changed something there, logins apart."""
        sent = [] if self.sandbox is None else self.sandbox.world.exchanges
        return [f"{one.method} {one.path}" for one in sent if one.executed and _changes(one.method, one.path)]


@dataclass(frozen=True, slots=True)
class Ends:
    """Both, and the time that they share; sleeping moves it on."""

    source: End
    target: End
    clock: ManualClock


@asynccontextmanager
async def two_ends(source: str, target: str, folder: Path, *, reveals: bool = True) -> AsyncIterator[Ends]:
    """Two platforms of these kinds, with nothing in common, as connections "source" and "target".

    With `reveals`, UiPath's secrets can be read back, as a robot can.
    """
    async with AsyncExitStack() as stack:
        connections: dict[str, dict[str, Any]] = {}
        sandboxes: dict[str, Sandbox] = {}
        for side, kind in (("source", source), ("target", target)):
            if kind == "local":
                connections[side] = {"adapter": "local", "path": str(folder / f"{side}.db")}
                continue
            sandboxes[side] = await stack.enter_async_context(Sandbox([kind]))
            connections[side] = _settings(sandboxes[side], kind, reveals)
        clock = ManualClock(datetime.now(UTC))
        bridge = await stack.enter_async_context(Bridge({"connections": connections}, clock=clock, cache_dir=None))
        yield Ends(
            End(bridge["source"], sandboxes.get("source")), End(bridge["target"], sandboxes.get("target")), clock
        )


def drafts(adapter: Adapter) -> list[ItemDraft]:
    """Items of all shapes that the platform can hold."""
    limits = adapter.capabilities.limits
    times: dict[str, Any] = {"not_before": START, "due_at": START.replace(month=6)} if limits.item_times else {}
    nested = {} if limits.flat_values else {"lines": [{"sku": "Ä-1", "net": 1.5}, {}], "empty": []}
    return [
        ItemDraft(values={"name": 'Müller & "Söhne" o\'Neill', "amount": 12.5, "pages": 3, "paid": False}),
        ItemDraft(values={"name": "ответ", "none": None}, reference="R-1", priority=Priority.HIGH, **times),
        ItemDraft(values={"name": "2026-10-01T00:00:00Z", **nested}, reference="R-2 'ö'", priority=Priority.LOW),
        ItemDraft(values={}),
        *(ItemDraft(values={"name": f"n{number}"}, reference=f"N-{number}") for number in range(5)),
    ]


async def filled(adapter: Adapter) -> Adapter:
    """The platform, with two queues and their items, assets, a credential and files in it, all that it can hold."""
    limits = adapter.capabilities.limits
    fields = (Field(name="name"), Field(name="pages", type="integer")) if limits.field_types else ()
    await adapter.queues.create(QueueDraft(name=QUEUE, retries=2, fields=fields))
    await adapter.queues.add_many(QUEUE, drafts(adapter))
    await adapter.queues.create(QueueDraft(name=ONCE, unique_references=limits.unique_references))
    await adapter.queues.add_many(ONCE, [ItemDraft(values={"n": n}, reference=f"O-{n}") for n in range(3)])
    if Feature.ASSET_PUT in adapter.capabilities:
        for name, value in ASSETS.items():
            await adapter.assets.put(name, value)
    await adapter.credentials.put(CREDENTIAL, {name: SecretStr(value) for name, value in SECRETS.items()})
    container, job = await file_place(adapter)
    for name, content in FILES.items():
        await adapter.artifacts.upload(name, content, size=len(content), container=container, job=job)
    return adapter


async def file_place(adapter: Adapter) -> tuple[str | None, str | None]:
    """A container or a job that takes files there."""
    if adapter.capabilities.limits.file_place is not FilePlace.JOB:
        return CONTAINER, None
    return None, (await adapter.jobs.start(AUTOMATION)).id


async def fitting_rules(target: Adapter, **more: Any) -> Rules:
    """Rules with which everything that `filled` makes can go to this platform."""
    rules: dict[str, Any] = {}
    if Feature.ASSET_PUT not in target.capabilities:
        rules["assets"] = [{"into_credential": "Move settings"}]
    container, job = await file_place(target)
    rules["artifacts"] = [{"container": container} if job is None else {"job": job}]
    return Rules.of(rules | more)


def _settings(sandbox: Sandbox, kind: str, reveals: bool) -> dict[str, Any]:
    settings = sandbox.connections[kind] | {"settle_window": SETTLE_WINDOW}
    if kind == "uipath" and reveals:
        keys = sandbox.dump()["faces"]["uipath"]["tables"]["robot keys"]
        settings |= {"robot_key": next(iter(keys.values()))["Key"]}
    return settings


def _changes(method: str, path: str) -> bool:
    """docs: what is read by POST, and changed by GET: uipath.md 3.11 and botmaestro.md 9"""
    if method == "GET":
        return path.endswith("/pull")
    return not path.endswith(("/connect/token", "/workspace/login", "GetRobotAssetByNameForRobotKey"))
