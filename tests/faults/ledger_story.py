"""What happens to a journal, the same each time for a seed: step by step, with what went out to the target."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.base import Change, NewRow, Row, RowState, Sighting, StepKey, Stock
from rpa_bridge.migration.journal.sqlite import SqliteJournal

PLAN = "m-1"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own is made there
"""Where files are fast: processes end here, but never the machine."""
START = datetime(2030, 1, 1, tzinfo=UTC)
STEPS = [StepKey(Kind.ITEMS, "Rechnungen 'Süd'"), StepKey(Kind.ITEMS, "b"), StepKey(Kind.ARTIFACTS, "")]
ROWS = 40
"""In each step."""
BATCH = 5
CHANGES = 90
NEVER = frozenset({RowState.SKIPPED, RowState.MANUAL})
"""What a person decided must not go."""
_AFTER = {
    RowState.CONFIRMED: [RowState.CONFIRMED, RowState.VERIFIED],
    RowState.DEAD: [RowState.DEAD, RowState.PLANNED],
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One verb of the journal, and what the target has afterwards."""

    verb: str
    arguments: tuple[Any, ...]
    target: Counter[str]

    async def carry_out(self, journal: SqliteJournal) -> None:
        await getattr(journal, self.verb)(*self.arguments)


def rows_of(step: StepKey) -> list[NewRow]:
    """All that the source has of the step."""
    number = STEPS.index(step)
    states = {9: RowState.SKIPPED, 19: RowState.MANUAL}
    return [
        NewRow(
            src_id=f"ä{place}",
            key=f"rb-{number}/ä{place}",
            src_hash=f"{place:064x}",
            expect_hash=f"{place + 1:064x}",
            state=states.get(place, RowState.PLANNED),
        )
        for place in range(ROWS)
    ]


KEYS = [row.key for step in STEPS for row in rows_of(step) if row.state not in NEVER]
"""All that must be at the target once, in the end."""


def sent_twice(target: Counter[str]) -> list[str]:
    return [key for key, times in target.items() if times > 1]


def never_sent(target: Counter[str]) -> list[str]:
    return [key for key in KEYS if not target[key]]


def stock_of(count: int) -> Stock:
    return Stock(complete=count == ROWS, last=f"ä{count - 1}", count=count, digest=f"{count:064x}")


@dataclass(slots=True)
class Story:
    """Makes up what happens, by a model of the journal that is right as long as nothing breaks."""

    rng: random.Random
    states: dict[int, RowState] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    target: Counter[str] = field(default_factory=Counter)
    stocked: Counter[StepKey] = field(default_factory=Counter)
    deeds: list[Deed] = field(default_factory=list)

    def tell(self) -> list[Deed]:
        while len(self.deeds) < CHANGES:
            does = [self._add, self._send, self._send, self._settle, self._settle, self._note, self._see]
            self.rng.choice(does)()
        return self.deeds

    def _add(self) -> None:
        open_ = [step for step in STEPS if self.stocked[step] < ROWS]
        if open_:
            step = self.rng.choice(open_)
            first, count = self.stocked[step], self.stocked[step] + BATCH
            rows = rows_of(step)[first:count]
            for row in rows:
                self.keys[len(self.states) + 1] = row.key
                self.states[len(self.states) + 1] = row.state
            self.stocked[step] = count
            self._do("add", step, rows, stock_of(count))

    def _send(self) -> None:
        seqs = self._some(RowState.PLANNED)
        if seqs:
            for seq in seqs:
                self.states[seq] = RowState.INTENT
                self.target[self.keys[seq]] += self.rng.random() < 0.8
            self._do("intend", seqs, self._now())

    def _settle(self) -> None:
        state = self.rng.choice([RowState.INTENT, RowState.INTENT, RowState.UNKNOWN, RowState.CONFIRMED, RowState.DEAD])
        changes = [Change(seq=seq, to=self._next(seq), dst_id=f"d{seq}") for seq in self._some(state)]
        changes = [one for one in changes if one.to is not self.states[one.seq]]
        if changes:
            for one in changes:
                self.states[one.seq] = one.to
            self._do("settle", changes, self._now())

    def _note(self) -> None:
        self._do("note", f"line {len(self.deeds)}")

    def _see(self) -> None:
        if self.rng.random() < 0.2:
            self._do("begin_sighting", self.rng.choice(STEPS))
        else:
            seqs = self._some(RowState.CONFIRMED)
            self._do("see", [Sighting(key=self.keys[seq], dst_id=f"d{seq % 2}", equal=seq % 3 > 0) for seq in seqs])

    def _next(self, seq: int) -> RowState:
        """What the row becomes, if it is told the truth."""
        state, is_there = self.states[seq], self.target[self.keys[seq]] > 0
        if state in _AFTER:
            return self.rng.choice(_AFTER[state])
        if state is RowState.UNKNOWN:
            return RowState.CONFIRMED if is_there else RowState.PLANNED
        return self.rng.choice([RowState.UNKNOWN, RowState.CONFIRMED if is_there else RowState.DEAD])

    def _some(self, state: RowState) -> list[int]:
        found = [seq for seq, one in self.states.items() if one is state]
        return self.rng.sample(found, min(BATCH, len(found)))

    def _now(self) -> datetime:
        return START + timedelta(seconds=len(self.deeds))

    def _do(self, verb: str, *arguments: Any) -> None:
        self.deeds.append(Deed(verb, arguments, self.target.copy()))


async def go_on(journal: SqliteJournal, target: Counter[str]) -> None:
    """What a migration does with an open journal until all is there: it takes stock, looks, and sends."""
    for step in STEPS:
        done = (await journal.stock(step)).count
        for first in range(done, ROWS, BATCH):
            await journal.add(step, rows_of(step)[first : first + BATCH], stock_of(first + BATCH))
    while dead := await journal.rows(states={RowState.DEAD}):
        await _settle(journal, dead, RowState.PLANNED)
    while open_ := await journal.rows(states={RowState.PLANNED, RowState.UNKNOWN}):
        unknown = [row for row in open_ if row.state is RowState.UNKNOWN]
        await _settle(journal, [row for row in unknown if target[row.key]], RowState.CONFIRMED)
        await _settle(journal, [row for row in unknown if not target[row.key]], RowState.PLANNED)
        planned = [row for row in open_ if row.state is RowState.PLANNED]
        await journal.intend([row.seq for row in planned], START)
        target.update(row.key for row in planned)
        await _settle(journal, planned, RowState.CONFIRMED)


async def _settle(journal: SqliteJournal, rows: Iterable[Row], to: RowState) -> None:
    await journal.settle([Change(seq=row.seq, to=to) for row in rows], START)


async def dump(journal: SqliteJournal) -> list[Any]:
    """All that the journal holds, as JSON."""
    rows = await journal.rows(limit=1000)
    return [
        [[row.key, row.state, row.attempt, row.dst_id, str(row.intent_at), str(row.confirmed_at)] for row in rows],
        [[(stock := await journal.stock(step)).count, stock.last, stock.complete] for step in STEPS],
        [[row.key, times, equal] for step in STEPS for row, times, equal in await journal.seen(step) if times],
        [text for _, text in await journal.notes()],
    ]
