"""A journal while a process has it: its connection, its lease, its log and its high water, all on one thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from rpa_bridge.clock import Clock
from rpa_bridge.errors import MigrationError

from . import changes as journal_changes
from . import rows as journal_rows
from .check import check_whole
from .file import (
    check_local,
    damaged,
    failing_as_ours,
    high_water_path,
    make_folder,
    make_schema,
    open_file,
    open_to_read,
    transaction,
)
from .high_water import HighWater, HighWaterFile
from .lease import Lease, who_is_at_work
from .log import Line, Log, What, append, moment

T = TypeVar("T")
FORGOTTEN = (
    "the journal had forgotten what was written: its disk is damaged, or an older copy was put in its place; what is "
    "planned is looked up at the target before it is sent"
)


class Session:
    """One process's time with a journal. Everything in it raises MigrationError."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.log = Log(path)
        self._path, self._clock = path, clock
        self._lease = Lease(path)
        self._high_water = HighWaterFile(high_water_path(path))
        self._connection: sqlite3.Connection | None = None

    def begin(self, plan_id: str, *, take_over: bool, abandoned: threading.Event) -> bool:
        """Takes the migration; True when it begins now."""
        with failing_as_ours(self._path):
            check_local(self._path)
            make_folder(self._path.parent)
            self._lease.lock(take_over=take_over)
            if not self._path.exists():
                self._high_water.begin()
            try:
                begins, last = self._read_and_take(plan_id, abandoned)
            except (TypeError, ValueError):  # what is no text, or no number, where there was one
                raise damaged(self._path, "it holds what nobody wrote") from None
            self._high_water.write(last, durable=True)
            self.log.read_on(self._opened())
        return begins

    def peek(self, plan_id: str) -> str:
        """Opens it to be read alone, whoever has it; who that is."""
        with failing_as_ours(self._path):
            db = self._connection = open_to_read(self._path)
            try:
                self.log.read_on(db)
            except (TypeError, ValueError):
                raise damaged(self._path, "it holds what nobody wrote") from None
            self._check_plan(plan_id)
            return who_is_at_work(db)

    def end(self) -> None:
        """Gives the migration back, as far as that can be done."""
        if self._connection is not None:
            if self._lease.epoch:
                with suppress(sqlite3.Error), transaction(self._connection, threading.Event()):
                    self._lease.give_back(self._connection)
            self._connection.close()
        self._high_water.close()
        self._lease.unlock()

    def now(self) -> str:
        """The time, as it is written."""
        return moment(self._clock.now())

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` reads."""
        with failing_as_ours(self._path):
            return work(self._opened())

    def write(
        self, work: Callable[[sqlite3.Connection], Line | None], abandoned: threading.Event, *, durable: bool
    ) -> None:
        """Makes the change that `work` makes, and its line in the log; all of it is on the disk then, or nothing.

        With `durable`, a damaged disk cannot make it forgotten unnoticed, even after a power cut. It raises as well
        when the change is made, but another process has taken over since, or how far it came cannot be written.
        """
        with failing_as_ours(self._path):
            db, at = self._opened(), self.now()
            with transaction(db, abandoned):
                self._lease.renew(db, at)
                line = work(db)
                last = None if line is None else self._append(db, line, at)
            if last is not None:
                self._lease.check(db)
                self._high_water.write(last, durable=durable)

    def notes(self) -> list[tuple[datetime, str]]:
        """What people read of the log, oldest first. Checks what came since it was read last."""
        self.read(self.log.read_on)
        return list(self.log.notes)

    def check(self) -> None:
        """Raises MigrationError when another process has taken over."""
        self.read(self._lease.check)

    def _read_and_take(self, plan_id: str, abandoned: threading.Event) -> tuple[bool, HighWater]:
        db = self._connection = open_file(self._path)
        with transaction(db, abandoned):
            make_schema(db)
            return self._take(db, plan_id)

    def _take(self, db: sqlite3.Connection, plan_id: str) -> tuple[bool, HighWater]:
        at = self.now()
        mark = self._high_water.read()
        holds = self.log.read_on(db, mark)
        check_whole(db, self._path, self.log)
        self._check_plan(plan_id)
        self._lease.take(db, at)
        begins = self.log.plan is None
        if begins:
            self._append(db, Line(what=What.BEGIN, note=plan_id), at)
        if not holds:
            self._doubt(db, mark, at)
        return begins, self._append(db, Line(what=What.OPEN, count=journal_changes.make_unknown(db)), at)

    def _check_plan(self, plan_id: str) -> None:
        if self.log.plan not in (None, plan_id):
            raise MigrationError(
                f"the journal {self._path} is of the plan {self.log.plan}, and this is {plan_id}; name the plan that "
                f"it was begun with, or another journal"
            )

    def _doubt(self, db: sqlite3.Connection, mark: HighWater | None, at: str) -> None:
        """What stands after the mark was never about to be sent, and stays planned."""
        reach = journal_rows.last_seq(db) if mark is None else mark.reach
        count = journal_changes.doubt(db, at, reach)
        self._append(db, Line(what=What.DOUBT, count=count, reach=reach, note=FORGOTTEN), at)

    def _append(self, db: sqlite3.Connection, line: Line, at: str) -> HighWater:
        return append(db, line, at=at, pid=self._lease.pid, epoch=self._lease.epoch)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise MigrationError(f"the journal {self._path} is not open; open it first")
        return self._connection
