"""What the callers of a schedule do on a platform, at random, and what they note down of it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from rpa_bridge import Adapter, ItemDraft
from rpa_bridge.clock import Clock
from rpa_bridge.contract.queues import AddResult, AddStatus, Failure, FailureKind, Item, QueueDraft
from rpa_bridge.errors import BridgeError
from rpa_bridge.transport.call import deadline

from .history import End, Journal, is_unknown
from .standing import MONTH, VALUE

AUTOMATION, QUEUE = "Invoices", "Invoices"
MOST_DRAFTS = 6
_ENDS = {AddStatus.ADDED: End.OK, AddStatus.REFUSED: End.FAIL, AddStatus.UNKNOWN: End.UNKNOWN}


@dataclass
class Desk:
    """The callers at one platform."""

    vendor: str
    rpa: Adapter
    journal: Journal
    clock: Clock
    random: random.Random
    numbers: count[int] = field(default_factory=lambda: count(1))
    held: list[Item] = field(default_factory=list)
    """Items that were taken, and are not reported yet."""
    jobs: list[str] = field(default_factory=list)
    """Ids of jobs that are known."""
    lost_takes: int = 0
    """Takes of which nobody knows what they took."""

    def key(self, kind: str) -> str:
        """A new one: none is a part of another."""
        return f"{self.vendor}-{kind}-{next(self.numbers):04d}"

    async def start(self) -> None:
        await self._start(self.key("start"))

    async def start_impatiently(self) -> None:
        """Starts a job in less time than it may take to settle, and again when nobody knows what became of it."""
        key = self.key("start")
        with deadline(self.random.uniform(1, 20), clock=self.clock):
            await self._start(key)
        if any(told.key == key and told.end is End.UNKNOWN for told in self.journal.told):
            await self._start(key)

    async def start_again(self) -> None:
        """Repeats a start, whatever became of it."""
        starts = [told.key for told in self.journal.told if told.key.startswith(f"{self.vendor}-start")]
        if starts:
            await self._start(self.random.choice(starts))

    async def start_without_key(self) -> None:
        key = self.key("blind-start")
        with self.journal.asking(key) as (told,):
            told.ids = ((await self.rpa.jobs.start(AUTOMATION, {MONTH: key})).id,)

    async def stop(self) -> None:
        with self.journal.asking():
            if self.jobs:
                await self.rpa.jobs.stop(self.random.choice(self.jobs))

    async def add(self, key: str | None = None) -> None:
        key = key or self.key("item")
        with self.journal.asking(key) as (told,):
            told.ids = ((await self.rpa.queues.add(QUEUE, _draft(key))).id,)

    async def add_without_reference(self) -> None:
        key = self.key("blind-item")
        with self.journal.asking(key) as (told,):
            told.ids = ((await self.rpa.queues.add(QUEUE, ItemDraft(values={VALUE: key}))).id,)

    async def add_many(self) -> None:
        keys = [self.key("bulk") for _ in range(self.random.randint(1, MOST_DRAFTS))]
        with self.journal.asking(*keys) as told:

            def hear(result: AddResult) -> None:
                ids = (result.item_id,) if result.item_id else ()
                self.journal.ended(told[result.position], _ENDS[result.status], *ids)

            try:
                await self.rpa.queues.add_many(QUEUE, [_draft(key) for key in keys], on_result=hear)
            except BridgeError:
                for one in told:
                    if one.last is None:  # whatever was sent has been reported by now
                        self.journal.ended(one, End.FAIL)

    async def take(self) -> None:
        asked = self.journal.asked("", for_one=True)
        try:
            item = await self.rpa.queues.take(QUEUE)
        except BridgeError as error:
            self.lost_takes += is_unknown(error)
            item = None
        if item is None:
            self.journal.told.remove(asked)
            return
        asked.key = f"taken {item.id}"
        self.journal.ended(asked, End.OK, item.id)
        self.held.append(item)

    async def complete(self) -> None:
        if self.held:
            item = self._one_held()
            with self.journal.asking(f"done {item.id}"):
                await self.rpa.queues.complete(item, {"paid": "yes"})

    async def fail(self) -> None:
        if self.held:
            item, kind = self._one_held(), self.random.choice(list(FailureKind))
            self.journal.asked(f"retry {item.id}")  # by the platform itself: at most one
            with self.journal.asking(f"failed {item.id}"):
                await self.rpa.queues.fail(item, Failure(kind=kind, reason="no number"))

    async def progress(self) -> None:
        with self.journal.asking():
            if self.held:
                await self.rpa.queues.progress(self.random.choice(self.held), "half")

    async def postpone(self) -> None:
        with self.journal.asking():
            items = [item async for item in self.rpa.queues.items(QUEUE)]
            if items:
                await self.rpa.queues.postpone(self.random.choice(items), self.clock.now() + timedelta(hours=1))

    async def make_asset(self) -> None:
        key = self.key("asset")
        with self.journal.asking(key):
            await self.rpa.assets.put(key, "a")

    async def make_queue(self) -> None:
        key = self.key("queue")
        with self.journal.asking(key):
            await self.rpa.queues.create(QueueDraft(name=key))

    async def upload(self) -> None:
        key, place = self.key("file"), self._place()
        if place is not None:
            with self.journal.asking(key):
                await self.rpa.artifacts.upload(key, b"a page", **place)

    async def repeat(self, made: Mapping[str, Sequence[str]]) -> None:
        """What callers do in the end: what they were not told is there is started again, and added where it is not."""
        for told in list(self.journal.told):
            vendor, _, kind = told.key.rpartition("-")[0].partition("-")
            if vendor != self.vendor or told.end is End.OK:
                continue
            if kind == "start":
                await self._start(told.key)
            elif kind in ("item", "bulk") and told.key not in made:
                await self.add(told.key)

    def untold(self, made: Mapping[str, Sequence[str]]) -> list[str]:
        """Items that were taken, and given to nobody: more of them than callers were told that it may be so."""
        given = {told.key for told in self.journal.told}
        nobodys = [key for key in made if key.startswith("taken ") and key not in given]
        return nobodys if len(nobodys) > self.lost_takes else []

    async def _start(self, key: str) -> None:
        with self.journal.asking(key) as (told,):
            told.ids = ((await self.rpa.jobs.start(AUTOMATION, {MONTH: key}, key=key)).id,)
            self.jobs += told.ids

    def _place(self) -> dict[str, Any] | None:
        """Where a file can go; None while there is no job to give it to."""
        if self.vendor == "uipath":
            return {"container": "Reports"}
        return {"job": self.random.choice(self.jobs)} if self.jobs else None

    def _one_held(self) -> Item:
        return self.held.pop(self.random.randrange(len(self.held)))


def _draft(key: str) -> ItemDraft:
    return ItemDraft(values={VALUE: key}, reference=key)


Operation = Callable[[Desk], Awaitable[None]]
EVERYWHERE: tuple[Operation, ...] = (
    Desk.start,
    Desk.start,
    Desk.start_impatiently,
    Desk.start_again,
    Desk.start_without_key,
    Desk.stop,
    Desk.add,
    Desk.add,
    Desk.add_without_reference,
    Desk.add_many,
    Desk.add_many,
    Desk.take,
    Desk.take,
    Desk.take,
    Desk.complete,
    Desk.complete,
    Desk.fail,
    Desk.fail,
    Desk.progress,
    Desk.make_queue,
    Desk.upload,
)
OPERATIONS: dict[str, tuple[Operation, ...]] = {
    "uipath": (*EVERYWHERE, Desk.postpone, Desk.make_asset),
    "botmaestro": EVERYWHERE,
}
"""What may be done, the more often the more it is named."""
