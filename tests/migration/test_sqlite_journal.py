"""The journal as a file: what is written is there whatever happens, or it is refused, or it is known to be missing."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal import file as journal_file
from rpa_bridge.migration.journal.base import Change, NewRow, RowState, StepKey, Stock
from rpa_bridge.migration.journal.file import network_type
from rpa_bridge.migration.journal.session import FORGOTTEN
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.testing import ManualClock

PLAN = "m-1"
STEP = StepKey(Kind.ITEMS, "Rechnungen 'Süd'")
NOW = ManualClock().now()
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and limits of POSIX")
FILLS_THE_DISK = """
import asyncio, resource, sys
from pathlib import Path
from rpa_bridge.errors import MigrationError
from tests.migration.test_sqlite_journal import PLAN, STEP, Stock, row
from rpa_bridge.migration.journal.sqlite import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    await journal.open(PLAN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    written = 0
    try:
        while True:
            await journal.add(STEP, [row(written)], Stock(count=written + 1))
            written += 1
    except MigrationError as error:
        print(written, error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await journal.add(STEP, [row(written)], Stock(count=written + 1))
    await journal.close()

asyncio.run(main())
"""


def row(number: int) -> NewRow:
    return NewRow(src_id=f"{number}", key=f"rb-1/{number}", src_hash="a" * 64, expect_hash="b" * 64)


@asynccontextmanager
async def opened(path: Path, *, take_over: bool = False) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(path, ManualClock())
    await journal.open(PLAN, take_over=take_over)
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def filled(path: Path, count: int = 6) -> AsyncIterator[SqliteJournal]:
    """With rows 1 to 6: two confirmed, two about to be sent, two planned."""
    async with opened(path) as journal:
        await journal.add(STEP, [row(number) for number in range(1, count + 1)], Stock(complete=True, count=count))
        await journal.intend([1, 2, 3, 4], NOW)
        await journal.settle([Change(seq=seq, to=RowState.CONFIRMED, dst_id=f"d{seq}") for seq in (1, 2)], NOW)
        yield journal


async def states(journal: SqliteJournal) -> list[RowState]:
    return [row.state for row in await journal.rows()]


async def _opens(path: Path) -> None:
    async with opened(path):
        return


def change_by_hand(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


@contextmanager
def nobody() -> Iterator[None]:
    """Root may write everywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


async def test_what_was_about_to_be_sent_is_unknown_when_another_process_goes_on(tmp_path: Path) -> None:
    async with filled(tmp_path / "j.db"):
        pass

    journal = SqliteJournal(tmp_path / "j.db")
    begins = await journal.open(PLAN)

    assert not begins
    assert await states(journal) == ["confirmed"] * 2 + ["unknown"] * 2 + ["planned"] * 2
    assert await journal.last_intent(STEP) == NOW
    await journal.close()


@POSIX
async def test_its_files_are_ours_alone_and_so_is_a_folder_that_it_made(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    old = os.umask(0)
    try:
        for path in (tmp_path / "made" / "too" / "j.db", tmp_path / "there" / "j.db"):
            async with filled(path):
                modes = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
            assert modes == dict.fromkeys(["j.db", "j.db-wal", "j.db-shm", "j.db.seq", "j.db.lock"], 0o600)
    finally:
        os.umask(old)

    assert [(tmp_path / one).stat().st_mode & 0o777 for one in ("made", "made/too", "there")] == [0o700, 0o700, 0o755]


async def test_the_journal_of_another_plan_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async with filled(tmp_path / "j.db"):
        pass

    with pytest.raises(MigrationError, match=r"plan m-1, and this is m-2; name"):
        await SqliteJournal(tmp_path / "j.db").open("m-2")

    async with opened(tmp_path / "j.db") as journal:
        assert len(await journal.rows()) == 6


async def test_a_file_that_is_no_journal_or_of_a_later_format_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, which are not a journal\n" * 200)
    with pytest.raises(MigrationError, match="is damaged"):
        await SqliteJournal(path).open(PLAN)
    assert path.read_text().startswith("my notes")

    change_by_hand(tmp_path / "other.db", "CREATE TABLE mine (a)")
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(MigrationError, match="is no journal of a migration; name another file"):
        await SqliteJournal(tmp_path / "other.db").open(PLAN)
    assert (tmp_path / "other.db").read_bytes() == before

    (tmp_path / "link.db").symlink_to(tmp_path / "other.db")
    with pytest.raises(MigrationError, match="is no file"):
        await SqliteJournal(tmp_path / "link.db").open(PLAN)

    async with filled(tmp_path / "j.db"):
        pass
    change_by_hand(tmp_path / "j.db", "PRAGMA user_version = 2")
    with pytest.raises(MigrationError, match=r"format 2.*go on with the version that made it"):
        await SqliteJournal(tmp_path / "j.db").open(PLAN)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET existed = 1 WHERE seq = 1",
        "UPDATE entries SET intent_at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 3",
        "UPDATE entries SET state = 'planned' WHERE seq = 3",
        "DELETE FROM entries WHERE seq = 6",
        "UPDATE steps SET complete = 0",
        "UPDATE tally SET entries = entries + 1 WHERE state = 'planned'",
        "UPDATE log SET note = 'something else' WHERE what = 'add'",
        "DELETE FROM log WHERE what = 'settle'",
        "UPDATE lease SET epoch = 'x'",
    ],
)
async def test_a_changed_value_is_found_though_the_file_is_in_order(tmp_path: Path, change: str) -> None:
    async with filled(tmp_path / "j.db"):
        pass
    change_by_hand(tmp_path / "j.db", change)

    with pytest.raises(MigrationError, match=r"is damaged .*move it and j.db-wal away, leave j.db.seq where it is"):
        await SqliteJournal(tmp_path / "j.db").open(PLAN)


async def test_what_goes_on_in_place_of_a_damaged_one_looks_all_up_before_it_sends(tmp_path: Path) -> None:
    """As the error says: moved away, with the file beside it left there."""
    async with filled(tmp_path / "j.db"):
        pass
    (tmp_path / "j.db").rename(tmp_path / "damaged.db")

    async with opened(tmp_path / "j.db") as journal:
        await journal.add(STEP, [row(1), replace(row(2), state=RowState.MANUAL)], Stock(count=2))
        assert await states(journal) == ["unknown", "manual"]
        assert await journal.last_intent(STEP) == NOW
        assert [text for _, text in await journal.notes()] == [FORGOTTEN]
        with pytest.raises(MigrationError, match="sent already"):
            await journal.unstock()


async def test_an_older_copy_looks_up_what_may_have_been_sent_since_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with filled(path) as journal:
        await journal.settle([Change(seq=1, to=RowState.VERIFIED), Change(seq=4, to=RowState.DEAD)], NOW)
    shutil.copy(path, tmp_path / "old.db")
    async with opened(path) as journal:
        await journal.intend([5], NOW)
    shutil.copy(tmp_path / "old.db", path)

    async with opened(path) as journal:
        assert await states(journal) == ["confirmed", "confirmed", "unknown", "dead", "unknown", "planned"]
        assert [text for _, text in await journal.notes()] == [FORGOTTEN]
        await journal.settle([Change(seq=4, to=RowState.PLANNED)], NOW)  # it may have gone out since, too
        await journal.settle([Change(seq=5, to=RowState.PLANNED)], NOW)  # it was looked up
        assert await states(journal) == ["confirmed", "confirmed", "unknown", "unknown", "planned", "planned"]

    async with opened(path) as journal:  # and that is known now
        assert await states(journal) == ["confirmed", "confirmed", "unknown", "unknown", "planned", "planned"]


async def test_without_the_file_beside_it_all_is_looked_up(tmp_path: Path) -> None:
    async with filled(tmp_path / "j.db"):
        pass
    (tmp_path / "j.db.seq").unlink()

    async with opened(tmp_path / "j.db") as journal:
        assert (await states(journal))[2:] == ["unknown"] * 4


async def test_who_finds_another_at_work_is_told_who_it_is_and_may_take_over(tmp_path: Path) -> None:
    async with filled(tmp_path / "j.db") as first:
        with pytest.raises(MigrationError, match=rf"process {os.getpid()} on .*, since 20\d\d-.*Z, .* is at work"):
            await SqliteJournal(tmp_path / "j.db").open(PLAN)

        async with opened(tmp_path / "j.db", take_over=True) as second:
            for verb in (first.check(), first.settle([Change(seq=5, to=RowState.INTENT)], NOW)):
                with pytest.raises(MigrationError, match=rf"taken this migration over: process {os.getpid()} on"):
                    await verb
            await first.close()

            with pytest.raises(MigrationError, match="is at work"):  # the lock is free now, and yet
                await SqliteJournal(tmp_path / "j.db").open(PLAN)
            await second.intend([5], NOW)

    async with opened(tmp_path / "j.db") as third:  # both gave it back
        assert await states(third) == ["confirmed"] * 2 + ["unknown"] * 3 + ["planned"]


async def test_a_process_that_hangs_in_the_middle_of_a_change_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "BUSY_TIMEOUT", 10)
    async with filled(tmp_path / "j.db") as journal:
        with closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(MigrationError, match="does not go on; end it"):
                await journal.note("waits")
        await journal.note("goes on")
        assert [text for _, text in await journal.notes()] == ["goes on"]


