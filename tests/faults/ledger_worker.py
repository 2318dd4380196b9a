"""Processes at work on a journal, which are killed or stopped. They are forks of one interpreter without threads.

`python -m tests.faults.ledger_worker` reads one JSON object and writes another; see `ledgers`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.journal import file as journal_file
from rpa_bridge.migration.journal.base import Change, RowState
from rpa_bridge.migration.journal.lease import Lease
from rpa_bridge.migration.journal.sqlite import SqliteJournal

from .ledger_story import (
    BATCH,
    MEMORY,
    PLAN,
    ROWS,
    START,
    STEPS,
    Deed,
    Story,
    dump,
    go_on,
    never_sent,
    rows_of,
    sent_twice,
    stock_of,
)

LONGEST = 0.004
"""Seconds from a change, within which a process is killed: as long as one takes."""
LATEST = 20
"""Batches after which a process is stopped at the latest; it has some more."""
IMPATIENT = 100
"""Milliseconds for which a process waits for one that was stopped in the middle of a change."""


@dataclass(frozen=True, slots=True)
class Child:
    """A fork, and what it tells."""

    pid: int
    heard: int

    @classmethod
    def begin(cls, work: Callable[[int], Coroutine[Any, Any, None]]) -> Child:
        """`work` is given where to write."""
        heard, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            _work(work(told))
        os.close(told)
        return cls(pid, heard)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def rest(self) -> bytes:
        """All that it still tells until it ends."""
        with os.fdopen(self.heard, "rb") as told:
            content = told.read()
        os.waitpid(self.pid, 0)
        return content


def _work(work: Coroutine[Any, Any, None]) -> NoReturn:
    try:
        asyncio.run(work)
    except BaseException:  # noqa: BLE001 - whatever it is, it must be heard of
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def killed(count: int, seed: int, guard: bool) -> list[str]:
    differences = []
    for number in range(count):
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - a seed repeats it
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            deeds = Story(rng).tell()
            expected: list[Any] = [
                json.loads(line) for line in Child.begin(_telling(Path(folder, "told.db"), deeds)).rest().splitlines()
            ]
            path = Path(folder, "j.db")
            child = Child.begin(_doing(path, deeds))
            done = _read(child.heard, rng.randrange(1, len(deeds)))
            time.sleep(rng.uniform(0, LONGEST))
            child.signal(signal.SIGKILL)
            done += len(child.rest())
            found = json.loads(Child.begin(_looking(path)).rest())
            if found not in [_opened_again(one) for one in expected[done - 1 : done + 1]]:
                differences.append(f"seed {seed}, number {number}, after {done - 1} changes: {found}")
    return differences


def _telling(path: Path, deeds: list[Deed]) -> Callable[[int], Coroutine[Any, Any, None]]:
    """Tells all that there is when it is opened, and after each change."""

    async def work(told: int) -> None:
        journal = SqliteJournal(path)
        await journal.open(PLAN)
        with os.fdopen(told, "w") as line:
            print(json.dumps(await dump(journal)), file=line)
            for deed in deeds:
                await deed.carry_out(journal)
                print(json.dumps(await dump(journal)), file=line)
        await journal.close()

    return work


def _doing(path: Path, deeds: list[Deed]) -> Callable[[int], Coroutine[Any, Any, None]]:
    """Tells that it is open, and that a change is made."""

    async def work(told: int) -> None:
        journal = SqliteJournal(path)
        await journal.open(PLAN)
        os.write(told, b".")
        for deed in deeds:
            await deed.carry_out(journal)
            os.write(told, b".")
        await journal.close()

    return work


def _looking(path: Path) -> Callable[[int], Coroutine[Any, Any, None]]:
    async def work(told: int) -> None:
        journal = SqliteJournal(path)
        await journal.open(PLAN)
        with os.fdopen(told, "w") as line:
            json.dump(await dump(journal), line)
        await journal.close()

    return work


def _opened_again(told: Any) -> Any:
    rows, *others = told
    unknown = [[RowState.UNKNOWN if value == RowState.INTENT else value for value in row] for row in rows]
    return [unknown, *others]


def _read(heard: int, count: int) -> int:
    """Waits for so many; how many came."""
    found = 0
    while found < count and (some := os.read(heard, count - found)):
        found += len(some)
    return found


def zombies(count: int, seed: int, guard: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"doubled": [], "lost": [], "late": [], "refused": 0}
    with patch.object(journal_file, "BUSY_TIMEOUT", IMPATIENT):
        for number in range(count):
            with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
                rng = random.Random(f"{seed} {number}")  # noqa: S311 - a seed repeats it
                _one_zombie(Path(folder), rng, f"seed {seed}, number {number}", result, guard)
    return result


def _one_zombie(folder: Path, rng: random.Random, what: str, result: dict[str, Any], guard: bool) -> None:
    """One works and is stopped; another takes over; the first goes on until it is refused; the other does the rest."""
    first = Child.begin(_sending(folder, guard=guard))
    _read(first.heard, rng.randrange(1, LATEST))
    time.sleep(rng.uniform(0, LONGEST))
    first.signal(signal.SIGSTOP)
    second = Child.begin(_taking_over(folder))
    if not os.read(second.heard, 1):  # the first was stopped in the middle of a change, and must be ended
        second.rest()
        first.signal(signal.SIGKILL)
        second = Child.begin(_taking_over(folder))
        os.read(second.heard, 1)
    before = _sent(folder)
    unsent = set(json.loads((folder / "planned").read_text()))
    first.signal(signal.SIGCONT)
    result["refused"] += first.rest().endswith(b"refused")
    late = _sent(folder) - before
    (folder / "go").touch()
    second.rest()
    target = _sent(folder)
    for name, found in (
        ("doubled", sent_twice(target)),
        ("lost", never_sent(target)),
        ("late", sorted(late.keys() & unsent)),
    ):
        if found:
            result[name].append(f"{what}: {found}")


def _sending(folder: Path, *, guard: bool) -> Callable[[int], Coroutine[Any, Any, None]]:
    async def work(told: int) -> None:
        journal = SqliteJournal(folder / "j.db")
        await journal.open(PLAN)
        for step in STEPS:
            await journal.add(step, rows_of(step), stock_of(ROWS))
        if not guard:
            patch.multiple(Lease, renew=lambda *_: None, check=lambda *_: None).start()
        try:
            await _send_all(journal, folder, told)
        except MigrationError:
            os.write(told, b"refused")

    return work


async def _send_all(journal: SqliteJournal, folder: Path, told: int) -> None:
    """Tells of each batch before it is sent."""
    while rows := await journal.rows(states={RowState.PLANNED}, limit=BATCH):
        os.write(told, b".")
        await journal.intend([row.seq for row in rows], START)
        await journal.check()
        _send(folder, [row.key for row in rows])
        await journal.settle([Change(seq=row.seq, to=RowState.CONFIRMED) for row in rows], START)


def _taking_over(folder: Path) -> Callable[[int], Coroutine[Any, Any, None]]:
    """Tells that it has taken over, waits until what the first sent has come, and does the rest."""

    async def work(told: int) -> None:
        journal = SqliteJournal(folder / "j.db")
        try:
            await journal.open(PLAN, take_over=True)
        except MigrationError:
            return
        planned = await journal.rows(states={RowState.PLANNED})
        (folder / "planned").write_text(json.dumps([row.key for row in planned]))
        os.write(told, b".")
        while not (folder / "go").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.001)
        target = _sent(folder)
        before = target.copy()
        await go_on(journal, target)
        _send(folder, (target - before).elements())
        await journal.close()

    return work


def _send(folder: Path, keys: Any) -> None:
    with (folder / "target").open("a") as target:
        target.write("".join(f"{key}\n" for key in keys))


def _sent(folder: Path) -> Counter[str]:
    return Counter((folder / "target").read_text().splitlines() if (folder / "target").exists() else [])


def main() -> int:
    told = json.load(sys.stdin)
    does: dict[str, Callable[[int, int, bool], Any]] = {"killed": killed, "zombies": zombies}
    json.dump(does[told["what"]](told["count"], told["seed"], told["guard"]), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
