"""A process that dies between sending and hearing: what it did is found again, and never done twice.

The process is a real one, killed with SIGKILL while the sandbox withholds the answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.errors import NotFoundError
from rpa_bridge.helpers.reconciling import Fate
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.sync import Bridge
from rpa_bridge.testing import ManualClock, SandboxThread
from rpa_bridge.transport.sqlite_outbox import SqliteOutbox

PATIENCE = 60.0
"""Seconds for a child process to come as far as its request."""
EFFECTS = {
    "start": 'jobs.start("Invoices", {"month": "Jänner \'26"}, key="k \'1\'")',
    "start without a key": 'jobs.start("Invoices")',
    "add": 'queues.add("Letters", ItemDraft(values={"a": "1"}, reference="r-1"))',
    "add many": 'queues.add_many("Letters", [ItemDraft(values={"n": "1"}, reference=f"r-{n}") for n in range(5)])',
    "take": 'queues.take("Letters")',
}
REQUESTS = {
    ("uipath", "start"): "POST *StartJobs",
    ("uipath", "start without a key"): "POST *StartJobs",
    ("uipath", "add"): "POST *AddQueueItem",
    ("uipath", "add many"): "POST *BulkAddQueueItems",
    ("uipath", "take"): "POST *StartTransaction",
    ("botmaestro", "start"): "POST /api/v2/task",
    ("botmaestro", "start without a key"): "POST /api/v2/task",
    ("botmaestro", "add"): "POST */push",
    ("botmaestro", "add many"): "POST */push",
    ("botmaestro", "take"): "GET */pull",
}
FINDABLE = [one for one in REQUESTS if one[1] != "take" and one != ("botmaestro", "start without a key")]
CHILD = """
import asyncio, sys
from rpa_bridge import Bridge, ItemDraft

async def main():
    async with Bridge.load() as bridge:
        await bridge[{vendor!r}].{effect}

