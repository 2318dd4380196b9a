"""Row 2: effects through real sockets and a gateway that fails half of them. Callers want each done exactly once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from rpa_bridge import Adapter, Bridge, ItemDraft
from rpa_bridge.clock import SystemClock
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.transport import retry, stack
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.retry_budget import RetryBudget

from .history import End, Journal, Violation, Wrong, violations
from .proxy import Fate, Proxy
from .standing import MONTH, VALUE, standing

VENDORS = ("uipath", "botmaestro")
BATCH = 200
"""Effects after which the platforms are emptied, so that looking for one stays cheap."""
AT_ONCE = 64
SPEED = 50.0
"""How much faster time passes for the client than for the machine."""
SETTLE_WINDOW = 20.0
LONGEST_DELAY = 5.0
"""Of late requests, in the client's seconds: well within the window."""
OF_EFFECTS, OF_OTHERS = 0.5, 0.1
"""Shares of requests that fail."""
STARTS = 0.2
"""The share of starts among the effects."""
MOST_TRIES = 50
PAUSE = 5.0
"""Seconds after which a caller tries again, by the client's clock."""


class Fast(SystemClock):
    """A clock that runs so much faster than the machine's."""

    def __init__(self) -> None:
        self._began, self._from = super().monotonic(), super().now()

    def now(self) -> datetime:
        return self._from + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (super().monotonic() - self._began) * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


@dataclass(slots=True)
class Done:
    """What became of all effects."""

    effects: int = 0
    tries: int = 0
    """Calls of a verb that they took."""
    ends: Counter[End] = field(default_factory=Counter)
    """How those calls ended."""
    fates: Counter[Fate] = field(default_factory=Counter)
    """What the gateway did to requests."""
    violations: list[Violation] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    """Keys that even MOST_TRIES calls could not get done."""

    def count(self, wrong: Wrong) -> int:
        """How many effects are wrong in this way."""
        return sum(one.wrong is wrong for one in self.violations)


async def effects(count: int = 100_000, *, seed: int = 2, guard: bool = True) -> Done:
    """Has so many effects carried out. Without the guard everything is repeated, whatever it is, as is usual."""
    rng, done = random.Random(seed), Done()  # noqa: S311 - a seed repeats what is random in it
    async with AsyncExitStack() as open_now:
        if not guard:
            open_now.enter_context(patch.object(retry, "_REPEATABLE_WHEN_UNSURE", frozenset(Effect)))
            open_now.enter_context(patch.object(RetryBudget, "spend", lambda _self, *, after_429: True))
            open_now.enter_context(patch.object(stack, "Breaker", lambda inner, *_: inner))
        folder = open_now.enter_context(TemporaryDirectory())
        sandbox = await open_now.enter_async_context(Sandbox(VENDORS, seed=seed))
        proxies = []
        connections: dict[str, dict[str, Any]] = {}
        for vendor, settings in sandbox.connections.items():
            address = "server" if vendor == "botmaestro" else "url"
            port = urlsplit(settings[address]).port
            assert port is not None
            proxy = await open_now.enter_async_context(Proxy(port, rng, _share, longest_delay=LONGEST_DELAY / SPEED))
            proxies.append(proxy)
            through = settings[address].replace(f":{port}", f":{proxy.port}")
            connections[vendor] = settings | {address: through, "settle_window": SETTLE_WINDOW}
        document = {"connections": connections, "cache_dir": folder, "cache": {"encryption": "memory"}}
        clock = Fast()
        bridge = await open_now.enter_async_context(Bridge(document, clock=clock, random=rng))
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            await _Batch(sandbox, bridge, clock, rng, done).carry_out(numbers, proxies, seed)
    done.fates = sum((proxy.fates for proxy in proxies), Counter())
    return done


def _share(method: str, path: str) -> float:
    if "token" in path or "login" in path:
        return 0.0
    return OF_EFFECTS if method == "POST" else OF_OTHERS


class _Batch:
    """Some effects on empty platforms."""

    def __init__(self, sandbox: Sandbox, bridge: Bridge, clock: Fast, rng: random.Random, done: Done) -> None:
        self._sandbox, self._bridge, self._clock, self._random, self._done = sandbox, bridge, clock, rng, done
        sandbox.reset()
        self._journal = Journal(lambda: sandbox.world.counters.get("exchange", 0))
        self._places = asyncio.Semaphore(AT_ONCE)

    async def carry_out(self, numbers: range, proxies: list[Proxy], seed: int) -> None:
        """Carries out one for each number, and judges them all."""
        await asyncio.gather(*(self._one(number) for number in numbers))
        for proxy in proxies:
            await proxy.drain()
        made = {key: ids for one in standing(self._sandbox).values() for key, ids in one.items()}
        self._done.violations += violations(seed, self._journal.told, made, self._sandbox.world.exchanges)
        self._done.ends.update(told.end for told in self._journal.told)
        self._done.effects += len(numbers)
        self._done.tries += len(self._journal.told)

    async def _one(self, number: int) -> None:
        rpa, is_start = self._bridge[self._random.choice(VENDORS)], self._random.random() < STARTS
        key = f"effect-{number:07d}"
        async with self._places:
            for _ in range(MOST_TRIES):
                with self._journal.asking(key) as (told,):
                    told.ids = (await (_start(rpa, key) if is_start else self._add(rpa, key)),)
                if told.end is End.OK:
                    return
                await self._clock.sleep(PAUSE)
        self._done.given_up.append(key)

    async def _add(self, rpa: Adapter, key: str) -> str:
        """Looks first where an earlier try may have done it, as its error says one should."""
        if any(told.key == key and told.end is End.UNKNOWN for told in self._journal.told[:-1]):
            async for item in rpa.queues.items("Invoices", reference=key):
                return item.id
        return (await rpa.queues.add("Invoices", ItemDraft(values={VALUE: key}, reference=key))).id


async def _start(rpa: Adapter, key: str) -> str:
    return (await rpa.jobs.start("Invoices", {MONTH: key}, key=key)).id
