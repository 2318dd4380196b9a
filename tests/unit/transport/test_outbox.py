"""The outbox: what is written down, what outlasts what, and what a broken file costs (a warning)."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rpa_bridge.errors import (
    ConfigError,
    ConflictError,
    Delivery,
    OutcomeUnknownError,
    UnavailableError,
    UnsupportedError,
)
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.call import deadline
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.outbox import Intent
from rpa_bridge.transport.sqlite_outbox import BUSY, SqliteOutbox

AT = datetime(2030, 1, 1, tzinfo=UTC)
INTENT = Intent(
    op_id="op-1",
    connection="erp",
    place="https://erp.test, folder Shared",
    operation="jobs.start",
    subject="Rechnungen 'Süd'",
    key='k "1"',
    count=2,
    what="a job with Reference 'k \"1\"'",
    at=AT,
    settles_at=AT + timedelta(minutes=6),
)


@pytest.fixture
def outbox(tmp_path: Path) -> SqliteOutbox:
    return SqliteOutbox(tmp_path / "state")


def effects(outbox: SqliteOutbox | None) -> Effects:
    numbers = iter(range(1, 1000))
    return Effects(
        connection="erp",
        place="here",
        clock=ManualClock(),
        new_id=lambda: f"op-{next(numbers)}",
        outbox=outbox,
        settle_window=120.0,
        longest_attempt=60.0,
    )


def open_ids(outbox: SqliteOutbox) -> list[str]:
    return [one.op_id for one in outbox.entries()]


def test_what_is_written_down_is_read_back_oldest_first_until_it_is_closed(outbox: SqliteOutbox) -> None:
    second = replace(INTENT, op_id="op-0", at=AT + timedelta(microseconds=1))
    outbox.open(INTENT)
    outbox.open(second)

    assert outbox.entries() == [replace(INTENT, under_way=True), replace(second, under_way=True)]

    outbox.close("op-1")
    outbox.close("never there")
    assert open_ids(outbox) == ["op-0"]


def test_looking_makes_no_file(outbox: SqliteOutbox, tmp_path: Path) -> None:
    assert outbox.entries() == []
    assert list(tmp_path.iterdir()) == []


def test_an_intent_is_under_way_while_its_process_lives_and_no_longer(tmp_path: Path) -> None:
    sender, other = SqliteOutbox(tmp_path), SqliteOutbox(tmp_path)
    sender.open(INTENT)
    assert [one.under_way for one in other.entries()] == [True]

    sender.leave("op-1")
    assert [one.under_way for one in other.entries()] == [False]

    sender.open(replace(INTENT, op_id="op-2"))
    sender.release()
    assert [one.under_way for one in other.entries()] == [False, False]


def test_a_seat_that_is_taken_anew_does_not_make_the_dead_ones_intents_alive(tmp_path: Path) -> None:
    dead, next_one = SqliteOutbox(tmp_path), SqliteOutbox(tmp_path)
    dead.open(INTENT)
    dead.release()
    next_one.open(replace(INTENT, op_id="op-2"))

    assert {one.op_id: one.under_way for one in next_one.entries()} == {"op-1": False, "op-2": True}


def test_two_processes_at_work_have_seats_of_their_own(tmp_path: Path) -> None:
    first, second = SqliteOutbox(tmp_path), SqliteOutbox(tmp_path)
    first.open(INTENT)
    second.open(replace(INTENT, op_id="op-2"))
    second.release()

    assert {one.op_id: one.under_way for one in first.entries()} == {"op-1": True, "op-2": False}


def test_a_fork_takes_a_seat_of_its_own_and_leaves_the_parents(outbox: SqliteOutbox) -> None:
    outbox.open(INTENT)
    child = os.fork()
    if child == 0:
        outbox.open(replace(INTENT, op_id="op-2"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

    assert {one.op_id: one.under_way for one in outbox.entries()} == {"op-1": True, "op-2": False}


@pytest.mark.parametrize("durable", [False, True])
def test_it_outlasts_kill_9(tmp_path: Path, durable: bool) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.unit.transport.test_outbox import INTENT, SqliteOutbox\n"
        f"SqliteOutbox(Path(sys.argv[1]), durable={durable}).open(INTENT)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9

    assert SqliteOutbox(tmp_path).entries() == [INTENT]


def test_many_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from tests.unit.transport.test_outbox import INTENT, SqliteOutbox\n"
        "outbox = SqliteOutbox(Path(sys.argv[1]))\n"
        "for number in range(200):\n"
        "    outbox.open(replace(INTENT, op_id=f'{sys.argv[2]}-{number}'))\n"
        "    if number % 2:\n"
        "        outbox.close(f'{sys.argv[2]}-{number}')\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(number)], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    assert [one.communicate()[1] for one in running] == [b""] * 4

    assert len(SqliteOutbox(tmp_path).entries()) == 400


def _no_database(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "outbox.db").write_bytes(b"no database" * 1000)


def _no_folder(folder: Path) -> None:
    folder.write_bytes(b"")


def _another_schema(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    connection = sqlite3.connect(folder / "outbox.db")
    connection.execute("CREATE TABLE intent (something)")
    connection.execute("INSERT INTO intent VALUES (1)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("spoil", [_no_database, _no_folder, _another_schema])
def test_a_broken_outbox_costs_one_warning_and_no_effect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None]
) -> None:
    spoil(tmp_path / "state")
    outbox = SqliteOutbox(tmp_path / "state")

    done = 0
    for _ in range(3):
        with effects(outbox).noted("jobs.start", "a job"):
            done += 1

    assert done == 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "move it away" in caplog.text


@pytest.mark.parametrize("spoil", [_no_database, _another_schema])
def test_a_broken_outbox_is_an_error_for_whoever_asks_what_is_in_it(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(tmp_path / "state")

    with pytest.raises(ConfigError, match=r"outbox.*cannot be read.*move it away"):
        SqliteOutbox(tmp_path / "state").entries()


def test_success_and_a_definite_refusal_leave_nothing_open(outbox: SqliteOutbox) -> None:
    ours = effects(outbox)
    with ours.noted("jobs.start", "a job"):
        assert open_ids(outbox) == ["op-1"]
    for decided in (
        UnavailableError("never left", delivery=Delivery.NOT_SENT),
        ConflictError("no"),
        UnsupportedError("x", adapter="a"),
    ):
        with pytest.raises(type(decided)), ours.noted("jobs.start", "a job"):
            raise decided

    assert outbox.entries() == []


@pytest.mark.parametrize(
    "unsure",
    [UnavailableError("cut"), OutcomeUnknownError("?"), asyncio.CancelledError(), ValueError("a fault of ours")],
)
def test_any_other_end_leaves_it_open_and_nobodys(outbox: SqliteOutbox, unsure: BaseException) -> None:
    with pytest.raises(type(unsure)), effects(outbox).noted("jobs.start", "a job", subject="A", key="k"):
        raise unsure

    (left,) = outbox.entries()
    assert (left.op_id, left.under_way, left.subject, left.key) == ("op-1", False, "A", "k")
    assert left.settles_at - left.at == timedelta(seconds=120), "from now on nothing of it is sent any more"


async def test_a_lost_answer_that_is_found_is_closed_and_one_that_is_not_stays(outbox: SqliteOutbox) -> None:
    ours, found = effects(outbox), [None, "j-1"]

    async def send() -> str:
        assert len(outbox.entries()) == 1, "it is written down before it is sent"
        raise UnavailableError("cut")

    async def look_up() -> str | None:
        return found.pop() if found else None

    assert await ours.once(send, look_up, operation="jobs.start", what="a job") == "j-1"
    assert outbox.entries() == []

    with pytest.raises(OutcomeUnknownError):
        await ours.once(send, look_up, operation="jobs.start", what="a job")
    assert open_ids(outbox) == ["op-2"]


def test_one_that_was_stopped_while_it_wrote_is_waited_for_once_and_not_with_every_effect(
    outbox: SqliteOutbox, tmp_path: Path
) -> None:
    outbox.open(INTENT)
    other = SqliteOutbox(tmp_path / "state")
    stopped = sqlite3.connect(tmp_path / "state" / "outbox.db", isolation_level=None)
    stopped.execute("BEGIN IMMEDIATE")

    began = time.monotonic()
    for number in range(20):
        for one in (outbox, other):
            one.open(replace(INTENT, op_id=f"op-{number + 2}"))
            one.close(f"op-{number + 2}")
    assert time.monotonic() - began < 20 * BUSY, "80 times it would be 40 seconds"

    stopped.close()
    for number, one in enumerate((outbox, other)):
        one.open(replace(INTENT, op_id=f"after-{number}"))
    assert {one.op_id for one in outbox.entries()} == {INTENT.op_id, "after-0", "after-1"}


def test_it_is_known_when_the_last_of_a_key_is_settled(outbox: SqliteOutbox, tmp_path: Path) -> None:
    assert outbox.settles_at(INTENT.place, INTENT.key) is None
    assert not (tmp_path / "state").exists()

    outbox.open(INTENT)
    outbox.open(replace(INTENT, op_id="op-2", settles_at=AT + timedelta(minutes=9)))
    assert outbox.settles_at(INTENT.place, INTENT.key) == AT + timedelta(minutes=9)
    assert outbox.settles_at("elsewhere", INTENT.key) is None
    assert outbox.settles_at(INTENT.place, "another") is None

    outbox.leave("op-2", AT + timedelta(minutes=2))
    assert outbox.settles_at(INTENT.place, INTENT.key) == AT + timedelta(minutes=6)


@pytest.mark.parametrize("kept", ["written down", "in memory", "in a file that is spoilt"])
async def test_what_may_still_come_of_an_earlier_effect_is_waited_for(
    outbox: SqliteOutbox, kept: str, tmp_path: Path
) -> None:
    if kept == "in a file that is spoilt":
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "state" / "outbox.db").write_bytes(b"this is no database" * 99)
    ours = effects(None if kept == "in memory" else outbox)
    clock = ours.clock
    assert isinstance(clock, ManualClock)
    lands = clock.monotonic() + 40
    looks: list[float] = []

    async def look_up() -> str | None:
        looks.append(clock.monotonic())
        return "j-1" if clock.monotonic() >= lands else None

    def earlier(key: str) -> Awaitable[str | None]:
        return ours.earlier(look_up, operation="jobs.start", what="a job", key=key)

    with pytest.raises(UnavailableError), ours.noted("jobs.start", "a job", subject="A", key="k"):
        raise UnavailableError("cut")

    assert (await earlier("another"), looks) == (None, [])
    assert await earlier("k") == "j-1"
    clock.advance(120)
    lands = math.inf
    assert await earlier("k") is None, "it can no longer come"


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_was_decided_is_not_waited_for(outbox: SqliteOutbox, is_kept: bool) -> None:
    ours = effects(outbox if is_kept else None)

    async def look_up() -> str | None:
        raise AssertionError

    with pytest.raises(ConflictError), ours.noted("jobs.start", "a job", subject="A", key="k"):
        raise ConflictError("no")

    assert await ours.earlier(look_up, operation="jobs.start", what="a job", key="k") is None


def test_a_blind_effect_is_written_down_as_one_that_cannot_be_looked_up(outbox: SqliteOutbox) -> None:
    with pytest.raises(OutcomeUnknownError), effects(outbox).blindly("queues.take", "an item may be taken"):
        raise UnavailableError("cut", operation="queues.take")

    (left,) = outbox.entries()
    assert (left.operation, left.subject, left.key, left.what) == ("queues.take", "", "", "an item may be taken")


async def test_a_key_that_is_a_secret_is_not_written_down_and_keeps_a_second_start_waiting_all_the_same(
    outbox: SqliteOutbox, tmp_path: Path
) -> None:
    REDACTOR.add("outbox-canary-1")
    key = "x-outbox-canary-1"
    with (
        pytest.raises(UnavailableError),
        effects(outbox).noted("jobs.start", "a job with key outbox-canary-1", subject="A", key=key),
    ):
        raise UnavailableError("cut")

    (left,) = outbox.entries()
    assert (left.subject, left.what) == ("", "a job with key ***")
    assert b"outbox-canary" not in b"".join(one.read_bytes() for one in (tmp_path / "state").iterdir())

    async def look_up() -> str | None:
        return None

    another_process = effects(SqliteOutbox(tmp_path / "state"))
    with pytest.raises(OutcomeUnknownError), deadline(30, clock=another_process.clock):
        await another_process.earlier(look_up, operation="jobs.start", what="a job", key=key)


def test_without_an_outbox_nothing_is_noted_and_no_id_is_drawn() -> None:
    def no_id() -> str:
        raise AssertionError

    with replace(effects(None), new_id=no_id).noted("jobs.start", "a job") as noted:
        assert noted is None
