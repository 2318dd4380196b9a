"""One life of a migration: a fork that goes on with it until it is done, or dies."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.applying.apply import apply
from rpa_bridge.migration.documents import Plan
from rpa_bridge.migration.ending.activate import activate
from rpa_bridge.migration.ending.retire import retire
from rpa_bridge.migration.ending.rollback import rollback
from rpa_bridge.migration.journal.base import LETTERS
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.running import Progress, Run
from rpa_bridge.migration.verifying.verify import verify

from .ledger_worker import Child
from .migration_ends import Platforms

JOURNAL = "j.db"
EVERY = 100_000
MIB = 1024 * 1024
APPLY = ("apply",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a life told at its end."""

    open: int = 0
    letters: Sequence[str] = ()
    """What must be looked at, and why."""
    equal: bool = True
    """As far as it was verified."""
    refused: str = ""
    """Why it did not go on."""
    memory: dict[str, list[float]] = field(default_factory=dict)
    """By stage: resident MiB at each EVERY items."""


class Life:
    """A fork that works on one migration."""

    def __init__(self, child: Child) -> None:
        self._child = child

    @classmethod
    def begin(
        cls, ends: Platforms, document: Plan, folder: Path, *, stages: Sequence[str] = APPLY, **more: Any
    ) -> Life:
        """Goes through the stages; each goes on from where a life before was."""

        async def work(told: int) -> None:
            try:
                end = await _gone_through(ends, document, folder, stages, more)
            except MigrationError as error:
                end = {"refused": str(error)}
            os.write(told, json.dumps(end).encode())

        return cls(Child.begin(work))

    def ended_within(self, seconds: float) -> bool:
        return bool(select.select([self._child.heard], [], [], seconds)[0])

    def stops(self) -> bool:
        """Waits until it stops itself; False when it ended before."""
        end = os.waitid(os.P_PID, self._child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return end is not None and end.si_code == os.CLD_STOPPED

    def signal(self, number: signal.Signals) -> None:
        self._child.signal(number)

    def told(self, *, may_die: bool) -> Told | None:
        """What it told at its end; None when it died."""
        content = self._child.rest()
        assert content or may_die, "a life broke off by itself; see what it wrote to stderr"
        return Told(**json.loads(content)) if content else None


async def _gone_through(
    ends: Platforms, document: Plan, folder: Path, stages: Sequence[str], more: dict[str, Any]
) -> dict[str, Any]:
    async with ends.bridge() as bridge:
        watch = _Watch()
        run = Run(
            plan=document,
            source=bridge[document.source.connection],
            target=bridge[document.target.connection],
            journal=SqliteJournal(folder / JOURNAL),
            on_progress=watch,
            **more,
        )
        end: dict[str, Any] = {"memory": watch.seen}
        async with run:
            for stage in stages:
                end |= await _STAGES[stage](run)
        return end


async def _apply(run: Run) -> dict[str, Any]:
    done = await apply(run, allow_live=True)
    letters = await run.journal.rows(states=LETTERS) if done.letters else []
    return {"open": done.open, "letters": [f"{row.key}: {row.code}, {row.hint}" for row in letters]}


async def _verify(run: Run) -> dict[str, Any]:
    return {"equal": (await verify(run, deep=True)).equal}


async def _activate(run: Run) -> dict[str, Any]:
    await activate(run)
    return {}


async def _retire(run: Run) -> dict[str, Any]:
    await retire(run)
    return {}


async def _rollback(run: Run) -> dict[str, Any]:
    await rollback(run)
    return {}


_STAGES: dict[str, Callable[[Run], Coroutine[Any, Any, dict[str, Any]]]] = {
    "apply": _apply,
    "verify": _verify,
    "activate": _activate,
    "retire": _retire,
    "rollback": _rollback,
}


class _Watch:
    """Looks at the memory as things go on."""

    def __init__(self) -> None:
        self.seen: defaultdict[str, list[float]] = defaultdict(list)

    def __call__(self, progress: Progress) -> None:
        seen = self.seen[progress.stage]
        if progress.done // EVERY > len(seen):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen.append(round(pages * resource.getpagesize() / MIB, 1))


def dying_at(label: str, *, after: int = 0, by: signal.Signals = signal.SIGKILL) -> Callable[[str], None]:
    """Kills its own process, or stops it, when the point is reached, after so many times that it goes on."""
    left = after

    def reached(here: str) -> None:
        nonlocal left
        if here == label:
            if left == 0:
                os.kill(os.getpid(), by)
            left -= 1

    return reached
