"""How the rows of a journal are found in SQLite."""

# ruff: noqa: S608 - what is put into statements are words of ours

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from rpa_bridge.migration.documents import Kind

from .base import LANDED, Row, RowState, StepKey, Stock

T = TypeVar("T")
AT_ONCE = 500
"""Rows or names in one statement."""


def stock_of(db: sqlite3.Connection, step: StepKey) -> Stock:
    """How far the step has been taken stock of."""
    found = db.execute(_STOCK, (step.kind, step.name)).fetchone()
    return Stock() if found is None else Stock(complete=bool(found[0]), last=found[1], count=found[2], digest=found[3])


def last_seq(db: sqlite3.Connection) -> int:
    """The last row; 0 when there is none."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0])


def in_order(
    db: sqlite3.Connection, step: StepKey | None, states: Collection[RowState], after: int, limit: int
) -> list[Row]:
    """Rows in order, those after a place; no states means all."""
    if step is None:
        wanted = [str(state) for state in states or list(RowState)]
        sql = f"{_ROWS} WHERE e.seq > ? AND e.state IN ({marks(wanted)}) ORDER BY e.seq LIMIT ?"
        return [_row(one) for one in db.execute(sql, (after, *wanted, limit))]
    sql, values = _of_step(step, states or list(RowState), after, limit)
    return [_row(one) for one in db.execute(f"{_ROWS} {sql}", values)]


def by_src(db: sqlite3.Connection, step: StepKey, src_ids: Sequence[str]) -> list[Row]:
    """Those of the step that the source knows by one of these."""
    return list(_named(db, "s.kind = ? AND s.name = ? AND e.src_id", src_ids, (step.kind, step.name)))


def by_key(db: sqlite3.Connection, keys: Sequence[str]) -> list[Row]:
    """Those that the target knows by one of these."""
    return list(_named(db, "e.key", keys))


def before(db: sqlite3.Connection, seq: int) -> Row | None:
    """The row of the same step that comes right before this one."""
    found = db.execute(f"{_ROWS} WHERE e.seq = ({_SEQ_BEFORE})", {"seq": seq}).fetchone()
    return None if found is None else _row(found)


def counts(db: sqlite3.Connection) -> dict[StepKey, dict[RowState, int]]:
    """How many rows of each step stand in each state."""
    found: dict[StepKey, dict[RowState, int]] = {}
    for kind, name, state, count in db.execute(_COUNTS):
        found.setdefault(StepKey(Kind(kind), name), {})[RowState(state)] = count
    return found


def last_intent(db: sqlite3.Connection, step: StepKey) -> datetime | None:
    """When the last of the step's unknown rows was about to be sent."""
    [at] = db.execute(_LAST_INTENT, (step.kind, step.name)).fetchone()
    return _time(at)


def seen(db: sqlite3.Connection, step: StepKey, after: int, limit: int) -> list[tuple[Row, int, int]]:
    """Landed rows in order, each with how often it was seen and how often equal.

    One of which the id at the target was not known has that of what was seen.
    """
    sql, values = _of_step(step, LANDED, after, limit)
    return [(_row(one[:-2]), one[-2], one[-1]) for one in db.execute(f"{_SEEN} {sql}", values)]


def _of_step(step: StepKey, states: Collection[RowState], after: int, limit: int) -> tuple[str, dict[str, Any]]:
    """What selects rows of a step in order, by an index whatever the states: never more than it gives are read."""
    each = " UNION ALL ".join(f"SELECT seq FROM ({_SEQS.format(word(one))})" for one in sorted(states))
    values = {"kind": step.kind, "name": step.name, "after": after, "limit": limit}
    return f"WHERE e.seq IN ({each}) ORDER BY e.seq LIMIT :limit", values


def _named(db: sqlite3.Connection, column: str, names: Sequence[str], values: tuple[str, ...] = ()) -> Iterator[Row]:
    for some in portions(names):
        for one in db.execute(f"{_ROWS} WHERE {column} IN ({marks(some)})", (*values, *some)):
            yield _row(one)


def portions(all_: Sequence[T]) -> Iterator[Sequence[T]]:
    """All of them, as many at once as one statement takes."""
    return (all_[first : first + AT_ONCE] for first in range(0, len(all_), AT_ONCE))


def _row(values: tuple[Any, ...]) -> Row:
    kind, name, *same, state, attempt, intent_at, confirmed_at, dst_id, existed, code, hint = values
    seq, src_id, key, src_hash, expect_hash, size = same
    return Row(
        seq=seq,
        step=StepKey(Kind(kind), name),
        src_id=src_id,
        key=key,
        src_hash=src_hash,
        expect_hash=expect_hash,
        bytes=size,
        state=RowState(state),
        attempt=attempt,
        intent_at=_time(intent_at),
        confirmed_at=_time(confirmed_at),
        dst_id=dst_id,
        existed=bool(existed),
        code=code,
        hint=hint,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def marks(values: Sequence[Any]) -> str:
    """A place in a statement for each of the values."""
    return ", ".join("?" * len(values))


def word(state: RowState) -> str:
    """The state as it stands in a statement."""
    return f"'{state}'"


_STOCK = "SELECT complete, last, count, digest FROM steps WHERE kind = ? AND name = ?"
_OF_ROW = """
s.kind, s.name, e.seq, e.src_id, e.key, e.src_hash, e.expect_hash, e.bytes, e.state, e.attempt, e.intent_at,
e.confirmed_at, e.dst_id, e.existed, e.code, e.hint"""
_ROWS = f"SELECT {_OF_ROW} FROM entries e JOIN steps s ON s.id = e.step"
_SIGHTINGS = "FROM sightings g WHERE g.step = e.step AND g.seq = e.seq"
_SEEN = f"""
SELECT {_OF_ROW.replace("e.dst_id", f"coalesce(e.dst_id, (SELECT min(g.dst_id) {_SIGHTINGS}))")},
(SELECT count(*) {_SIGHTINGS}), (SELECT count(*) {_SIGHTINGS} AND g.equal)
FROM entries e JOIN steps s ON s.id = e.step"""
_SEQS = """
SELECT seq FROM entries WHERE step = (SELECT id FROM steps WHERE kind = :kind AND name = :name)
AND state = {} AND seq > :after ORDER BY seq LIMIT :limit"""
_SEQ_BEFORE = """
SELECT max((SELECT max(o.seq) FROM entries o WHERE o.step = t.step AND o.state = t.state AND o.seq < :seq))
FROM tally t WHERE t.step = (SELECT step FROM entries WHERE seq = :seq)"""
_COUNTS = """
SELECT s.kind, s.name, t.state, t.entries FROM tally t JOIN steps s ON s.id = t.step WHERE t.entries > 0
ORDER BY t.step, t.state"""
_LAST_INTENT = f"""
SELECT max(intent_at) FROM entries WHERE step = (SELECT id FROM steps WHERE kind = ? AND name = ?)
AND state = {word(RowState.UNKNOWN)}"""
