"""Row 21 of the reliability targets: many processes together ask for no more lists than the platform allows.

The processes are real, and so are the sockets, the files that they share, and their races for them; only the time is
not. Whoever sleeps tells the conductor until when, and when all do, it moves time on to the first who wakes. So ten
minutes take seconds, and a busy machine changes nothing in the count.

`python -m tests.faults.list_budget` reads one JSON object for each process, and forks.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import PropertyMock, patch

from rpa_bridge import Adapter, Bridge
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import SandboxThread
from rpa_bridge_uipath.settings import UiPathSettings

ROOT = Path(__file__).parents[2]
START = datetime(2030, 1, 1, tzinfo=UTC)
MINUTE = 60.0
ALLOWED = 100
"""Lists of one kind in a minute. docs: uipath.md 5.4"""
PATIENCE = 120.0
"""Seconds of real time in which every process does something, or hangs."""
LISTS = ("Jobs", "QueueItems")
PAUSES = 0.02
"""How often a process rests after a list, until a moment at which others end their rest too: then they race."""
BETWEEN_RACES = 20.0
_SECONDS = struct.Struct("<d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the server counted."""

    lists: dict[str, int]
    """All of each kind."""
    most: dict[str, int]
    """Of each kind the most in any 60 seconds."""


def most_in_a_minute(processes: int = 8, minutes: float = 3.0, *, seed: int = 21, guard: bool = True) -> Asked:
    """Lists that the server was asked for. Without the guard each process keeps its budget to itself."""
    with ExitStack() as all_:
        folder = Path(all_.enter_context(tempfile.TemporaryDirectory()))
        sandbox = all_.enter_context(SandboxThread(["uipath"]))
        clock = sandbox.world.clock
        clock.freeze(START)
        conductor = all_.enter_context(socket.create_server(("127.0.0.1", 0)))
        conductor.settimeout(PATIENCE)
        usual = {
            "connection": sandbox.connections["uipath"],
            "conductor": conductor.getsockname()[1],
            "seconds": minutes * MINUTE,
        }
        folders = [str(folder / ("shared" if guard else f"own-{number}")) for number in range(processes)]
        each = [usual | {"cache_dir": own, "seed": f"{seed} {number}"} for number, own in enumerate(folders)]
        with _processes(each) as started, ExitStack() as open_:  # hung up first: they wait for us, and we for them
            _conduct([open_.enter_context(conductor.accept()[0]) for _ in each], clock.advance)
        if started.returncode:
            raise RuntimeError(f"a process failed; seed {seed}")
        return _counted(sandbox.world.exchanges)


def _processes(told: list[dict[str, Any]]) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.list_budget"], cwd=ROOT, stdin=subprocess.PIPE, text=True
    )
    assert started.stdin is not None
    started.stdin.write(json.dumps(told))
    started.stdin.close()
    return started


def _conduct(awake: list[socket.socket], advance: Callable[[float], None]) -> None:
    """Moves time on whenever nobody is awake, until all have hung up."""
    now = 0.0
    asleep: dict[socket.socket, float] = {}
    for one in awake:
        one.settimeout(PATIENCE)
    while True:
        for one in awake:
            if wish := one.recv(_SECONDS.size, socket.MSG_WAITALL):
                asleep[one] = max(now, *_SECONDS.unpack(wish))
        if not asleep:
            return
        earliest = min(asleep.values())
        advance(earliest - now)
        now = earliest
        awake = [one for one, until in asleep.items() if until <= now]
        for one in awake:
            del asleep[one]
            one.sendall(_SECONDS.pack(now))


def _counted(exchanges: list[Exchange]) -> Asked:
    moments: dict[str, list[datetime]] = {name: [] for name in LISTS}
    for one in exchanges:
        collection = one.path.partition("?")[0].rpartition("/odata/")[2]
        if one.method == "GET" and collection in moments:
            moments[collection].append(one.at)
    return Asked(
        lists={name: len(found) for name, found in moments.items()},
        most={name: _most(found) for name, found in moments.items()},
    )


def _most(moments: list[datetime]) -> int:
    """In any window of a minute; each begins with one of them."""
    end = timedelta(seconds=MINUTE)
    most, last = 0, 0
    for first, start in enumerate(moments):
        while last < len(moments) and moments[last] - start < end:
            last += 1
        most = max(most, last - first)
    return most


class Conducted:
    """A clock on which the whole process sleeps, until the conductor says what time it is."""

    def __init__(self, port: int) -> None:
        self.passed = 0.0
        self._conductor = socket.create_connection(("127.0.0.1", port))

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self._conductor.sendall(_SECONDS.pack(self.passed + max(0.0, seconds)))
        [self.passed] = _SECONDS.unpack(self._conductor.recv(_SECONDS.size, socket.MSG_WAITALL))
        await asyncio.sleep(0)


async def _ask_for_lists(told: dict[str, Any]) -> None:
    """Asks for one list after the other, as fast as it may."""
    clock, rng = Conducted(told["conductor"]), random.Random(told["seed"])  # noqa: S311 - a seed repeats it
    settings = {"connections": {"erp": told["connection"]}}
    with patch.object(UiPathSettings, "is_cloud", PropertyMock(return_value=True)):  # only the cloud counts lists
        async with Bridge(settings, clock=clock, random=rng, cache_dir=Path(told["cache_dir"])) as bridge:
            await clock.sleep(0)  # until all are there
            while clock.passed < told["seconds"]:
                await _list(bridge["erp"], rng.choice(LISTS))
                if rng.random() < PAUSES:
                    await clock.sleep(BETWEEN_RACES - clock.passed % BETWEEN_RACES)


async def _list(erp: Adapter, kind: str) -> None:
    rows = erp.jobs.find() if kind == "Jobs" else erp.queues.items("Invoices")
    async for _ in rows:
        return


def main() -> int:
    """Is as many processes as it is told of; gives the worst of their codes."""
    logging.getLogger("rpa_bridge").addHandler(logging.NullHandler())  # the time is another than the platform's
    children = [os.fork() or _be_one(told) for told in json.load(sys.stdin)]
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def _be_one(told: dict[str, Any]) -> NoReturn:
    status = 1
    try:
        asyncio.run(_ask_for_lists(told))
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must be heard of
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
