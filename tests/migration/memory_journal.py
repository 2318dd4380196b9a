"""A journal that forgets all when its process ends: for tests of stages, and held to what may follow what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from rpa_bridge.clock import Clock
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.journal.base import LANDED, NEXT, Change, NewRow, Row, RowState, Sighting, StepKey, Stock


class MemoryJournal:
    """The rows of one migration. Opening it again is what a new process does after a crash."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: list[Row] = []
        self._stocks: dict[StepKey, Stock] = {}
        self._sightings: dict[int, dict[str, bool]] = {}
        self._notes: list[tuple[datetime, str]] = []
        self._plan_id = ""
        self.taken_over = False
        """Whether another process has taken the migration over."""

    async def open(self, plan_id: str, *, take_over: bool = False) -> bool:
        if self._plan_id not in ("", plan_id):
            raise MigrationError("the journal is another plan's; name the right one")
        begins = not self._plan_id
        self._plan_id, self.taken_over = plan_id, False
        self._rows = [
            replace(row, state=RowState.UNKNOWN) if row.state is RowState.INTENT else row for row in self._rows
        ]
        return begins

    async def close(self) -> None:
        self._sightings.clear()

    async def check(self) -> None:
        if self.taken_over:
            raise MigrationError("another process has taken the migration over; let it go on there")

    async def stock(self, step: StepKey) -> Stock:
        return self._stocks.get(step, Stock())

    async def add(self, step: StepKey, rows: Sequence[NewRow], stock: Stock) -> None:
        await self.check()
        known = {row.key for row in self._rows}
        for new in rows:
            if new.key not in known:
                self._rows.append(_row(len(self._rows) + 1, step, new))
        self._stocks[step] = stock

    async def unstock(self) -> None:
        await self.check()
        if any(row.attempt for row in self._rows):
            raise MigrationError("something was sent already; go on instead")
        self._rows.clear()
        self._stocks.clear()

    async def intend(self, seqs: Sequence[int], at: datetime, *, existed: Collection[int] = ()) -> None:
        await self.check()
        for seq in seqs:
            row = self._rows[seq - 1]
            if row.state is not RowState.PLANNED:
                raise MigrationError(f"row {seq} is {row.state}, and not planned")
            self._rows[seq - 1] = replace(
                row, state=RowState.INTENT, attempt=row.attempt + 1, intent_at=at, existed=seq in existed
            )

    async def settle(self, changes: Sequence[Change], at: datetime) -> None:
        await self.check()
        for one in changes:
            if one.to not in NEXT[self._rows[one.seq - 1].state]:
                raise MigrationError(f"row {one.seq} is {self._rows[one.seq - 1].state}, and cannot become {one.to}")
        for one in changes:
            self._rows[one.seq - 1] = _changed(self._rows[one.seq - 1], one, at)

    async def rows(
        self, *, step: StepKey | None = None, states: Collection[RowState] = (), after: int = 0, limit: int = 500
    ) -> list[Row]:
        return self._page(lambda row: (step in (None, row.step)) and (not states or row.state in states), after, limit)

    async def by_src(self, step: StepKey, src_ids: Sequence[str]) -> dict[str, Row]:
        return {row.src_id: row for row in self._rows if row.step == step and row.src_id in src_ids}

    async def by_key(self, keys: Sequence[str]) -> dict[str, Row]:
        return {row.key: row for row in self._rows if row.key in keys}

    async def before(self, seq: int) -> Row | None:
        step = self._rows[seq - 1].step
        return next((row for row in reversed(self._rows[: seq - 1]) if row.step == step), None)

    async def counts(self) -> dict[StepKey, dict[RowState, int]]:
        counts: dict[StepKey, Counter[RowState]] = {}
        for row in self._rows:
            counts.setdefault(row.step, Counter())[row.state] += 1
        return {step: dict(states) for step, states in counts.items()}

    async def last_intent(self, step: StepKey) -> datetime | None:
        unknown = [row for row in self._rows if row.step == step and row.state is RowState.UNKNOWN]
        return max((row.intent_at for row in unknown if row.intent_at is not None), default=None)

    async def begin_sighting(self, step: StepKey) -> None:
        for row in self._rows:
            if row.step == step:
                self._sightings.pop(row.seq, None)

    async def see(self, sightings: Sequence[Sighting]) -> None:
        await self.check()
        seqs = {row.key: row.seq for row in self._rows}
        for one in sightings:
            self._sightings.setdefault(seqs[one.key], {})[one.dst_id] = one.equal

    async def seen(self, step: StepKey, *, after: int = 0, limit: int = 500) -> list[tuple[Row, int, int]]:
        rows = self._page(lambda row: row.step == step and row.state in LANDED, after, limit)
        return [(row, len(copies), sum(copies.values())) for row, copies in map(self._with_copies, rows)]

    async def note(self, text: str) -> None:
        await self.check()
        self._notes.append((self._clock.now(), text))

    async def notes(self) -> list[tuple[datetime, str]]:
        return list(self._notes)

    def _page(self, wanted: Callable[[Row], bool], after: int, limit: int) -> list[Row]:
        return [row for row in self._rows[after:] if wanted(row)][:limit]

    def _with_copies(self, row: Row) -> tuple[Row, dict[str, bool]]:
        copies = self._sightings.get(row.seq, {})
        return (row if row.dst_id or not copies else replace(row, dst_id=next(iter(copies)))), copies


def _row(seq: int, step: StepKey, new: NewRow) -> Row:
    return Row(
        seq=seq,
        step=step,
        src_id=new.src_id,
        key=new.key,
        src_hash=new.src_hash,
        expect_hash=new.expect_hash,
        bytes=new.bytes,
        state=new.state,
        attempt=0,
        intent_at=None,
        confirmed_at=None,
        dst_id=None,
        existed=False,
        code=new.code,
        hint=new.hint,
    )


def _changed(row: Row, change: Change, at: datetime) -> Row:
    return replace(
        row,
        state=change.to,
        intent_at=at if change.to is RowState.ROLLING_BACK else row.intent_at,
        confirmed_at=at if change.to is RowState.CONFIRMED else row.confirmed_at,
        dst_id=row.dst_id if change.dst_id is None else change.dst_id,
        existed=row.existed if change.existed is None else change.existed,
        bytes=row.bytes if change.bytes is None else change.bytes,
        expect_hash=row.expect_hash if change.expect_hash is None else change.expect_hash,
        code=change.code,
        hint=change.hint,
    )
