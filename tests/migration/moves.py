"""Migrations for tests: planned, carried out, and looked at from the outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.queues import ItemState
from rpa_bridge.migration.applying.apply import Applied, apply
from rpa_bridge.migration.canonical import canonical
from rpa_bridge.migration.content import item_hash
from rpa_bridge.migration.documents import Plan
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.running import Run
from rpa_bridge.migration.selection import Selection
from tests.migration.ends import EVERYTHING, Ends, fitting_rules


class Crash(BaseException):
    """The process dies here."""


def crash_at(label: str, *, after: int = 0) -> Callable[[str], None]:
    """Dies when the point is reached, after so many times that it lives on."""
    left = after

    def reached(here: str) -> None:
        nonlocal left
        if here == label:
            if left == 0:
                raise Crash(label)
            left -= 1

    return reached


async def planned(ends: Ends, select: Selection = EVERYTHING, rules: Rules | None = None) -> Plan:
    """The plan, with rules with which everything can go."""
    rules = await fitting_rules(ends.target.adapter) if rules is None else rules
    return await plan(ends.source.adapter, ends.target.adapter, select, rules=rules, clock=ends.clock)


@asynccontextmanager
async def running(ends: Ends, document: Plan, folder: Path, **more: object) -> AsyncIterator[Run]:
    """A run with its journal in this folder."""
    run = Run(
        plan=document,
        source=ends.source.adapter,
        target=ends.target.adapter,
        journal=SqliteJournal(folder / "journal.db"),
        clock=ends.clock,
        **more,  # type: ignore[arg-type]
    )
    async with run:
        yield run


async def applied(ends: Ends, document: Plan, folder: Path, **more: object) -> Applied:
    """What carrying it out has come to; a source that is at work is no obstacle."""
    async with running(ends, document, folder, **more) as run:
        return await apply(run, allow_live=True)


async def items_of(adapter: Adapter, queue: str, *, state: ItemState | None = ItemState.NEW) -> Counter[str]:
    """The content of a queue, each as often as it is there."""
    return Counter([item_hash(item) async for item in adapter.queues.items(queue, state=state)])


async def assets_of(adapter: Adapter, prefix: str) -> dict[str, str]:
    """The values of the assets whose names begin so, as text, by name."""
    found = [one async for one in adapter.assets.find() if one.name.startswith(prefix)]
    return {one.name: canonical([one.type, one.value]) for one in found}


async def files_of(adapter: Adapter) -> dict[str, bytes]:
    """The content of all files, by name."""
    found = {}
    async for one in adapter.artifacts.find():
        async with adapter.artifacts.open(one) as pieces:
            found[one.name] = b"".join([piece async for piece in pieces])
    return found
