"""Row 1: random days on both platforms, with faults before, after and late; whatever was left open is settled after.

Nothing waits and nothing leaves the process; a schedule is repeated by its seed.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from rpa_bridge import Bridge, registry
from rpa_bridge.helpers.reconciling import Fate
from rpa_bridge.sandbox.faults import Chaos
from rpa_bridge.settings import Settings
from rpa_bridge.settings.shapes import Shape
from rpa_bridge.transport import effects, retry
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.outbox import Intent

from .history import End, Journal, Violation, Wrong, violations
from .in_memory import Lab, laboratory
from .operations import OPERATIONS, Desk
from .standing import standing

OPERATIONS_EACH = 15
MOST_AT_ONCE = 3
CHANCES = (0.05, 0.15, 0.3, 0.5)
DELAYS = (5.0, 60.0, 115.0)
"""Seconds that a late request takes at most: less than the settle window."""
LATER = 1_000.0
"""Seconds after which nothing can come any more."""
FINDABLE = frozenset({"jobs.start", "queues.add", "queues.add_many", "queues.complete", "queues.fail"})
CREATING = frozenset({"jobs.start", "queues.add", "queues.add_many"})


EMPTY_FILE = "/api/v2/artifact"
"""Where BotMaestro makes the record of a file, which is none until its content has come."""


class Without(StrEnum):
    """A guard that is taken away, so that the harness must find something."""

    NOTHING = "nothing"
    CARE = "care"
    """Everything is repeated, whatever it is."""
    PATIENCE = "patience"
    """Nothing waits until what was lost can no longer come."""
    MEMORY = "memory"
    """What is started again is not asked whether the first start may still come."""


@dataclass(slots=True)
class Found:
    """What all schedules came to."""

    schedules: int = 0
    requests: int = 0
    late: int = 0
    """Of the requests, those that were carried out after their clients had given them up."""
    ends: Counter[End] = field(default_factory=Counter)
    """What callers were told at first."""
    settled: Counter[Fate] = field(default_factory=Counter)
    """What `reconcile` told of what was left open."""
    violations: list[Violation] = field(default_factory=list)
    left_unknown: list[str] = field(default_factory=list)
    """What can be looked up, and is still unknown when nothing can come any more."""

    def count(self, wrong: Wrong) -> int:
        """How many keys are wrong in this way."""
        return sum(one.wrong is wrong for one in self.violations)


async def schedules(count: int = 10_000, *, seed: int = 1, without: Without = Without.NOTHING) -> Found:
    """Runs so many, with seeds from this one on."""
    found = Found()
    impatient = {"settle_window": 0} if without is Without.PATIENCE else {}
    with TemporaryDirectory() as folder, _unguarded(without):
        async with laboratory(list(OPERATIONS)) as lab:
            connections = {name: settings | impatient for name, settings in lab.connections.items()}
            settings = Settings.of({"connections": connections, "cache": {"encryption": "memory"}})
            for number in range(seed, seed + count):
                await _schedule(number, lab, settings, Path(folder) / str(number), found)
    return found


@contextmanager
def _unguarded(without: Without) -> Iterator[None]:
    with ExitStack() as changed:
        # what is the same for each bridge that is opened, and takes most of the time
        changed.enter_context(patch.object(registry, "installed", cache(registry.installed)))
        changed.enter_context(patch.object(Shape, "of", cache(Shape.of)))
        if without is Without.CARE:
            changed.enter_context(patch.object(retry, "_REPEATABLE_WHEN_UNSURE", frozenset(Effect)))
        if without is Without.PATIENCE:
            no_time = -HttpOptions().effect_timeout  # an effect is settled as soon as it is sent
            changed.enter_context(patch.object(effects, "LONGEST_TRY", no_time))
        if without is Without.MEMORY:
            changed.enter_context(patch.object(effects.Effects, "earlier", _forgotten))
        yield


async def _forgotten(*_: object, **__: object) -> None:
    """What an effect finds of an earlier one."""


async def _schedule(seed: int, lab: Lab, settings: Settings, folder: Path, found: Found) -> None:
    rng = random.Random(seed)  # noqa: S311 - it repeats the schedule
    lab.begin(random.Random(rng.random()))  # noqa: S311
    async with Bridge(settings, clock=lab.clock, random=random.Random(rng.random()), cache_dir=folder) as bridge:  # noqa: S311
        day = _Day(seed, rng, lab, bridge, found)
        await day.pass_by()
        await day.settle()
        day.judge()
    found.schedules += 1


class _Day:
    """One schedule."""

    def __init__(self, seed: int, rng: random.Random, lab: Lab, bridge: Bridge, found: Found) -> None:
        self._seed, self._random, self._lab, self._bridge, self._found = seed, rng, lab, bridge, found
        self._world = lab.sandbox.world
        self._journal = Journal(lambda: self._world.counters.get("exchange", 0))
        self._desks = [
            Desk(name, bridge[name], self._journal, lab.clock, random.Random(rng.random()))  # noqa: S311
            for name in OPERATIONS
        ]
        self._absent: list[Intent] = []
        """Effects of which `reconcile` said that they were not carried out, and no longer can be."""

    async def pass_by(self) -> None:
        """Callers do what they do, some at once, while much goes wrong."""
        draw = self._random
        self._world.faults.chaos = Chaos(
            draw.choice(CHANCES), seed=draw.getrandbits(32), longest_delay=draw.choice(DELAYS)
        )
        network = self._lab.network
        network.refused, network.hanging = draw.choice((0.0, 0.05)), draw.choice((0.0, 0.02))
        left = OPERATIONS_EACH
        while left > 0:
            together = min(left, draw.randint(1, MOST_AT_ONCE))
            desks = [draw.choice(self._desks) for _ in range(together)]
            await asyncio.gather(*(draw.choice(OPERATIONS[desk.vendor])(desk) for desk in desks))
            left -= together
        self._found.ends.update(told.end for told in self._journal.told)
        await self._reconcile()

    async def settle(self) -> None:
        """The bad day is over: what is open is looked up, and callers repeat what they still want."""
        self._world.faults.chaos = None
        self._lab.network.refused = self._lab.network.hanging = 0.0
        self._lab.clock.advance(LATER)
        await self._world.deliver()
        left = [one for one in await self._reconcile() if one.operation in FINDABLE and one.key]
        self._found.left_unknown += [f"seed {self._seed}: {one.what}" for one in left]
        self._look_for_the_absent()
        made = standing(self._lab.sandbox)
        for desk in self._desks:
            await desk.repeat(made[desk.vendor])

    def judge(self) -> None:
        """Holds what was told against what stands."""
        made = standing(self._lab.sandbox)
        exchanges = self._world.exchanges
        for desk in self._desks:
            self._found.violations += [
                Violation(self._seed, key, Wrong.UNTOLD, ()) for key in desk.untold(made[desk.vendor])
            ]
        everywhere = {key: ids for one in made.values() for key, ids in one.items()}
        self._found.violations += violations(
            self._seed, self._journal.told, everywhere, exchanges, preparing=EMPTY_FILE
        )
        self._found.requests += len(exchanges)
        self._found.late += sum(one.executed_at is not None and one.executed_at > one.at for one in exchanges)

    async def _reconcile(self) -> list[Intent]:
        """What is still open afterwards."""
        outbox = self._bridge._shared_outbox()
        assert outbox is not None
        before = {intent.op_id: intent for intent in outbox.entries()}
        async for row in self._bridge.reconcile():
            self._found.settled[row.fate] += 1
            if row.fate is Fate.ABSENT and row.operation in CREATING:
                self._absent.append(before[row.op_id])
        return outbox.entries()

    def _look_for_the_absent(self) -> None:
        state = json.dumps(self._lab.sandbox.dump()["faces"])
        for intent in self._absent:
            key = intent.key.partition(" ")[0]
            if key in state:
                self._found.violations.append(Violation(self._seed, key, Wrong.REFUSED_AND_DONE, ()))
