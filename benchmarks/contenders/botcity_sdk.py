"""BotCity's own SDK from PyPI: it blocks, and opens a connection for each call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from botcity.maestro import BotMaestroSDK, DataPoolEntry

from .base import (
    CLIENT_ID,
    PUSH,
    PUSH_ENTRY,
    QUEUE,
    READ_TASK,
    SECRET,
    TASK,
    VALUES,
    Contender,
    Mark,
    Setup,
    new_entry,
    numbers,
)

THREADS = 32


class Sdk:
    """Work on many entries, with threads."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def push(self, count: int, mark: Mark) -> int:
        """One by one, in as many threads as we have pushes."""
        return await asyncio.to_thread(self._push, count, mark)

    def _push(self, count: int, mark: Mark) -> int:
        with ThreadPoolExecutor(THREADS) as threads:
            return sum(threads.map(self._push_one, numbers(count, mark)))

    def _push_one(self, number: int) -> int:
        return 1 if self._pool.create_entry(DataPoolEntry(values=new_entry(number)["values"])).entry_id else 0


@asynccontextmanager
async def opened(setup: Setup) -> AsyncIterator[Contender]:
    """Logged in, with the datapool at hand."""
    sdk = BotMaestroSDK(setup.url, CLIENT_ID, SECRET)
    sdk.login()
    pool = sdk.get_datapool(QUEUE)
    yield Contender(
        calls={
            PUSH_ENTRY: lambda: pool.create_entry(DataPoolEntry(values=VALUES)),
            READ_TASK: lambda: sdk.get_task(TASK),
        },
        bulks={PUSH: Sdk(pool).push},
        blocks=True,
    )
