from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from rpa_bridge.contract.queues import ItemDraft
from rpa_bridge.errors import (
    BridgeError,
    ConfigError,
    ConflictError,
    DeniedError,
    InvalidError,
    ProtocolError,
    RemoteError,
    UnavailableError,
)
from rpa_bridge_local import database as module
from rpa_bridge_local.adapter import LocalAdapter
from rpa_bridge_local.database import APPLICATION_ID, VERSION, Database
from rpa_bridge_local.errors import classify


def files_beside(path: str) -> set[str]:
    return {file.name for file in Path(path).parent.glob("*")}


def share(path: str) -> None:
    Path(path).chmod(0o640)


def rights_of(path: str) -> int:
    return Path(path).stat().st_mode & 0o777


ADD = "INSERT INTO queues (name, retries, unique_references, fields) VALUES (?, 0, 0, '[]')"


@pytest.fixture
async def database(path: str) -> AsyncIterator[Database]:
    database = Database(path)
    yield database
    await database.aclose()


async def names(database: Database) -> list[str]:
    return [row["name"] for row in await database.read(lambda db: db.execute("SELECT name FROM queues").fetchall())]


async def add(database: Database, name: str) -> None:
    await database.write(lambda db: db.execute(ADD, (name,)))


async def test_nothing_is_made_before_the_first_use(database: Database, path: str) -> None:
    assert files_beside(path) == set()
    await add(database, "Letters")
    assert "local.db" in files_beside(path)


async def test_the_file_and_its_folder_are_ours_alone(database: Database, path: str) -> None:
    await add(database, "Letters")
    assert files_beside(path) == {"local.db", "local.db-wal", "local.db-shm"}
    assert {rights_of(path + suffix) for suffix in ("", "-wal", "-shm")} == {0o600}
    assert rights_of(path.removesuffix("/local.db")) == 0o700


async def test_a_commit_is_safe_from_a_power_cut(database: Database) -> None:
    def pragmas(db: sqlite3.Connection) -> list[object]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert await database.read(pragmas) == ["wal", 2, 1]


async def test_what_was_written_is_there_for_the_next_process(database: Database, path: str) -> None:
    await add(database, "Letters")
    other = Database(path)
    assert await names(other) == ["Letters"]
    await other.aclose()


async def test_a_failed_change_changes_nothing(database: Database) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute(ADD, ("Half",))
        raise ConflictError("in the middle")

    with pytest.raises(ConflictError, match="in the middle"):
        await database.write(half)
    assert await names(database) == []


