"""A migration's journal, walked at random beside one that is only in memory. From row 23 of the reliability targets."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.journal.base import (
    LANDED,
    NEXT,
    Change,
    Journal,
    NewRow,
    Row,
    RowState,
    Sighting,
    StepKey,
    Stock,
)
from rpa_bridge.migration.journal.lease import Lease
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.testing import ManualClock
from tests.migration.memory_journal import MemoryJournal

from .ledger_story import MEMORY, PLAN, STEPS

T = TypeVar("T")
STEP = st.sampled_from(STEPS)
WHICH = st.lists(st.integers(0, 999), min_size=1, max_size=4, unique=True)
FIRST = st.sampled_from([RowState.PLANNED] * 4 + [RowState.DEAD, RowState.SKIPPED, RowState.MANUAL])
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
EVERYTHING = 10_000


class JournalMachine(RuleBasedStateMachine):
    """Stages that do what they may and what they may not, in processes that end, die, and are taken over."""

    def __init__(self, *, guard: bool = True) -> None:
        super().__init__()
        self._runner, self._clock, self._all = asyncio.Runner(), ManualClock(), ExitStack()
        self._path = Path(self._all.enter_context(tempfile.TemporaryDirectory(dir=MEMORY)), "j.db")
        self._moments = 0
        self._model = MemoryJournal(self._clock)
        self._journal = SqliteJournal(self._path, self._clock)
        if not guard:  # whoever opened it is taken to have it still
            self._all.enter_context(patch.object(Lease, "renew", lambda *_: None))
        self._open(self._journal)

    def teardown(self) -> None:
        self._do(self._journal.close())
        self._runner.close()
        self._all.close()

    @rule(step=STEP, ids=st.lists(st.integers(0, 30), max_size=6, unique=True), state=FIRST, text=TEXT)
    def add(self, step: StepKey, ids: list[int], state: RowState, text: str) -> None:
        """Some of them may be there already."""
        rows = [
            NewRow(src_id=f"{one}", key=f"{step.name}/{one}", src_hash=text, expect_hash=text, state=state, hint=text)
            for one in ids
        ]
        stock = Stock(complete=len(ids) > 3, last=text or None, count=len(ids), digest=text)
        self._both(lambda journal: journal.add(step, rows, stock))

    @precondition(lambda self: self._in(RowState.PLANNED))
    @rule(which=WHICH, existed=st.booleans())
    def intend(self, which: list[int], existed: bool) -> None:
        seqs = [row.seq for row in self._some(which, self._in(RowState.PLANNED))]
        at = self._later()
        self._both(lambda journal: journal.intend(seqs, at, existed=seqs[:1] if existed else []))

    @precondition(lambda self: self._in(*(state for state in RowState if NEXT[state])))
    @rule(
        which=WHICH,
        to=st.integers(0, 999),
        text=TEXT,
        existed=st.none() | st.booleans(),
        size=st.none() | st.integers(0, 9),
    )
    def settle(self, which: list[int], to: int, text: str, existed: bool | None, size: int | None) -> None:
        found = self._some(which, self._in(*(state for state in RowState if NEXT[state] - {RowState.INTENT})))
        changes = [
            Change(
                seq=row.seq,
                to=_pick(sorted(NEXT[row.state] - {RowState.INTENT}), to),
                dst_id=text or None,
                existed=existed,
                bytes=size,
                expect_hash=text or None,
                code=text,
            )
            for row in found
        ]
        at = self._later()
        self._both(lambda journal: journal.settle(changes, at))

    @precondition(lambda self: self._rows())
    @rule(which=WHICH, to=st.sampled_from(RowState))
    def settle_what_may_not_be(self, which: list[int], to: RowState) -> None:
        """Neither that one, nor the others that were to be changed with it."""
        changes = [Change(seq=row.seq, to=to) for row in self._some(which, self._rows())]
        wrong = [one for one in changes if to not in NEXT[self._rows()[one.seq - 1].state]]
        if wrong:
            self._refused(lambda: self._journal.settle(changes, self._clock.now()))

    @precondition(lambda self: self._rows())
    @rule(which=WHICH)
    def intend_what_is_not_planned(self, which: list[int]) -> None:
        found = self._some(which, self._rows())
        if any(row.state is not RowState.PLANNED for row in found):
            self._refused(lambda: self._journal.intend([row.seq for row in found], self._clock.now()))

    @precondition(lambda self: self._in(*LANDED))
    @rule(which=WHICH, copies=st.integers(1, 3), equal=st.booleans())
    def see(self, which: list[int], copies: int, equal: bool) -> None:
        sightings = [
            Sighting(key=row.key, dst_id=f"at {copy}", equal=equal)
            for row in self._some(which, self._in(*LANDED))
            for copy in range(copies)
        ]
        self._both(lambda journal: journal.see(sightings))

    @rule(step=STEP)
    def begin_sighting(self, step: StepKey) -> None:
        self._both(lambda journal: journal.begin_sighting(step))

    @rule(text=TEXT)
    def note(self, text: str) -> None:
        self._both(lambda journal: journal.note(text))

    @rule()
    def unstock(self) -> None:
        if any(row.attempt for row in self._rows()):
            self._refused(self._journal.unstock)
        else:
            self._both(lambda journal: journal.unstock())

    @rule()
    def end(self) -> None:
        self._do(self._journal.close())
        self._open(SqliteJournal(self._path, self._clock))

    @rule()
    def be_taken_over(self) -> None:
        """A process that hangs, and is too late when it goes on."""
        before = self._journal
        self._open(SqliteJournal(self._path, self._clock), take_over=True)
        now = self._clock.now()
        for verb in (
            before.check,
            lambda: before.note("late"),
            lambda: before.add(STEPS[0], [], Stock()),
            lambda: before.intend([], now),
            lambda: before.settle([], now),
            lambda: before.see([]),
            lambda: before.begin_sighting(STEPS[0]),
            before.unstock,
        ):
            self._refused(verb)
        self._do(before.close())

    @rule(step=st.none() | STEP, states=st.frozensets(st.sampled_from(RowState)), after=st.integers(0, 40))
    def look_for(self, step: StepKey | None, states: frozenset[RowState], after: int) -> None:
        self._same(lambda journal: journal.rows(step=step, states=states, after=after, limit=3))

    @rule()
    def look(self) -> None:
        rows = self._same(lambda journal: journal.rows(limit=EVERYTHING))
        self._same(lambda journal: journal.counts())
        self._same(lambda journal: journal.notes())
        self._same(lambda journal: journal.by_key([row.key for row in rows[::2]] + ["none"]))
        for step in STEPS:
            self._look_at(step)
        for row in rows[-3:]:
            self._look_before(row.seq)

    def _look_at(self, step: StepKey) -> None:
        self._same(lambda journal: journal.stock(step))
        self._same(lambda journal: journal.seen(step, limit=EVERYTHING))
        self._same(lambda journal: journal.last_intent(step))
        self._same(lambda journal: journal.by_src(step, [f"{one}" for one in range(0, 30, 3)]))

    def _look_before(self, seq: int) -> None:
        self._same(lambda journal: journal.before(seq))

    def _open(self, journal: SqliteJournal, *, take_over: bool = False) -> None:
        begins = self._do(journal.open(PLAN, take_over=take_over))
        assert begins == self._do(self._model.open(PLAN))
        self._journal = journal

    def _both(self, verb: Callable[[Journal], Coroutine[Any, Any, None]]) -> None:
        self._same(verb)

    def _same(self, verb: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        found, expected = (self._do(verb(one)) for one in (self._journal, self._model))
        assert found == expected
        return found

    def _refused(self, verb: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            self._do(verb())
        except MigrationError:
            return
        raise AssertionError("it was not refused")

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(what)

    def _later(self) -> datetime:
        self._moments += 1
        return self._clock.now() + timedelta(seconds=self._moments)

    def _rows(self) -> list[Row]:
        return self._do(self._model.rows(limit=EVERYTHING))

    def _in(self, *states: RowState) -> list[Row]:
        return [row for row in self._rows() if row.state in states]

    def _some(self, which: list[int], rows: list[Row]) -> list[Row]:
        found = {_pick(rows, one).seq: _pick(rows, one) for one in which}
        return list(found.values())


def _pick(of: list[T], number: int) -> T:
    return of[number % len(of)]