asyncio.run(main())
"""


class Machine:
    """One machine with settings, the sandbox that they speak to, and the processes that run there."""

    def __init__(self, folder: Path, sandbox: SandboxThread) -> None:
        self.world, self.folder = sandbox.world, folder
        self.connections: dict[str, dict[str, Any]] = sandbox.connections
        settings = folder / "settings.json"
        settings.write_text(json.dumps({"connections": self.connections, "cache_dir": str(folder / "cache")}))
        settings.chmod(0o600)
        self._environ = os.environ | {"RPA_BRIDGE_SETTINGS": str(settings)}

    def hung(self, vendor: str, effect: str, when: When = When.AFTER) -> subprocess.Popen[bytes]:
        """A process whose request has reached the sandbox, and that will hear no answer to it."""
        request, before = REQUESTS[vendor, effect], self.open()
        self.world.faults.add(Fault(FaultKind.HANG, match=request, when=when, seconds=3600))
        code = CHILD.format(vendor=vendor, effect=EFFECTS[effect])
        process = subprocess.Popen([sys.executable, "-c", code], env=self._environ, stderr=subprocess.DEVNULL)
        wanted = 5 if (vendor, effect) == ("botmaestro", "add many") else 1
        until = time.monotonic() + PATIENCE
        count = self.executions if when is When.AFTER else self.arrived
        while count(request) < wanted or self.open() != before + 1:
            assert process.poll() is None, "it ended without its request"
            assert time.monotonic() < until, "the request never came"
            time.sleep(0.01)
        return process

    def crash(self, vendor: str, effect: str, when: When = When.AFTER) -> None:
        """Such a process, killed."""
        process = self.hung(vendor, effect, when)
        process.kill()
        process.wait()

    def arrived(self, request: str) -> int:
        """How many such requests have reached the sandbox."""
        return len(self._exchanges(request))

    def executions(self, request: str) -> int:
        """How many such requests it has carried out."""
        return sum(one.executed for one in self._exchanges(request))

    def open(self) -> int:
        """How many effects stand in the outbox."""
        outbox = SqliteOutbox(self.folder / "cache" / "state")
        try:
            return len(outbox.entries())
        finally:
            outbox.release()

    def _exchanges(self, request: str) -> list[Exchange]:
        return [one for one in list(self.world.exchanges) if fnmatchcase(f"{one.method} {one.path}", request)]

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """`rpa-bridge reconcile` with these arguments, as a process of its own."""
        command = [sys.executable, "-m", "rpa_bridge", "reconcile", "-o", "json", *arguments]
        return subprocess.Popen(
            command, env=self._environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )

    def reconcile(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Its exit code, and the rows that it printed."""
        process = self.begin(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err
        return process.returncode, json.loads(out) if out else []

    def later(self, seconds: float) -> Bridge:
        """A bridge on the same machine, some time afterwards."""
        self.world.clock.advance(seconds)
        return Bridge(
            {"connections": self.connections},
            clock=ManualClock(self.world.clock.now() + timedelta(seconds=1)),
            cache_dir=self.folder / "cache",
        )


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with SandboxThread(["uipath", "botmaestro"]) as sandbox:
        yield Machine(tmp_path, sandbox)


@pytest.mark.parametrize(("vendor", "effect"), FINDABLE)
def test_what_a_killed_process_did_is_found_and_was_done_once(machine: Machine, vendor: str, effect: str) -> None:
    machine.crash(vendor, effect)
    done = machine.executions(REQUESTS[vendor, effect])

    code, (row,) = machine.reconcile()

    assert (code, row["fate"], row["connection"]) == (0, "found", vendor), row["message"]
    assert len(row["ids"]) == (5 if (vendor, effect) == ("uipath", "add many") else 1)
    with machine.later(0) as bridge:
        if effect.startswith("start"):
            (job,) = bridge[vendor].jobs.find()
            assert [job.id] == row["ids"]
        else:
            there = [item.id for item in bridge[vendor].queues.items("Letters")]
            assert set(row["ids"]) <= set(there)
            assert len(there) == (5 if effect == "add many" else 1)
        assert list(bridge.reconcile()) == []
    assert machine.executions(REQUESTS[vendor, effect]) == done


@pytest.mark.parametrize(("vendor", "effect"), [one for one in FINDABLE if one != ("botmaestro", "add many")])
def test_what_never_happened_is_absent_once_it_can_no_longer_come(machine: Machine, vendor: str, effect: str) -> None:
    machine.crash(vendor, effect, When.BEFORE)

    code, (row,) = machine.reconcile()
    assert (code, row["fate"]) == (5, "unknown")
    assert "may still come" in row["message"]

    with machine.later(600) as bridge:
        (told,) = bridge.reconcile()
        assert (told.fate, told.ids) == (Fate.ABSENT, ())
        assert list(bridge.reconcile()) == []
    assert machine.executions(REQUESTS[vendor, effect]) == 0


def test_what_was_long_ago_is_not_taken_for_absent(machine: Machine) -> None:
    machine.crash("uipath", "add", When.BEFORE)

    with machine.later(8 * 86400) as bridge:
        (told,) = bridge.reconcile()

    assert told.fate is Fate.UNKNOWN
    assert "cleaned up" in told.message


def test_a_process_that_is_still_at_work_is_left_alone(machine: Machine) -> None:
    process = machine.hung("uipath", "start")
    try:
        code, (row,) = machine.reconcile()
        assert (code, row["fate"]) == (5, "unknown")
        assert "still at work" in row["message"]
        assert machine.reconcile(row["op_id"], "--forget")[0] == 5
    finally:
        process.kill()
        process.wait()

    code, (row,) = machine.reconcile(row["op_id"])
    assert (code, row["fate"]) == (0, "found")


def test_two_who_reconcile_at_once_do_not_disturb_each_other(machine: Machine) -> None:
    machine.crash("uipath", "start")
    machine.crash("botmaestro", "add")

    both = [machine.begin(), machine.begin()]
    told = [json.loads(one.communicate(timeout=PATIENCE)[0]) for one in both]

    assert [one.returncode for one in both] == [0, 0]
    assert {row["fate"] for rows in told for row in rows} == {"found"}
    assert {row["connection"] for rows in told for row in rows} == {"uipath", "botmaestro"}
    assert machine.reconcile() == (0, [])


def test_what_cannot_be_looked_up_stays_until_a_person_has_looked(machine: Machine) -> None:
    machine.crash("uipath", "take")
    machine.crash("botmaestro", "take")
    machine.crash("botmaestro", "start without a key")

    code, rows = machine.reconcile()
    assert code == 5
    assert [(row["connection"], row["operation"], row["fate"]) for row in rows] == [
        ("uipath", "queues.take", "unknown"),
        ("botmaestro", "queues.take", "unknown"),
        ("botmaestro", "jobs.start", "unknown"),
    ]
    assert all("--forget" in row["message"] for row in rows)

    assert machine.reconcile("--forget")[0] == 2
    assert machine.reconcile(rows[0]["op_id"], "--forget")[1][0]["fate"] == "forgotten"
    assert len(machine.reconcile("--on", "botmaestro")[1]) == 2
    assert machine.reconcile("--on", "uipath") == (0, [])
    assert machine.reconcile("no-such-id")[0] == 8


def test_a_connection_that_means_another_place_by_now_settles_nothing(machine: Machine) -> None:
    machine.crash("uipath", "start")
    moved = {"uipath": {**machine.connections["uipath"], "folder": "Elsewhere"}}

    with Bridge({"connections": moved}, cache_dir=machine.folder / "cache") as bridge:
        (told,) = bridge.reconcile()
        with pytest.raises(NotFoundError):
            list(bridge.reconcile("no-such-id"))

    assert told.fate is Fate.UNKNOWN
    assert "folder Elsewhere" in told.message


def test_the_outbox_holds_no_value_and_no_secret(machine: Machine) -> None:
    machine.crash("uipath", "start")
    machine.crash("botmaestro", "add many")

    folder = machine.folder / "cache" / "state"
    held = b"".join(path.read_bytes() for path in folder.iterdir())

    assert b"k '1'" in held
    assert "Jänner".encode() not in held
    for connection in machine.connections.values():
        for secret in (connection.get("key"), connection.get("auth", {}).get("client_secret")):
            assert secret is None or secret.encode() not in held
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