async def test_a_change_whose_caller_was_cancelled_is_rolled_back(database: Database) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    def slow(db: sqlite3.Connection) -> None:
        db.execute(ADD, ("Slow",))
        under_way.set()
        go_on.wait()

    task = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(under_way.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await names(database) == []


async def test_a_locked_file_does_not_block_the_event_loop(database: Database, path: str) -> None:
    await add(database, "First")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(add(database, "Second"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        other.execute("COMMIT")
        await waiting
    assert await names(database) == ["First", "Second"]


async def test_a_file_that_stays_locked_is_named(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT", 1)
    database = Database(path)
    await add(database, "First")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="another process keeps it locked; try again") as error:
            await add(database, "Second")
        assert error.value.retryable
        assert not error.value.maybe_applied
    await add(database, "Second")
    await database.aclose()


async def test_a_full_disk_is_named_and_nothing_is_half_done(database: Database) -> None:
    await add(database, "First")
    await database.read(lambda db: db.execute("PRAGMA max_page_count = 1"))

    def fill(db: sqlite3.Connection) -> None:
        db.executemany(ADD, [(f"{number}" * 1000,) for number in range(100)])

    with pytest.raises(UnavailableError, match="no space left; free some space"):
        await database.write(fill)
    await database.read(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    assert await names(database) == ["First"]


async def test_a_file_that_may_only_be_read_is_named(database: Database) -> None:
    await add(database, "First")
    await database.read(lambda db: db.execute("PRAGMA query_only = ON"))
    with pytest.raises(DeniedError, match="may not be written by this user; change its owner or its rights"):
        await add(database, "Second")
    assert await names(database) == ["First"]


async def test_a_file_that_others_can_read_is_refused(database: Database, path: str) -> None:
    await add(database, "First")
    share(path)
    other = Database(path)
    with pytest.raises(ConfigError, match=r"others can read .*; run: chmod 600"):
        await names(other)
    await other.aclose()


async def refuse_to_open(path: Path, match: str) -> None:
    content = await asyncio.to_thread(path.read_bytes)
    database = Database(str(path))
    with pytest.raises(ConfigError, match=match):
        await names(database)
    await database.aclose()
    assert await asyncio.to_thread(path.read_bytes) == content, "a file that is not ours must not be touched"


async def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE things (name TEXT)")
    path.chmod(0o600)
    await refuse_to_open(path, "was not made by rpa-bridge; name another file")


def make_version_1(path: Path) -> None:
    """A file as the first version made it, with an item in it."""
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.executescript(Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8"))
        old.execute(ADD, ("Letters",))
        old.execute(
            "INSERT INTO items (queue_id, state, \"values\", priority, created_at) VALUES (1, 'new', ?, 1, ?)",
            ('{"n": 1}', "2026-11-20T09:43:52.959000+00:00"),
        )
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute("PRAGMA user_version = 1")
        old.commit()
    path.chmod(0o600)


async def shape(database: Database) -> list[tuple[object, ...]]:
    """Everything that a file is made of."""
    sql = "SELECT type, name, tbl_name FROM sqlite_schema"
    columns = "SELECT m.name, p.* FROM sqlite_schema m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
    return sorted(await database.read(lambda db: [tuple(row) for one in (sql, columns) for row in db.execute(one)]))


async def test_a_file_of_the_first_version_becomes_one_of_ours_and_keeps_what_it_holds(
    database: Database, open_local: Callable[..., LocalAdapter], tmp_path: Path
) -> None:
    path = tmp_path / "old.db"
    await asyncio.to_thread(make_version_1, path)
    local = open_local(path=str(path))

    [old] = [one async for one in local.queues.items("Letters")]
    assert (old.values, old.mark) == ({"n": 1}, None)
    new = await local.queues.add("Letters", ItemDraft(values={"n": 2}, mark="m/1"))
    assert [one.id async for one in local.queues.items("Letters", mark="m/")] == [new.id]

    upgraded = Database(str(path))
    assert await shape(upgraded) == await shape(database)
    await upgraded.aclose()


async def test_many_who_meet_an_old_file_at_once_make_it_new_once(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    await asyncio.to_thread(make_version_1, path)
    all_at_once = [Database(str(path)) for _ in range(8)]

    assert await asyncio.gather(*(names(one) for one in all_at_once)) == [["Letters"]] * 8
    for one in all_at_once:
        await one.aclose()


async def test_a_file_that_cannot_be_made_new_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.db"
    await asyncio.to_thread(make_version_1, path)
    monkeypatch.setitem(module.UPGRADES, 1, (*module.UPGRADES[1], "CREATE TABLE items (id INTEGER)"))
    broken = Database(str(path))
    with pytest.raises(ProtocolError):
        await names(broken)
    await broken.aclose()

    with closing(sqlite3.connect(path)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert "mark" not in [row[1] for row in old.execute("PRAGMA table_info(items)")]


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    path.chmod(0o600)
    await refuse_to_open(path, f"has format {VERSION + 1}.*upgrade rpa-bridge-local")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, " * 100)
    path.chmod(0o600)
    await refuse_to_open(path, "damaged or not ours.*name another file")


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    database = Database(str(tmp_path))
    with pytest.raises(ConfigError, match="is no file; name one"):
        await names(database)
    await database.aclose()


async def test_an_old_sqlite_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(ConfigError, match=r"use one with 3\.35 or later"):
        await names(database)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    database = Database(str(tmp_path / "taken" / "local.db"))
    with pytest.raises(ConfigError, match=r"cannot be made \(\w+\); name a folder that you may write"):
        await names(database)
    await database.aclose()


async def test_a_closed_connection_says_so(path: str) -> None:
    database = Database(path)
    await database.aclose()
    await database.aclose()
    with pytest.raises(ConfigError, match="closed; open it again"):
        await names(database)


async def test_long_lists_are_read_page_by_page_in_both_directions(database: Database) -> None:
    count = 2 * module.PAGE + 1
    await database.write(lambda db: db.executemany(ADD, [(f"{number}",) for number in range(count)]))
    up = database.rows("SELECT * FROM queues WHERE id > :last ORDER BY id LIMIT :page")
    assert [row["id"] async for row in up] == list(range(1, count + 1))
    down = database.rows("SELECT * FROM queues WHERE id < :last ORDER BY id DESC LIMIT :page", newest_first=True)
    assert [row["id"] async for row in down] == list(range(count, 0, -1))


def test_many_processes_that_start_at_once_make_one_file(path: str) -> None:
    program = f"""
import asyncio, sys
from rpa_bridge_local.database import Database
async def main():
    database = Database(sys.argv[1])
    await database.write(lambda db: db.execute({ADD!r}, (sys.argv[2],)))
    await database.aclose()
asyncio.run(main())
"""
    racers = [subprocess.Popen([sys.executable, "-c", program, path, f"queue {number}"]) for number in range(8)]
    assert [one.wait(60) for one in racers] == [0] * 8
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM queues").fetchone() == (8,)
    assert files_beside(path) <= {"local.db", "local.db-wal", "local.db-shm"}


def kinds_of(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(sub for one in kind.__subclasses__() for sub in kinds_of(one))]


@pytest.mark.parametrize("kind", kinds_of(sqlite3.Error))
def test_every_exception_of_sqlite_has_a_typed_error(kind: type[Exception]) -> None:
    error = classify(kind("with a value"), "local.db")
    assert isinstance(error, RemoteError)
    assert "with a value" not in str(error)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, UnavailableError),
        (sqlite3.SQLITE_IOERR_WRITE, UnavailableError),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, UnavailableError),
        (sqlite3.SQLITE_READONLY_DIRECTORY, DeniedError),
        (sqlite3.SQLITE_CORRUPT_INDEX, ProtocolError),
        (sqlite3.SQLITE_TOOBIG, InvalidError),
    ],
)
def test_extended_codes_mean_what_their_primary_codes_mean(code: int, expected: type[BridgeError]) -> None:
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    assert isinstance(classify(error, "local.db"), expected)


async def test_a_text_that_cannot_be_stored_is_refused(database: Database) -> None:
    with pytest.raises(InvalidError, match="shorten or clean it"):
        await add(database, "\ud800")
