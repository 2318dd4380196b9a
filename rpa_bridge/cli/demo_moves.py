"""What the demo moves: a queue goes from platform to platform and comes back, and a process is killed on the way."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpa_bridge import migration
from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.model import Neutral
from rpa_bridge.contract.queues import ItemDraft, ItemState, QueueDraft
from rpa_bridge.errors import MigrationError, NotFoundError
from rpa_bridge.migration.content import item_hash

from .render import note

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.contract.adapter import Adapter

ROUTE = ("uipath", "botmaestro", "local")
"""Connections in the order in which the queue goes through them, as far as they are there; then home again."""
QUEUE, BACK = "Demo move", "Demo move, back"
ITEMS = 400
KILL_AT = 60
"""Items at the target when the process that copies them is killed: some are on their way then."""
LOOK = 0.02
"""Seconds between two looks at how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(Neutral):
    """The way from one platform to the next."""

    source: str
    target: str
    items: int
    killed_at: int | None
    """Items that were there when the process was killed; None where nothing was killed."""
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour(Neutral):
    """The whole way, back to where it began."""

    legs: tuple[Leg, ...]
    sent: int
    back: int
    """Items that came back, each once and with the same content."""


async def tour(bridge: Bridge, connections: Mapping[str, Any], clock: Clock, folder: Path) -> Tour:
    """Moves a queue through the platforms and back to the first; the first move is killed and goes on.

    Raises MigrationError when something is not equal at the end of a move.
    """
    names = [name for name in ROUTE if name in bridge]
    home = bridge[names[0]]
    await home.queues.create(QueueDraft(name=QUEUE))
    if Feature.QUEUE_DEACTIVATE in home.capabilities:
        await home.queues.deactivate(QUEUE)
    drafts = [ItemDraft(reference=f"move-{n}", values={"number": str(4711 + n), "amount": n / 4}) for n in range(ITEMS)]
    await home.queues.add_many(QUEUE, drafts)
    legs: list[Leg] = []
    for source, target in zip(names, [*names[1:], names[0]], strict=True):
        mover = _Mover(bridge[source], bridge[target], folder / f"{source}.plan.json", clock)
        legs.append(await mover.move(None if legs else connections, comes_home=target == names[0]))
    sent, back = [Counter([item_hash(one) async for one in home.queues.items(name)]) for name in (QUEUE, BACK)]
    return Tour(legs=tuple(legs), sent=sent.total(), back=(sent & back).total() if sent == back else 0)


class _Mover:
    """One migration, from its plan to the end of its verification."""

    def __init__(self, source: Adapter, target: Adapter, plan_file: Path, clock: Clock) -> None:
        self._source, self._target, self._plan_file, self._clock = source, target, plan_file, clock

    async def move(self, killed_with: Mapping[str, Any] | None, *, comes_home: bool) -> Leg:
        """Moves the queue; with settings for another process, that one begins and is killed."""
        rules = migration.Rules.of({"queues": [{"rename": BACK}]} if comes_home else {})
        plan = await migration.plan(self._source, self._target, migration.Selection(queues=(QUEUE,)), rules=rules)
        self._plan_file.write_text(plan.dumps(), encoding="utf-8")
        killed_at = None if killed_with is None else await self._begin_and_kill(killed_with)
        journal = migration.SqliteJournal(self._plan_file.with_name(f"{self._plan_file.name}.journal"))
        async with migration.Run(plan=plan, source=self._source, target=self._target, journal=journal) as run:
            await migration.apply(run)
            verification = await migration.verify(run)
        if not verification.equal:
            raise MigrationError(f"what came to {self._target.connection} differs; tell the adapter's author")
        note(f"{self._source.connection}: the queue is at {self._target.connection}, read back and equal")
        return Leg(
            source=self._source.connection,
            target=self._target.connection,
            items=sum(one.found for one in verification.steps if one.kind is migration.Kind.ITEMS),
            killed_at=killed_at,
            verified=verification.equal,
        )

    async def _begin_and_kill(self, connections: Mapping[str, Any]) -> int | None:
        """How many items were there when the process was killed; None when it was too quick."""
        settings = self._plan_file.with_name("settings.json")
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": connections, "cache_dir": None}), encoding="utf-8")
        command = ["-m", "rpa_bridge", "--settings", str(settings), "migrate", "apply", str(self._plan_file)]
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            while child.returncode is None and await self._there() < KILL_AT:
                await self._clock.sleep(LOOK)
        finally:
            with suppress(ProcessLookupError):
                child.kill()  # SIGKILL; Windows, which has none, terminates it
            _, said = await child.communicate()
        there = await self._there()
        if there < KILL_AT:
            raise MigrationError(f"the process that was to be killed has ended by itself: {said.decode()[-500:]}")
        if there == ITEMS:
            return None
        note(f"{self._source.connection}: the process that copied was killed when {there} of {ITEMS} were there")
        return there

    async def _there(self) -> int:
        with suppress(NotFoundError):
            return (await self._target.queues.stats(QUEUE)).counts.get(ItemState.NEW, 0)
        return 0
