"""Rows 5 and 6 of the reliability targets: journals on spoilt disks, and of processes that were killed or stopped.

Whatever became of a journal, it is refused, or nothing is lost or sent twice when the migration goes on with it.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.journal import file as journal_file
from rpa_bridge.migration.journal import session as journal_session
from rpa_bridge.migration.journal.session import Session
from rpa_bridge.migration.journal.sqlite import SqliteJournal

from .ledger_story import MEMORY, PLAN, Story, go_on, never_sent, sent_twice

ROOT = Path(__file__).parents[2]
FILES = ["j.db", "j.db-wal", "j.db.seq"]
DAMAGED = [["j.db"], ["j.db-wal"], ["j.db-wal"], ["j.db", "j.db-wal"], ["j.db.seq"]]
"""Which files a disk spoils at once; not those of the journal together with the one that watches over them."""
EVERY = 3
"""Changes between two copies."""


@dataclass(slots=True)
class Torn:
    """What became of spoilt journals."""

    refused: int = 0
    whole: int = 0
    """Opened as if nothing had been: what was spoilt is not in use."""
    doubted: int = 0
    """Opened, and known to have forgotten something."""
    doubled: list[str] = field(default_factory=list)
    """How to see it again: seed, number and what was spoilt, with the things that were sent twice."""
    lost: list[str] = field(default_factory=list)
    stumbled: list[str] = field(default_factory=list)
    """Opened, and broken all the same."""


def torn(count: int, seed: int, *, guard: bool = True) -> Torn:
    """So many spoilt journals, opened and gone on with. Without the guard nobody looks what they have become."""
    result = Torn()
    with ExitStack() as all_:
        folder = Path(all_.enter_context(tempfile.TemporaryDirectory(dir=MEMORY)))
        copies = _copies(folder, seed)
        if not guard:
            all_.enter_context(patch.object(journal_session, "check_whole"))
            all_.enter_context(patch.object(Session, "_doubt"))
        for number in range(count):
            rng = random.Random(f"{seed} {number}")  # noqa: S311 - a seed repeats it
            copy, target = rng.choice(copies)
            trial = Path(shutil.copytree(copy, folder / "trial"))
            damage = spoil(trial, rng)
            asyncio.run(_go_on(trial, target.copy(), f"seed {seed}, number {number}: {damage}", result))
            shutil.rmtree(trial)
    return result


def killed(count: int, seed: int) -> list[str]:
    """Kills so many processes at work on a journal; each difference from what they had been told was written."""
    return list(_by_forks("killed", count, seed, guard=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Zombies:
    """What processes did that were stopped, had their migration taken over, and went on."""

    doubled: list[str]
    lost: list[str]
    late: list[str]
    """What they wrote after it was taken over, or sent although it was not about to be sent before."""
    refused: int
    """Those that were told that they were too late."""


def zombies(count: int, seed: int, *, guard: bool = True) -> Zombies:
    """So many of them. Without the guard they do not ask whether the migration is still theirs."""
    return Zombies(**_by_forks("zombies", count, seed, guard=guard))


def _by_forks(what: str, count: int, seed: int, *, guard: bool) -> Any:
    """In an interpreter of its own, which may fork: it has no threads."""
    order = json.dumps({"what": what, "count": count, "seed": seed, "guard": guard})
    command = [sys.executable, "-m", "tests.faults.ledger_worker"]
    done = subprocess.run(command, cwd=ROOT, input=order, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _copies(folder: Path, seed: int) -> list[tuple[Path, Counter[str]]]:
    """Journals at many moments, some with most of it in the main file, some in the write-ahead log."""
    return [
        one
        for number, pages in enumerate([1000, 40, 12])
        for one in asyncio.run(_copied(folder / str(number), random.Random(f"{seed} {number}"), pages))  # noqa: S311
    ]


async def _copied(folder: Path, rng: random.Random, pages: int) -> list[tuple[Path, Counter[str]]]:
    found = []
    with patch.object(journal_file, "CHECKPOINT", pages):
        journal = SqliteJournal(folder / "j.db")
        await journal.open(PLAN)
        for number, deed in enumerate(Story(rng).tell()):
            await deed.carry_out(journal)
            if number % EVERY == 0:
                copy = folder / f"copy-{number}"
                copy.mkdir()
                for name in FILES:
                    shutil.copy(folder / name, copy)
                found.append((copy, deed.target))
        await journal.close()
    return found


def spoil(folder: Path, rng: random.Random) -> str:
    done = []
    for name in rng.choice(DAMAGED):
        content = bytearray((folder / name).read_bytes())
        way = rng.choice([_cut, _flip, _zeros])
        done.append(f"{name}: {way(content, rng)}" if content else f"{name} is empty")
        (folder / name).write_bytes(content)
    return ", ".join(done)


def _cut(content: bytearray, rng: random.Random) -> str:
    at = rng.randrange(len(content))
    del content[at:]
    return f"cut at {at}"


def _flip(content: bytearray, rng: random.Random) -> str:
    bits = rng.sample(range(8 * len(content)), rng.choice([1, 1, 2, 8]))
    for bit in bits:
        content[bit // 8] ^= 1 << bit % 8
    return f"bits {bits} turned"


def _zeros(content: bytearray, rng: random.Random) -> str:
    """A sector that was never written."""
    at = rng.randrange(0, len(content), 512)
    content[at : at + 512] = bytes(len(content[at : at + 512]))
    return f"zeros at {at}"


async def _go_on(folder: Path, target: Counter[str], what: str, result: Torn) -> None:
    journal = SqliteJournal(folder / "j.db")
    try:
        await journal.open(PLAN)
    except MigrationError:
        result.refused += 1
        return
    try:
        forgotten = any(text == journal_session.FORGOTTEN for _, text in await journal.notes())
        await go_on(journal, target)
    except MigrationError as error:
        result.stumbled.append(f"{what}: {error}")
        return
    finally:
        await journal.close()
    result.doubted += forgotten
    result.whole += not forgotten
    if twice := sent_twice(target):
        result.doubled.append(f"{what}: {twice}")
    if missing := never_sent(target):
        result.lost.append(f"{what}: {missing}")
