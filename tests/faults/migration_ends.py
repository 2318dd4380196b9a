"""Both ends of migrations that processes carry out: the platforms in a process of their own, which outlives the others.

A gateway before them holds some of the effects back: those are carried out when whoever sent them has given up, or is
dead.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rpa_bridge.bridge import Bridge
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.queues import ItemDraft, QueueDraft
from rpa_bridge.errors import NotFoundError
from rpa_bridge.migration.content import GONE, item_hash
from rpa_bridge.migration.documents import Kind, Plan
from rpa_bridge.migration.mapping import ItemMapper
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.selection import Selection
from rpa_bridge.sandbox.faults import Chaos, Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from tests.migration.ends import EVERYTHING, FILES, filled, fitting_rules

from .ledger_worker import Child

VENDORS = ("uipath", "botmaestro")
FIRST = "local"
QUEUE = "Letters of 'Müller'"
LETTERS = Selection(queues=("Letters*",))
SETTLE_WINDOW = 0.6
HELD = (0.25, 0.45)
"""Seconds for which the gateway holds a request back: well within the window."""
STALLED = 0.06
"""Seconds without a beat of the platforms' process after which nothing is held back: it came late already."""
SHARES = {"BulkAddQueueItems": 0.6, "/push": 0.02}
"""Of the requests whose paths end so, how many are held back."""


class Gateway(Chaos):
    """Holds effects back. Their client hears nothing, and is cut off when they are carried out."""

    def __init__(self, seed: int, held: float) -> None:
        """`held` is the part of SHARES that it holds back."""
        super().__init__(probability=held, seed=seed)
        self._beat = time.monotonic()

    async def beat(self) -> None:
        """Runs as long as the one who began the platforms."""
        parent = os.getppid()
        while os.getppid() == parent:
            self._beat = time.monotonic()
            await asyncio.sleep(STALLED / 4)

    def draw(self, line: str) -> Fault | None:
        share = next((share for end, share in SHARES.items() if line.endswith(end)), 0.0)
        if self._random.random() >= share * self.probability or time.monotonic() - self._beat > STALLED:
            return None
        seconds = self._random.uniform(*HELD)
        return Fault(FaultKind.HANG, when=When.LATE, delay=seconds, seconds=seconds)


