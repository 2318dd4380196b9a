"""What somebody writes who wants no library: one session, build JSON, send, check the status, parse."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from .base import (
    ADD,
    ADD_ITEM,
    ASSET,
    BATCH,
    COPY,
    INPUTS,
    MOVE_ADD,
    MOVE_PUSH,
    PUSH,
    PUSH_ENTRY,
    QUEUE,
    READ,
    READ_ASSET,
    READ_TASK,
    REFERENCE,
    START_JOB,
    TASK,
    VALUES,
    Contender,
    Mark,
    Setup,
    new_entry,
    new_item,
    numbers,
)

PUSHES_AT_ONCE = 32
_ODATA = "UiPath.Server.Configuration.OData"
_ASSETS = f"/odata/Assets/{_ODATA}.GetFiltered?$filter=Name eq '{ASSET}'&$orderby=Id&$top=100"


class Raw:
    """Both platforms by one session."""

    def __init__(self, session: aiohttp.ClientSession, setup: Setup) -> None:
        self._session, self._uipath, self._botmaestro = session, setup.uipath, f"{setup.url}/api/v2"
        self._signed = {"Authorization": "Bearer benchmark-token"}
        self._logged_in = {"token": "benchmark-token", "organization": "acme"}

    async def get(self, url: str, headers: dict[str, str]) -> Any:
        """The answer's JSON."""
        async with self._session.get(url, headers=headers) as answer:
            answer.raise_for_status()
            return json.loads(await answer.read())

    async def post(self, url: str, body: Any, headers: dict[str, str]) -> Any:
        """The answer's JSON."""
        async with self._session.post(url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return json.loads(await answer.read())

    async def add_item(self) -> Any:
        data = {"Name": QUEUE, "Priority": "Normal", "SpecificContent": VALUES, "Reference": REFERENCE}
        url = f"{self._uipath}/odata/Queues/UiPathODataSvc.AddQueueItem"
        return await self.post(url, {"itemData": data}, self._signed)

    async def start_job(self) -> Any:
        info = {"ReleaseName": "Invoices", "InputArguments": json.dumps(INPUTS), "Reference": REFERENCE}
        return await self.post(f"{self._uipath}/odata/Jobs/{_ODATA}.StartJobs", {"startInfo": info}, self._signed)

    async def read_asset(self) -> Any:
        return await self.get(self._uipath + _ASSETS, self._signed)

    async def push_entry(self) -> Any:
        url = f"{self._botmaestro}/datapool/{QUEUE}/push"
        return await self.post(url, {"priority": 0, "values": VALUES}, self._logged_in)

    async def read_task(self) -> Any:
        return await self.get(f"{self._botmaestro}/task/{TASK}", self._logged_in)

    async def read(self, count: int, mark: Mark) -> int:
        """Reads the queue page by page."""
        seen = 0
        async for page in self._pages(count):
            for _row in page:
                seen += 1
            mark(seen)
        return seen

    async def add(self, count: int, mark: Mark) -> int:
        """Adds by the hundred."""
        added, batch = 0, []
        for number in numbers(count, mark):
            batch.append(new_item(number))
            if len(batch) == BATCH or number == count:
                added += await self._add_bulk(batch)
                batch = []
        return added

    async def push(self, count: int, mark: Mark) -> int:
        """Pushes one by one, some at once."""
        left, url = numbers(count, mark), f"{self._botmaestro}/datapool/{QUEUE}/push"
        return sum(await asyncio.gather(*(self._push_all(url, left) for _ in range(PUSHES_AT_ONCE))))

    async def copy(self, count: int, mark: Mark) -> int:
        """Reads page by page, and adds each page as one bulk."""
        added = 0
        async for page in self._pages(count):
            kept = ("Priority", "SpecificContent", "Reference")
            added += await self._add_bulk([{name: row[name] for name in kept} for row in page])
            mark(added)
        return added

    async def _pages(self, count: int) -> AsyncIterator[Sequence[Any]]:
        last = 0
        while True:
            condition = f"QueueDefinitionId eq {count} and (Id gt {last})"
            url = f"{self._uipath}/odata/QueueItems?$filter={condition}&$orderby=Id&$top={BATCH}"
            page = (await self.get(url, self._signed))["value"]
            if not page:
                return
            yield page
            last = page[-1]["Id"]

    async def _add_bulk(self, items: Sequence[Any]) -> int:
        body = {"queueName": QUEUE, "commitType": "ProcessAllIndependently", "queueItems": items}
        answer = await self.post(f"{self._uipath}/odata/Queues/UiPathODataSvc.BulkAddQueueItems", body, self._signed)
        return len(items) if answer["Success"] else 0

    async def _push_all(self, url: str, left: Iterable[int]) -> int:
        pushed = 0
        for number in left:
            await self.post(url, new_entry(number), self._logged_in)
            pushed += 1
        return pushed


@asynccontextmanager
async def opened(setup: Setup, *, fresh: bool = False) -> AsyncIterator[Contender]:
    """By one session; with `fresh`, over a new connection for each call."""
    tls = ssl.create_default_context(cafile=setup.ca_file) if setup.ca_file else True
    connector = aiohttp.TCPConnector(ssl=tls, force_close=fresh)
    async with aiohttp.ClientSession(connector=connector) as session:
        raw = Raw(session, setup)
        yield Contender(
            calls={
                ADD_ITEM: raw.add_item,
                START_JOB: raw.start_job,
                READ_ASSET: raw.read_asset,
                PUSH_ENTRY: raw.push_entry,
                READ_TASK: raw.read_task,
            },
            bulks={
                READ: raw.read,
                ADD: raw.add,
                PUSH: raw.push,
                COPY: raw.copy,
                MOVE_ADD: raw.add,
                MOVE_PUSH: raw.push,
            },
        )