async def test_a_change_whose_caller_is_cancelled_is_not_made(tmp_path: Path) -> None:
    async with filled(tmp_path / "j.db") as journal:
        blocked = threading.Event()
        assert journal._thread is not None
        journal._thread.submit(blocked.wait)
        late = asyncio.create_task(journal.intend([5], NOW))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.sleep(0)
        blocked.set()

        assert (await states(journal))[4] == "planned"


async def test_a_change_that_may_not_follow_is_refused_with_all_that_came_with_it(tmp_path: Path) -> None:
    async with filled(tmp_path / "j.db") as journal:
        before = await journal.rows()
        for changes, found in (
            ([Change(seq=3, to=RowState.CONFIRMED), Change(seq=5, to=RowState.VERIFIED)], "is planned; nothing was"),
            ([Change(seq=3, to=RowState.CONFIRMED), Change(seq=2, to=RowState.CONFIRMED)], "is confirmed; nothing was"),
            ([Change(seq=3, to=RowState.CONFIRMED), Change(seq=7, to=RowState.CONFIRMED)], "is not there, or named"),
            ([Change(seq=3, to=RowState.DEAD), Change(seq=3, to=RowState.DEAD)], "is not there, or named twice"),
        ):
            with pytest.raises(MigrationError, match=found):
                await journal.settle(changes, NOW)
        with pytest.raises(MigrationError, match="to become intent is confirmed"):
            await journal.intend([5, 1], NOW)
        assert await journal.rows() == before


