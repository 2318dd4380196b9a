"""The journal as an SQLite file, one for each migration. Its connection lives on a thread of its own.

What is committed is on the disk (WAL with synchronous FULL). What a disk has spoilt or forgotten is found when the
journal is opened: rows are sealed, the log is a chain, and a file beside it knows how far it had come.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.errors import MigrationError

from . import changes as journal_changes
from . import rows as journal_rows
from .base import Change, NewRow, Row, RowState, Sighting, StepKey, Stock
from .log import Line, What
from .session import Session

T = TypeVar("T")
_EFFECTS = frozenset({RowState.INTENT, RowState.SOURCE_INTENT, RowState.ROLLING_BACK, RowState.ROLLED_BACK})
"""What stands for an effect somewhere else."""


class SqliteJournal:
    """The journal in one file, with others beside it: -wal and -shm are SQLite's, .lock and .seq are ours."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """The file, and its folder, are made when it is opened for the first time."""
        self.path = path.absolute()
        self._clock = clock or SystemClock()
        self._session: Session | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self, plan_id: str, *, take_over: bool = False) -> bool:
        return await self._begin(
            lambda session, abandoned: session.begin(plan_id, take_over=take_over, abandoned=abandoned)
        )

    async def peek(self, plan_id: str) -> str:
        """Opens it to be read alone, also while another process is at work; who that is, empty for nobody.

        Nothing is taken, made unknown or checked through. Raises MigrationError when nothing was begun, or it is
        another plan's.
        """
        return await self._begin(lambda session, _: session.peek(plan_id))

    async def _begin(self, work: Callable[[Session, threading.Event], T]) -> T:
        if self._session is not None:
            raise MigrationError(f"the journal {self.path} is open already; close it first")
        self._session = Session(self.path, self._clock)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rpa-bridge-journal")
        try:
            return await self._call(work)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._session is None or self._thread is None:
            return
        session, thread = self._session, self._thread
        self._session = self._thread = None
        ending = asyncio.wrap_future(thread.submit(session.end))
        thread.shutdown(wait=False)
        await asyncio.shield(ending)

    async def check(self) -> None:
        await self._call(lambda session, _: session.check())

    async def stock(self, step: StepKey) -> Stock:
        return await self._read(lambda db: journal_rows.stock_of(db, step))

    async def add(self, step: StepKey, rows: Sequence[NewRow], stock: Stock) -> None:
        def work(session: Session, db: sqlite3.Connection) -> Line:
            count = journal_changes.add(db, step, rows, stock, session.now() if session.log.doubted else None)
            return Line(what=What.ADD, count=count, note=f"{step.kind} {step.name}")

        await self._write(work)

    async def unstock(self) -> None:
        def work(session: Session, db: sqlite3.Connection) -> Line:
            session.log.read_on(db)
            if session.log.doubted or session.log.last.reach:
                raise MigrationError("things of this migration were sent already; go on with it, or roll it back")
            return Line(what=What.UNSTOCK, count=journal_changes.forget(db))

        await self._write(work)

    async def intend(self, seqs: Sequence[int], at: datetime, *, existed: Collection[int] = ()) -> None:
        there = frozenset(existed)
        changes = [Change(seq=seq, to=RowState.INTENT, existed=seq in there) for seq in seqs]
        await self._change(What.INTEND, changes, at)

    async def settle(self, changes: Sequence[Change], at: datetime) -> None:
        await self._change(What.SETTLE, changes, at)

    async def rows(
        self, *, step: StepKey | None = None, states: Collection[RowState] = (), after: int = 0, limit: int = 500
    ) -> list[Row]:
        return await self._read(lambda db: journal_rows.in_order(db, step, states, after, limit))

    async def by_src(self, step: StepKey, src_ids: Sequence[str]) -> dict[str, Row]:
        found = await self._read(lambda db: journal_rows.by_src(db, step, src_ids))
        return {row.src_id: row for row in found}

    async def by_key(self, keys: Sequence[str]) -> dict[str, Row]:
        found = await self._read(lambda db: journal_rows.by_key(db, keys))
        return {row.key: row for row in found}

    async def before(self, seq: int) -> Row | None:
        return await self._read(lambda db: journal_rows.before(db, seq))

    async def counts(self) -> dict[StepKey, dict[RowState, int]]:
        return await self._read(journal_rows.counts)

    async def last_intent(self, step: StepKey) -> datetime | None:
        return await self._read(lambda db: journal_rows.last_intent(db, step))

    async def begin_sighting(self, step: StepKey) -> None:
        await self._write(lambda _, db: journal_changes.forget_sightings(db, step))

    async def see(self, sightings: Sequence[Sighting]) -> None:
        await self._write(lambda _, db: journal_changes.see(db, sightings))

    async def seen(self, step: StepKey, *, after: int = 0, limit: int = 500) -> list[tuple[Row, int, int]]:
        return await self._read(lambda db: journal_rows.seen(db, step, after, limit))

    async def note(self, text: str) -> None:
        await self._write(lambda _session, _db: Line(what=What.NOTE, note=text))

    async def notes(self) -> list[tuple[datetime, str]]:
        return await self._call(lambda session, _: session.notes())

    async def _change(self, what: What, changes: Sequence[Change], at: datetime) -> None:
        def work(session: Session, db: sqlite3.Connection) -> Line:
            journal_changes.change(db, changes, at, doubted=session.log.doubted)
            reach = max((one.seq for one in changes if one.to is RowState.INTENT), default=0)
            return Line(what=what, count=len(changes), note=_told(changes), reach=reach)

        await self._write(work, durable=any(one.to in _EFFECTS for one in changes))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._call(lambda session, _: session.read(work))

    async def _write(
        self, work: Callable[[Session, sqlite3.Connection], Line | None], *, durable: bool = False
    ) -> None:
        await self._call(
            lambda session, abandoned: session.write(lambda db: work(session, db), abandoned, durable=durable)
        )

    async def _call(self, work: Callable[[Session, threading.Event], T]) -> T:
        """What `work` gives. When the caller is cancelled before a change is committed, it is rolled back."""
        session, thread = self._session, self._thread
        if session is None or thread is None:
            raise MigrationError(f"the journal {self.path} is not open; open it first")
        abandoned = threading.Event()
        try:
            return await asyncio.wrap_future(thread.submit(lambda: work(session, abandoned)))
        except asyncio.CancelledError:
            abandoned.set()
            raise


def _told(changes: Sequence[Change]) -> str:
    return ", ".join(f"{count} {state}" for state, count in Counter(one.to for one in changes).items())
