"""The outbox as an SQLite file that all processes of one user share."""

from __future__ import annotations

import logging
import os
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rpa_bridge.auth.private_files import DoubtfulFileError, make_private_directory
from rpa_bridge.errors import ConfigError

from .outbox import Intent

LOG = logging.getLogger("rpa_bridge.outbox")
FILE = "outbox.db"
SEATS = 256
"""How many processes at once can be told from those that died."""
BUSY = 0.5
"""Seconds to wait while another process writes: a write takes microseconds."""
CHECKPOINT = 4000
"""Pages of the log before it is carried over, which waits for the disk: 16 MB, or some 2,000 effects."""
PROBING = 10.0
"""Seconds to wait while another process looks who is alive."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS intent (
    op_id TEXT PRIMARY KEY, connection TEXT, place TEXT, operation TEXT, subject TEXT, key TEXT, count INTEGER,
    what TEXT, at TEXT, settles_at TEXT, seat INTEGER
) WITHOUT ROWID"""
_INSERT = """
INSERT INTO intent (op_id, connection, place, operation, subject, key, count, what, at, settles_at, seat)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_LAST = "SELECT MAX(settles_at) FROM intent WHERE place = ? AND key = ?"
_INHERITED: list[object] = []
_FAILURES = (sqlite3.Error, OSError, DoubtfulFileError)


class SqliteOutbox:
    """One row an intent, in write-ahead mode.

    A commit outlasts the end of the process, kill -9 included; only with `durable` it outlasts a power cut too, at the
    price of waiting for the disk each time. A process at work holds a seat, which is a lock on a file: that tells its
    intents from those of one that died. A seat that is taken anew makes the last holder's intents nobody's.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        """The folder is made when something is written for the first time."""
        self._folder, self._durable = folder, durable
        self._connected: sqlite3.Connection | None = None
        self._seat: int | None = None
        self._lock: FileLock | None = None
        self._pid = os.getpid()
        self._warned = False
        self._waits = BUSY

    def open(self, intent: Intent) -> None:
        try:
            connection = self._connection()
            if self._lock is None:
                self._take_seat(connection)
            connection.execute(_INSERT, _row(intent, self._seat))
        except _FAILURES as error:
            self._warn(error)
            self._wait(0)
        else:
            self._wait(BUSY)

    def close(self, op_id: str) -> None:
        self._change("DELETE FROM intent WHERE op_id = ?", op_id)

    def leave(self, op_id: str, settles_at: datetime | None = None) -> None:
        settled = None if settles_at is None else _moment(settles_at)
        self._change(
            "UPDATE intent SET seat = NULL, settles_at = COALESCE(?, settles_at) WHERE op_id = ?", settled, op_id
        )

    def settles_at(self, place: str, key: str) -> datetime | None:
        try:
            if not (self._folder / FILE).exists():
                return None
            (last,) = self._connection().execute(_LAST, (place, key)).fetchone()
            return last and datetime.fromisoformat(last)
        except (*_FAILURES, TypeError, ValueError) as error:
            self._warn(error)
            return None

    def entries(self) -> list[Intent]:
        try:
            if not (self._folder / FILE).exists():
                return []
            rows = [dict(row) for row in self._connection().execute("SELECT * FROM intent ORDER BY at")]
            alive = self._alive({row["seat"] for row in rows if row["seat"] is not None})
            return [_intent(row, under_way=row.pop("seat") in alive) for row in rows]
        except (*_FAILURES, LookupError, TypeError, ValueError) as error:
            raise ConfigError(
                f"the outbox {self._folder / FILE} cannot be read ({_reason(error)}); "
                f"move it away, and look on the platforms for what may have been open"
            ) from None

    def release(self) -> None:
        if self._connected is not None and self._pid == os.getpid():
            self._connected.close()
        if self._lock is not None:
            self._lock.release()
        self._connected = self._lock = self._seat = None

    def _change(self, statement: str, *values: str | None) -> None:
        try:
            self._connection().execute(statement, values)
        except _FAILURES as error:
            self._warn(error)
            self._wait(0)
        else:
            self._wait(BUSY)

    def _connection(self) -> sqlite3.Connection:
        if self._pid != os.getpid():  # forked: connection and seat are the parent's, and must not be closed here
            _INHERITED.append((self._connected, self._lock))
            self._connected, self._lock, self._seat, self._pid = None, None, None, os.getpid()
        if self._connected is None:
            make_private_directory(self._folder)
            path = self._folder / FILE
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the same mode
            connection = sqlite3.connect(path, timeout=self._waits, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
                connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
                connection.execute(_SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            connection.row_factory = sqlite3.Row
            self._connected = connection
        return self._connected

    def _take_seat(self, connection: sqlite3.Connection) -> None:
        for number in range(SEATS):
            lock = self._lock_of(number)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            connection.execute("UPDATE intent SET seat = NULL WHERE seat = ?", (number,))
            self._lock, self._seat = lock, number
            return

    def _alive(self, seats: set[int]) -> set[int]:
        """Those of the seats that a process holds."""
        if not seats:
            return set()
        with FileLock(self._folder / "probe.lock", timeout=PROBING, mode=0o600):  # or two who probe see each other
            return {seat for seat in seats if seat == self._seat or self._is_held(seat)}

    def _is_held(self, seat: int) -> bool:
        try:
            with self._lock_of(seat).acquire(blocking=False):
                return False
        except Timeout:
            return True

    def _lock_of(self, seat: int) -> FileLock:
        return FileLock(self._folder / f"{seat:03d}.alive", mode=0o600, thread_local=False)

    def _wait(self, seconds: float) -> None:
        """How long to wait for others from now on: one that keeps it for longer than BUSY was stopped while it wrote.

        That one is waited for once, and not with every effect.
        """
        if seconds != self._waits and self._connected is not None:
            self._connected.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
        self._waits = seconds

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            LOG.warning(
                "the outbox %s cannot be written (%s): what a crash leaves open will be forgotten; mend it or move it "
                "away",
                self._folder / FILE,
                _reason(error),
            )


def _row(intent: Intent, seat: int | None) -> tuple[Any, ...]:
    return (
        intent.op_id,
        intent.connection,
        intent.place,
        intent.operation,
        intent.subject,
        intent.key,
        intent.count,
        intent.what,
        _moment(intent.at),
        _moment(intent.settles_at),
        seat,
    )


def _moment(moment: datetime) -> str:
    """As text that sorts by time."""
    return moment.isoformat(timespec="microseconds")


def _intent(row: dict[str, Any], *, under_way: bool) -> Intent:
    moments = {name: datetime.fromisoformat(row[name]) for name in ("at", "settles_at")}
    return Intent(**(row | moments), under_way=under_way)


def _reason(error: Exception) -> str:
    return error.strerror or "" if isinstance(error, OSError) else str(error)
