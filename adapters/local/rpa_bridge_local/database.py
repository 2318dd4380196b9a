"""The platform's memory: one SQLite file, or none. Its connection lives on a thread of its own.

A locked file therefore never blocks the event loop. Writers queue up by BEGIN IMMEDIATE; what is committed is on the
disk (WAL with synchronous FULL).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from rpa_bridge.errors import ConfigError, ProtocolError
from rpa_bridge.helpers.paging import Page, keyset

from .errors import cannot_make, classify, not_found
from .mapping import row_id

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
MEMORY = ":memory:"
APPLICATION_ID = 0x52504142
""""RPAB": how the file command, and we, know the file as ours."""
VERSION = 2
UPGRADES = {1: ("ALTER TABLE items ADD COLUMN mark TEXT", "CREATE INDEX items_mark ON items (queue_id, mark)")}
"""What makes a file of a format one of the next."""
BUSY_TIMEOUT = 5000
"""Milliseconds to wait for other processes."""
PAGE = 100
"""Rows read at once while a caller iterates."""
OLDEST_SQLITE = (3, 35)
"""It was the first to have RETURNING."""
NEWEST = 2**63 - 1
SCHEMA = Path(__file__).with_name("schema.sql")


class Database:
    """One connection, opened when it is first needed. `path` is a file, or ":memory:"."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rpa-bridge-local")

    @property
    def in_memory(self) -> bool:
        """Whether everything is gone when this process ends."""
        return self.path == MEMORY

    async def read(self, work: Work[T]) -> T:
        """What `work` reads. Raises our typed errors."""
        return await self._on_thread(lambda: self._read(work))

    async def write(self, work: Work[T]) -> T:
        """What `work` returns, once its changes are on the disk; all of them or none. Raises our typed errors.

        When the caller is cancelled before they are committed, they are rolled back.
        """
        abandoned = threading.Event()
        try:
            return await self._on_thread(lambda: self._write(work, abandoned))
        except asyncio.CancelledError:
            abandoned.set()
            raise

    async def rows(
        self, sql: str, *, newest_first: bool = False, start: int = 0, **values: Any
    ) -> AsyncIterator[sqlite3.Row]:
        """Every row of a query, page by page; when oldest first, those whose `id` is beyond `start`.

        The query compares its `id` with `:last` ("id > :last ORDER BY id", or "<" and DESC), and ends in LIMIT :page.
        """
        sign = -1 if newest_first else 1

        async def after(last: int | None) -> Page[sqlite3.Row]:
            before_first = NEWEST if newest_first else start
            given = {**values, "page": PAGE, "last": before_first if last is None else sign * last}
            found = await self.read(lambda db: db.execute(sql, given).fetchall())
            return Page(found, last=len(found) < PAGE)

        async for row in keyset(after, lambda row: sign * int(row["id"]), operation="local"):
            yield row

    async def aclose(self) -> None:
        """Closes the connection; what is under way is finished before."""
        if not self._closed:
            await self._on_thread(self._close)
            self._closed = True
            self._thread.shutdown()

    async def _on_thread(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise ConfigError("this connection is closed; open it again")
        return await asyncio.wrap_future(self._thread.submit(work))

    def _read(self, work: Work[T]) -> T:
        try:
            return work(self._open())
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise classify(error, self.path) from None

    def _write(self, work: Work[T], abandoned: threading.Event) -> T:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("ROLLBACK" if abandoned.is_set() else "COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has rolled back already
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise classify(error, self.path) from None
        return result

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if sqlite3.sqlite_version_info < OLDEST_SQLITE:
                raise ConfigError(f"this Python has SQLite {sqlite3.sqlite_version}; use one with 3.35 or later")
            self._connection = _memory() if self.in_memory else _file(Path(self.path))
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def job_number(db: sqlite3.Connection, job: str | None) -> int | None:
    """The row's number of a job that something belongs to, if any. Raises NotFoundError."""
    if job is None:
        return None
    number = row_id("job", job)
    if db.execute("SELECT 1 FROM jobs WHERE id = ?", (number,)).fetchone() is None:
        raise not_found("job", job)
    return number


def _memory() -> sqlite3.Connection:
    connection = sqlite3.connect(MEMORY, isolation_level=None)
    connection.executescript(SCHEMA.read_text())
    return _settle(connection)


def _file(path: Path) -> sqlite3.Connection:
    try:
        if not path.exists():
            _make(path)
        _check_file(path)
    except OSError as error:
        raise cannot_make(error, str(path)) from None
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
    try:
        version = _check_owner(connection, path)
        _settle(connection)
        if version < VERSION:
            _upgrade(connection)
        return connection
    except BaseException:
        connection.close()
        raise


def _settle(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted may have been a secret
    return connection


def _make(path: Path) -> None:
    """Makes a whole file beside, 0600, and moves it there at once: nobody ever sees half a schema."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    os.close(handle)
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN; {SCHEMA.read_text()} COMMIT;")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):  # another process was first
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"{path} is no file; name one in `path`")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(f"others can read {path}, which holds credentials in clear; run: chmod 600 '{path}'")


def _upgrade(connection: sqlite3.Connection) -> None:
    """Makes a file of an older format one of ours, at once or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_version(connection), VERSION):  # another process may have been first
            for statement in UPGRADES[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_owner(connection: sqlite3.Connection, path: Path) -> int:
    """The file's format, which we know. Raises ConfigError for any other file."""
    try:
        [owner] = connection.execute("PRAGMA application_id").fetchone()
        version = _version(connection)
    except sqlite3.Error as error:
        found = classify(error, str(path))
        is_other = isinstance(found, ProtocolError)
        raise (ConfigError(f"{found}; or name another file in `path`") if is_other else found) from None
    if owner != APPLICATION_ID:
        raise ConfigError(f"{path} was not made by rpa-bridge; name another file in `path`, or move that one away")
    if version not in (VERSION, *UPGRADES):
        raise ConfigError(
            f"{path} has format {version}, this rpa-bridge-local has {VERSION}; upgrade rpa-bridge-local "
            f"or name another file in `path`"
        )
    return version
