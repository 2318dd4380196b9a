"""UiPath's own SDK from PyPI. It logs in at the vendor's addresses only, and gets its token from here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from uipath.platform import UiPath
from uipath.platform.orchestrator.queues import CommitType

from .base import (
    ADD,
    ADD_ITEM,
    ASSET,
    AUTOMATION,
    BATCH,
    INPUTS,
    QUEUE,
    READ,
    READ_ASSET,
    REFERENCE,
    START_JOB,
    VALUES,
    Contender,
    Mark,
    Setup,
    new_item,
    numbers,
)

ITEM = {"SpecificContent": VALUES, "Reference": REFERENCE, "Priority": "Normal"}


class Sdk:
    """Work on many items, with its asynchronous methods."""

    def __init__(self, queues: Any) -> None:
        self._queues = queues

    async def read(self, count: int, mark: Mark) -> int:
        """As many lists of a hundred: it has no pages for queue items, so that each list is the first page."""
        seen = 0
        while seen < count:
            for _row in (await self._queues.list_items_async(f"Items-{count}"))["value"]:
                seen += 1
            mark(seen)
        return seen

    async def add(self, count: int, mark: Mark) -> int:
        """By the hundred."""
        added, batch = 0, []
        for number in numbers(count, mark):
            batch.append(new_item(number))
            if len(batch) == BATCH or number == count:
                answer = await self._queues.create_items_async(batch, QUEUE, CommitType.PROCESS_ALL_INDEPENDENTLY)
                added += len(batch) if answer["Success"] else 0
                batch = []
        return added


@asynccontextmanager
async def opened(setup: Setup, *, blocks: bool = False) -> AsyncIterator[Contender]:
    """With its asynchronous methods, or with those that block."""
    sdk = UiPath(base_url=setup.uipath.removesuffix("/orchestrator_"), secret="benchmark-token")  # noqa: S106
    queues, processes, assets = sdk.queues, sdk.processes, sdk.assets
    if blocks:
        yield Contender(
            calls={
                ADD_ITEM: lambda: queues.create_item(ITEM, queue_name=QUEUE),
                START_JOB: lambda: processes.invoke(AUTOMATION, INPUTS),
                READ_ASSET: lambda: assets.retrieve(ASSET),
            },
            blocks=True,
        )
    else:
        work = Sdk(queues)
        yield Contender(
            calls={
                ADD_ITEM: lambda: queues.create_item_async(ITEM, queue_name=QUEUE),
                START_JOB: lambda: processes.invoke_async(AUTOMATION, INPUTS),
                READ_ASSET: lambda: assets.retrieve_async(ASSET),
            },
            bulks={READ: work.read, ADD: work.add},
        )
    for service in (queues, processes, assets):
        await service.aclose()