def told_by(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What the work comes to, as JSON can hold it: done by a fork, so that this process has no loop and no thread."""

    def telling(told: int) -> Coroutine[Any, Any, None]:
        async def tell() -> None:
            with os.fdopen(told, "w") as line:
                json.dump(await work(), line)

        return tell()

    content = Child.begin(telling).rest()
    assert content, "the fork ended without a word; see what it wrote to stderr"
    return json.loads(content)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a platform has: how often each item's content, each mark, and each file's name."""

    items: Counter[str]
    marks: Counter[str]
    files: Counter[str]

    def lost(self, before: Holdings) -> int:
        """Things that were to come here, and are not."""
        return (before.items - self.items).total() + (before.files - self.files).total()

    def doubled(self, before: Holdings) -> int:
        """Things that are here more often than they should."""
        twice = sum(count - 1 for count in self.marks.values())
        return max(twice, (self.items - before.items).total()) + (self.files - before.files).total()


@dataclass(frozen=True, slots=True)
class Platforms:
    """Four of them, and how to connect to them."""

    folder: Path
    connections: dict[str, dict[str, Any]]
    control: str

    def bridge(self) -> Bridge:
        """As a user has it, with tokens and the outbox on the disk."""
        document = {"connections": self.connections, "cache": {"encryption": "off"}}
        return Bridge(document, cache_dir=self.folder / "cache")

    def fill(self, items: int, *, unique: bool = False) -> None:
        """Puts so many items into a new queue of the first one, no two of them alike."""

        async def fill() -> None:
            async with self.bridge() as bridge:
                queues = bridge[FIRST].queues
                await queues.create(QueueDraft(name=QUEUE, unique_references=unique))
                await queues.add_many(QUEUE, map(_draft, range(items)))

        told_by(fill)

    def fill_with_all(self) -> None:
        """Puts things of all kinds into the first one."""

        async def fill() -> None:
            async with self.bridge() as bridge:
                await filled(bridge[FIRST])

        told_by(fill)

    def planned(self, source: str, target: str, select: Selection = LETTERS) -> Plan:
        """The plan from one to the other."""

        async def planned() -> str:
            async with self.bridge() as bridge:
                rules = await fitting_rules(bridge[target]) if select == EVERYTHING else None
                return (await plan(bridge[source], bridge[target], select, rules=rules)).dumps()

        return Plan.loads(told_by(planned))

    def holdings(self, name: str, document: Plan) -> Holdings:
        """What one of them has of the plan's things, as the target can hold them, but what was removed."""

        async def holdings() -> list[dict[str, int]]:
            async with self.bridge() as bridge:
                return list(await _holdings(bridge, name, document))

        return Holdings(*map(Counter, told_by(holdings)))

    def sent(self) -> int:
        """How often items were sent to the vendors' platforms, and carried out there."""
        control = urlsplit(self.control)
        connection = HTTPConnection(control.netloc)
        connection.request("GET", f"{control.path}requests")
        found = json.load(connection.getresponse())["requests"]
        connection.close()
        return sum(one["executed"] and one["path"].endswith(tuple(SHARES)) for one in found)


async def _holdings(bridge: Bridge, name: str, document: Plan) -> tuple[Counter[str], Counter[str], Counter[str]]:
    adapter, limits = bridge[name], bridge[document.target.connection].capabilities.limits
    items, marks, rules = Counter[str](), Counter[str](), Rules.of(document.rules)
    for step in document.steps:
        if step.kind is Kind.ITEMS:
            mapper = ItemMapper(rules, step.name, limits, document.mark_prefix(step.to))
            with suppress(NotFoundError):  # a queue that is not there has lost all that it should hold
                async for item in adapter.queues.items(step.name):
                    if item.retry_of is None and item.state not in GONE:
                        items[f"{step.name} {item_hash(mapper.draft(item))[:16]}"] += 1
                        marks.update([item.mark] if item.mark else [])
    of_files = any(step.kind is Kind.ARTIFACTS for step in document.steps)
    files = Counter([name async for name in _whole_files(adapter)] if of_files else [])
    return items, marks, files


async def _whole_files(adapter: Adapter) -> AsyncIterator[str]:
    """The names of those that came from the first one; where a process died there may be records without content."""
    async for one in adapter.artifacts.find():
        with suppress(NotFoundError):
            async with adapter.artifacts.open(one) as pieces:
                if b"".join([piece async for piece in pieces]) == FILES.get(one.name):
                    yield one.name


def _draft(number: int) -> ItemDraft:
    return ItemDraft(values={"number": f"{number:07d}", "to": 'Frau "Ö" o\'Neill'}, reference=f"L-{number}")


@contextmanager
def platforms(folder: Path, seed: int, *, window: float, held: float = 0.0) -> Iterator[Platforms]:
    """Both vendors' and two local ones, until the end of the block; see `Gateway` for `held`."""
    process = Child.begin(_serving(seed, held))
    try:
        told = json.loads(_line(process.heard))
        connections = {name: told["connections"][name] | {"settle_window": window} for name in VENDORS}
        connections |= {name: {"adapter": "local", "path": str(folder / f"{name}.db")} for name in (FIRST, "home")}
        yield Platforms(folder, connections, told["control"])
    finally:
        process.signal(signal.SIGKILL)
        process.rest()


def _serving(seed: int, held: float) -> Callable[[int], Coroutine[Any, Any, None]]:
    async def work(told: int) -> None:
        gateway = Gateway(seed, held)
        async with Sandbox(VENDORS, seed=seed) as sandbox:
            sandbox.faults.chaos = gateway
            settings = {"connections": sandbox.connections, "control": sandbox.control_url}
            os.write(told, json.dumps(settings).encode() + b"\n")
            await gateway.beat()

    return work


def _line(heard: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        some = os.read(heard, 65536)
        assert some, "the platforms ended; see what they wrote to stderr"
        line += some
    return line
