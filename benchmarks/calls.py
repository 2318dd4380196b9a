"""One call of each kind: ours with everything on, against raw aiohttp, in turn in one run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

import aiohttp

from rpa_bridge import Adapter, Bridge, ItemDraft

Call = Callable[[], Awaitable[object]]
VALUES = {"number": "4711", "amount": 12.5}


@dataclass(frozen=True)
class Measure:
    """What one side needed for a round of calls."""

    cpu: float
    """Seconds of this process's CPU for each call."""
    wall: float


@dataclass(frozen=True)
class Row:
    """One kind of call at one concurrency; ratios of ours to raw as median, min and max."""

    kind: str
    concurrency: int
    cpu: tuple[float, float, float]
    rate: tuple[float, float, float]
    raw_rate: float
    """Calls a second of raw aiohttp, for the feeling of it; not comparable between machines."""


async def round_of(call: Call, count: int, concurrency: int) -> Measure:
    """Makes `count` calls, so many at once."""
    left = count

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return Measure((time.process_time() - cpu) / count, time.perf_counter() - wall)


def raw_calls(session: aiohttp.ClientSession, url: str) -> dict[str, Call]:
    """What somebody writes who wants no library: one session, build JSON, send, check the status, parse."""
    headers = {"Authorization": "Bearer benchmark-token"}

    async def read() -> object:
        async with session.get(f"{url}/odata/Jobs(1)", headers=headers) as answer:
            answer.raise_for_status()
            return json.loads(await answer.read())

    async def post(path: str, body: object) -> object:
        async with session.post(f"{url}{path}", json=body, headers=headers) as answer:
            answer.raise_for_status()
            return json.loads(await answer.read())

    start = {"startInfo": {"ReleaseKey": "k", "InputArguments": '{"month": "2026-10"}', "Reference": "r"}}
    item = {"itemData": {"Name": "Invoices", "SpecificContent": VALUES, "Reference": "r"}}
    return {
        "read a job": read,
        "start a job": lambda: post("/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs", start),
        "add an item": lambda: post("/odata/Queues/UiPathODataSvc.AddQueueItem", item),
    }


def our_calls(erp: Adapter) -> dict[str, Call]:
    """The same through the bridge."""
    draft = ItemDraft(values=VALUES, reference="r")
    return {
        "read a job": lambda: erp.jobs.get("1"),
        "start a job": lambda: erp.jobs.start("Invoices", {"month": "2026-10"}),
        "add an item": lambda: erp.queues.add("Invoices", draft),
    }


async def measure(url: str, *, count: int, rounds: int) -> list[Row]:
    """All rows."""
    auth = {"type": "client_credentials", "client_id": "benchmark", "client_secret": "benchmark-secret"}
    connection = {"adapter": "uipath", "url": url, "auth": auth, "http": {"in_flight": 64}}
    async with (
        aiohttp.ClientSession() as session,
        Bridge({"connections": {"erp": connection}}, cache_dir=None) as bridge,
    ):
        raw, ours = raw_calls(session, url), our_calls(bridge["erp"])
        return [
            await _row(kind, raw[kind], ours[kind], count, concurrency, rounds)
            for kind in raw
            for concurrency in (1, 32)
        ]


async def _row(kind: str, raw: Call, ours: Call, count: int, concurrency: int, rounds: int) -> Row:
    await round_of(raw, count // 10, concurrency)
    await round_of(ours, count // 10, concurrency)
    pairs = [(await round_of(raw, count, concurrency), await round_of(ours, count, concurrency)) for _ in range(rounds)]
    cpu = [mine.cpu / theirs.cpu for theirs, mine in pairs]
    rate = [theirs.wall / mine.wall for theirs, mine in pairs]
    return Row(
        kind,
        concurrency,
        (median(cpu), min(cpu), max(cpu)),
        (median(rate), min(rate), max(rate)),
        median(count / theirs.wall for theirs, _ in pairs),
    )
