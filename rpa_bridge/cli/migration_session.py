"""A migration on the command line: its files, its signals, and how far it is."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import SecretStr

from rpa_bridge import migration
from rpa_bridge.settings.documents import NOWHERE
from rpa_bridge.settings.references import Resolver

from .migration_options import journal_of
from .migration_progress import shown
from .render import note

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.contract.adapter import Adapter


def read_plan(path: Path) -> migration.Plan:
    """The plan in this file. Raises MigrationError for what is none."""
    return migration.Plan.loads(path.read_text(encoding="utf-8", errors="replace"))


def write_plan(path: Path, plan: migration.Plan) -> None:
    """Writes the plan into the file, which has the whole of it or what it had before."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(plan.dumps(), encoding="utf-8")
    part.replace(path)


def refuse_unbegun(plan: Path, journal: Path | None) -> Path:
    """The plan's journal. Raises UsageError where there is none."""
    path = journal_of(plan, journal)
    if not path.exists():
        raise click.UsageError(f"{path} is not there: nothing was begun, or the journal has another name")
    return path


def resolve(reference: str) -> SecretStr:
    """What a reference of the rules stands for. Raises ConfigError."""
    return SecretStr(Resolver(NOWHERE).resolve(reference, ("rules", "credentials", "values")))


@asynccontextmanager
async def running(bridge: Bridge, plan: Path, journal: Path | None, **more: Any) -> AsyncIterator[migration.Run]:
    """The run of a plan between the connections that it names."""
    document = read_plan(plan)
    source, target = bridge[document.source.connection], bridge[document.target.connection]
    async with between(source, target, document, journal_of(plan, journal), **more) as run:
        yield run


@asynccontextmanager
async def between(
    source: Adapter, target: Adapter, plan: migration.Plan, journal: Path, **more: Any
) -> AsyncIterator[migration.Run]:
    """The run of a plan between two connections, with bars."""
    with shown() as on_progress:
        run = migration.Run(
            plan=plan,
            source=source,
            target=target,
            journal=migration.SqliteJournal(journal),
            on_progress=on_progress,
            resolve=resolve,
            **more,
        )
        async with run:
            yield run


@asynccontextmanager
async def opened(plan: Path, journal: Path | None) -> AsyncIterator[tuple[migration.Plan, migration.Journal]]:
    """The plan and its journal, without its two ends. Raises UsageError where nothing was begun."""
    path = refuse_unbegun(plan, journal)
    document, kept = read_plan(plan), migration.SqliteJournal(path)
    await kept.open(document.id)
    try:
        yield document, kept
    finally:
        await kept.close()


@asynccontextmanager
async def looked_into(plan: Path, journal: Path | None) -> AsyncIterator[tuple[migration.Plan, migration.Journal]]:
    """The plan and its journal, to be read alone; who is at work on it is told. Raises UsageError as `opened` does."""
    path = refuse_unbegun(plan, journal)
    document, kept = read_plan(plan), migration.SqliteJournal(path)
    if who := await kept.peek(document.id):
        note(f"at work on it: {who}")
    try:
        yield document, kept
    finally:
        await kept.close()


@asynccontextmanager
async def draining(run: migration.Run) -> AsyncIterator[None]:
    """Ctrl-C, or being told to end, once finishes what is under way; a second time it ends at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if run.draining.is_set() and task is not None:
            task.cancel()
            return
        run.draining.set()
        note("finishing what is under way; Ctrl-C again stops at once")

    signals = [signal.SIGINT, signal.SIGTERM]
    before = {one: signal.getsignal(one) for one in signals}
    for one in signals:
        signal.signal(one, lambda *_: loop.call_soon_threadsafe(end))
    try:
        yield
    except asyncio.CancelledError:
        if not run.draining.is_set():
            raise
        note("stopped; what was perhaps sent is looked for first when it goes on")
        raise click.Abort from None
    finally:
        for one in signals:
            signal.signal(one, before[one])
