"""What a contender can be asked to do, and the work that is the same for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

ADD_ITEM, START_JOB, READ_ASSET = "add an item", "start a job", "read an asset"
PUSH_ENTRY, READ_TASK = "push an entry", "read a task"
KINDS = (ADD_ITEM, START_JOB, READ_ASSET, PUSH_ENTRY, READ_TASK)
OF_UIPATH, OF_BOTMAESTRO = (ADD_ITEM, START_JOB, READ_ASSET), (PUSH_ENTRY, READ_TASK)
READ, ADD, PUSH, COPY = "read", "add", "push", "copy"
"""Bulks: items of UiPath read; added to UiPath by the hundred; pushed to BotMaestro; read and added again."""
MOVE_ADD, MOVE_PUSH = "move by adding", "move by pushing"
"""Bulks that a migration sends, which keeps a journal; raw aiohttp just sends them."""

CLIENT_ID, SECRET = "benchmark", "benchmark-secret"
QUEUE, AUTOMATION, ASSET, TASK = "Invoices", "Invoices", "Currency", "1"
INPUTS = {"month": "2026-10"}
VALUES = {"number": "4711", "amount": 12.5}
REFERENCE = "r-4711"
BATCH = 100
MARK_EVERY = 1000
"""Rows."""

Call = Callable[[], Any]
"""One call of a kind; a coroutine function, unless the contender blocks."""
Mark = Callable[[int], None]
"""Told the number of rows so far, every thousand rows."""
Bulk = Callable[[int, Mark], Awaitable[int]]
"""Moves so many rows; gives how many it has seen or was told to be there."""
Prepare = Callable[[int], Awaitable[None]]
"""Makes ready what a bulk of so many rows needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a contender is started with."""

    url: str
    """The server's address, without a path."""
    folder: str
    """Where it may keep things; the same for all processes of one contender."""
    ca_file: str | None = None
    outbox: str = "on"
    http: Mapping[str, Any] = field(default_factory=dict)
    """Members of our settings' `http`."""

    @property
    def uipath(self) -> str:
        """The address of UiPath's Orchestrator."""
        return f"{self.url}/acme/default/orchestrator_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to speak to both platforms."""

    calls: Mapping[str, Call] = field(default_factory=dict)
    bulks: Mapping[str, Bulk] = field(default_factory=dict)
    prepares: Mapping[str, Prepare] = field(default_factory=dict)
    """What is done before a bulk of a kind, and not measured."""
    blocks: bool = False
    """Its calls are plain functions: some at once need threads."""


Opens = Callable[[Setup], AbstractAsyncContextManager[Contender]]


def numbers(count: int, mark: Mark) -> Iterator[int]:
    """1 to `count`, with the marks."""
    for number in range(1, count + 1):
        if number % MARK_EVERY == 0:
            mark(number)
        yield number


async def counted(rows: AsyncIterator[Any], mark: Mark) -> AsyncIterator[Any]:
    """The rows, with the marks."""
    number = 0
    async for row in rows:
        number += 1
        if number % MARK_EVERY == 0:
            mark(number)
        yield row


def new_item(number: int) -> dict[str, Any]:
    """An item as UiPath takes it."""
    values = {"number": str(number), "amount": 12.5}
    return {"Priority": "Normal", "SpecificContent": values, "Reference": f"r-{number}"}


def new_entry(number: int) -> dict[str, Any]:
    """An entry as BotMaestro takes it."""
    return {"priority": 0, "values": {"number": str(number), "amount": 12.5}}
