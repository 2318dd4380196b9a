"""The bridge as a user has it: tokens on disk, the outbox on, budgets, deadlines, typed values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from rpa_bridge import Adapter, Bridge, ItemDraft, QueueDraft

from .base import (
    ADD,
    ADD_ITEM,
    ASSET,
    AUTOMATION,
    CLIENT_ID,
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
    SECRET,
    START_JOB,
    TASK,
    VALUES,
    Contender,
    Mark,
    Setup,
    counted,
    numbers,
)

NOTHING_ON_ITS_WAY = 0.01
"""Seconds: a move into a queue that is there would wait for what an earlier one may have sent."""
DRAFT = ItemDraft(values=VALUES, reference=REFERENCE)


def document(setup: Setup) -> dict[str, Any]:
    """The settings, as they would stand in the file."""
    http = dict(setup.http) | ({"ca_file": setup.ca_file} if setup.ca_file else {})
    auth = {"type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET}
    return {
        "connections": {
            "erp": {
                "adapter": "uipath",
                "url": setup.uipath,
                "auth": auth,
                "http": http,
                "settle_window": NOTHING_ON_ITS_WAY,
            },
            "maestro": {
                "adapter": "botmaestro",
                "server": setup.url,
                "login": CLIENT_ID,
                "key": SECRET,
                "http": http,
                "settle_window": NOTHING_ON_ITS_WAY,
            },
        },
        "cache_dir": setup.folder,
        "outbox": setup.outbox,
    }


class Move:
    """A migration out of a local file, with its journal beside the file; from a new one each time."""

    def __init__(self, target: Adapter, folder: str) -> None:
        self._target, self._folder = target, Path(folder)

    async def prepare(self, count: int) -> None:
        """Fills the file and makes the plan, which only reads."""
        from rpa_bridge import migration  # here: what the others import is measured too

        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._beside = Path(mkdtemp(dir=self._folder))
        async with self._opened() as source:
            await source.queues.create(QueueDraft(name=QUEUE))
            await source.queues.add_many(QUEUE, map(draft, range(1, count + 1)))
            await source.queues.deactivate(QUEUE)
            self._plan = await migration.plan(source, self._target, migration.Selection(queues=(QUEUE,)))

    async def carry_out(self, _count: int, mark: Mark) -> int:
        """Takes stock, and copies: the file is read twice, and each item written down before it is sent and after."""
        from rpa_bridge import migration

        journal = migration.SqliteJournal(self._beside / "journal")
        async with self._opened() as source:
            run = migration.Run(plan=self._plan, source=source, target=self._target, journal=journal)
            run.on_progress = lambda progress: mark(progress.done)
            async with run:
                counts = (await migration.apply(run)).counts
        return sum(states.get(migration.RowState.CONFIRMED, 0) for states in counts.values())

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Adapter]:
        document = {"connections": {"file": {"adapter": "local", "path": str(self._beside / "items.db")}}}
        async with Bridge(document) as bridge:
            yield bridge["file"]


class Ours:
    """Work on many items."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def read(self, count: int, mark: Mark) -> int:
        """Reads the queue, item by item."""
        seen = 0
        async for _item in counted(self._bridge["erp"].queues.items(f"Items-{count}"), mark):
            seen += 1
        return seen

    async def add(self, count: int, mark: Mark) -> int:
        """Adds in bulks."""
        return (await self._bridge["erp"].queues.add_many(QUEUE, map(draft, numbers(count, mark)))).added

    async def push(self, count: int, mark: Mark) -> int:
        """Pushes one by one, some at once."""
        return (await self._bridge["maestro"].queues.add_many(QUEUE, map(draft, numbers(count, mark)))).added

    async def copy(self, count: int, mark: Mark) -> int:
        """Reads one queue and adds to another, item by item."""
        items = counted(self._bridge["erp"].queues.items(f"Items-{count}"), mark)
        drafts = (ItemDraft(values=item.values, reference=item.reference) async for item in items)
        return (await self._bridge["erp"].queues.add_many(QUEUE, drafts)).added


def draft(number: int) -> ItemDraft:
    """An item as we take it."""
    return ItemDraft(values={"number": str(number), "amount": 12.5}, reference=f"r-{number}")


@asynccontextmanager
async def opened(setup: Setup) -> AsyncIterator[Contender]:
    """One bridge; a connection is opened when it is first used."""
    async with Bridge(document(setup)) as bridge:
        ours = Ours(bridge)
        moves = {MOVE_ADD: Move(bridge["erp"], setup.folder), MOVE_PUSH: Move(bridge["maestro"], setup.folder)}
        yield Contender(
            calls={
                ADD_ITEM: lambda: bridge["erp"].queues.add(QUEUE, DRAFT),
                START_JOB: lambda: bridge["erp"].jobs.start(AUTOMATION, INPUTS),
                READ_ASSET: lambda: bridge["erp"].assets.get(ASSET),
                PUSH_ENTRY: lambda: bridge["maestro"].queues.add(QUEUE, DRAFT),
                READ_TASK: lambda: bridge["maestro"].jobs.get(TASK),
            },
            bulks={
                READ: ours.read,
                ADD: ours.add,
                PUSH: ours.push,
                COPY: ours.copy,
                **{kind: move.carry_out for kind, move in moves.items()},
            },
            prepares={kind: move.prepare for kind, move in moves.items()},
        )