async def test_what_is_not_open_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db")
    with pytest.raises(MigrationError, match="open it first"):
        await journal.note("early")

    await journal.open(PLAN)
    with pytest.raises(MigrationError, match="open already"):
        await journal.open(PLAN)

    await journal.close()
    await journal.close()
    with pytest.raises(MigrationError, match="open it first"):
        await journal.rows()


async def test_two_things_of_one_key_are_never_taken_for_one(tmp_path: Path) -> None:
    async with opened(tmp_path / "j.db") as journal:
        await journal.add(STEP, [row(1), row(1), row(2)], Stock(count=2))  # a list that moved on shows one twice
        await journal.add(STEP, [row(2), row(3)], Stock(count=3))
        assert [one.seq for one in await journal.rows()] == [1, 2, 3]

        for other in (replace(row(1), src_id="other"), replace(row(9), src_id="1")):
            with pytest.raises(MigrationError):
                await journal.add(STEP, [row(4), other], Stock(count=9))
        with pytest.raises(MigrationError, match="two things would be known by 'rb-1/1'"):
            await journal.add(StepKey(Kind.ITEMS, "b"), [row(1)], Stock(count=9))

        assert len(await journal.rows()) == 3
        assert (await journal.stock(STEP)).count == 3


async def test_a_text_that_cannot_be_stored_is_refused_and_others_come_back_as_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path / "j.db") as journal:
        with pytest.raises(MigrationError, match="is no text; rename it"):
            await journal.add(STEP, [row(1), replace(row(2), src_id="\ud800")], Stock(count=2))
        assert await journal.rows() == []

        odd = replace(row(1), src_id="a'\0\n;--ü𝄞", key="", hint="%s {} \x1b[31m")
        await journal.add(STEP, [odd], Stock(last=odd.src_id))
        found = (await journal.by_src(STEP, [odd.src_id]))[odd.src_id]
        assert (found.src_id, found.key, found.hint) == (odd.src_id, odd.key, odd.hint)
        assert (await journal.stock(STEP)).last == odd.src_id


@POSIX
def test_a_folder_where_nothing_may_be_written_is_told_of() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        with nobody():
            for path in (Path(name, "j.db"), Path(name, "new", "j.db")):
                with pytest.raises(MigrationError, match=r"cannot be used .*; name a place where this user may write"):
                    asyncio.run(SqliteJournal(path).open(PLAN))
        assert list(Path(name).iterdir()) == []


@POSIX
def test_on_a_full_disk_it_stops_with_the_mend_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(tmp_path / "j.db")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    written, _, problem = done.stdout.partition(" ")
    assert "its disk" in problem
    assert "free" in problem
    with closing(sqlite3.connect(tmp_path / "j.db")) as connection:
        found = connection.execute("SELECT src_id FROM entries ORDER BY seq").fetchall()
    assert found == [(str(one),) for one in range(int(written) + 1)]
    asyncio.run(_opens(tmp_path / "j.db"))


async def test_a_disk_that_knows_no_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", no_locks)

    with pytest.raises(MigrationError, match="knows no locks; put it on a local disk"):
        await SqliteJournal(tmp_path / "j.db").open(PLAN)


def test_a_network_drive_is_known_by_the_mount_that_is_nearest() -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nhost:/x /srv nfs4 rw 0 0\n/dev/sdb1 /srv/local xfs rw 0 0\n"
        "//host/y /mnt/my\\040share cifs rw 0 0\nme@host: /home/me fuse.sshfs rw 0 0\nodd\n"
    )
    folders = ("/a", "/srv", "/srv/a", "/srv/local/a", "/srvlocal", "/mnt/my share/a", "/home/me/a")

    found = [network_type(Path(folder), mounts) for folder in folders]

    assert found == [None, "nfs4", "nfs4", None, None, "cifs", "fuse.sshfs"]
    assert network_type(Path("/srv"), "") is None


async def test_a_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("host:/x / nfs4 rw 0 0\n")
    monkeypatch.setattr(journal_file, "MOUNTS", mounts)

    with pytest.raises(MigrationError, match=r"network drive \(nfs4\).*; put it on a local disk"):
        await SqliteJournal(tmp_path / "j.db").open(PLAN)

    mounts.unlink()  # where that cannot be told
    async with filled(tmp_path / "j.db"):
        pass
