"""How the rows of a journal are added and changed in SQLite, within a transaction: each sealed, and all counted."""

# ruff: noqa: S608 - what is put into statements are words of ours

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, groupby
from typing import Any

from rpa_bridge.errors import MigrationError

from .base import NEXT, Change, NewRow, RowState, Sighting, StepKey, Stock
from .file import seal
from .log import moment
from .rows import by_key, last_seq, marks, portions, word

Sums = dict[tuple[int, str], tuple[int, int]]
"""By step and state: how many rows, and the sum of their seals."""
SEALED = (
    "seq",
    "step",
    "src_id",
    "key",
    "src_hash",
    "expect_hash",
    "bytes",
    "state",
    "attempt",
    "intent_at",
    "confirmed_at",
    "dst_id",
    "existed",
    "code",
    "hint",
)
"""What a row's seal is made of."""
_BEFORE: Mapping[RowState, frozenset[RowState]] = {
    state: frozenset(before for before, after in NEXT.items() if state in after) for state in RowState
}
"""What a row must be to become this."""


def add(db: sqlite3.Connection, step: StepKey, rows: Sequence[NewRow], stock: Stock, doubted_at: str | None) -> int:
    """Adds those whose key is not there; how many. With a time, what is planned is unknown since then."""
    number = _set_stock(db, step, stock)
    known = {row.key: (row.step, row.src_id) for row in by_key(db, [row.key for row in rows])}
    seq = last_seq(db)
    new: list[tuple[Any, ...]] = []
    for row in rows:
        if row.key not in known:
            known[row.key] = (step, row.src_id)
            new.append(_values(seq + len(new) + 1, number, row, doubted_at if row.state is RowState.PLANNED else None))
        elif known[row.key] != (step, row.src_id):
            raise MigrationError(
                f"two things would be known by {row.key!r} at the target; give one of them another name there by a "
                f"rule, and plan again"
            )
    db.executemany(_INSERT, new)
    for some in portions([seq + place for place in range(1, len(new) + 1)]):
        _tally(db, {}, _sums(db, some))
    return len(new)


def change(db: sqlite3.Connection, changes: Sequence[Change], at: datetime, *, doubted: bool) -> None:
    """Makes the changes, in their order. Raises MigrationError for one that may not follow."""
    when = moment(at)
    for to, same in groupby(changes, key=lambda one: one.to):
        for some in portions(list(same)):
            given = [
                (one.seq, when, one.dst_id, one.existed, one.bytes, one.expect_hash, one.code, one.hint) for one in some
            ]
            seqs = [one.seq for one in some]
            before = _sums(db, seqs)
            done = db.execute(_change(to, len(some), doubted), list(chain.from_iterable(given)))
            if done.rowcount != len(some):
                raise _refused(before, to)
            _tally(db, before, _sums(db, seqs))


def make_unknown(db: sqlite3.Connection) -> int:
    """Makes unknown what was about to be sent; how many."""
    return _change_all(db, {"state": word(RowState.UNKNOWN)}, f"state = {word(RowState.INTENT)}")


def doubt(db: sqlite3.Connection, at: str, reach: int) -> int:
    """Makes unknown what is planned, up to a row, and unverified what is verified; how many are unknown now."""
    _change_all(db, {"state": word(RowState.CONFIRMED)}, f"state = {word(RowState.VERIFIED)}")
    planned = f"state = {word(RowState.PLANNED)} AND seq <= :reach"
    return _change_all(db, {"state": word(RowState.UNKNOWN), "intent_at": ":at"}, planned, at=at, reach=reach)


def forget(db: sqlite3.Connection) -> int:
    """Forgets all rows and stocks; how many rows."""
    count = db.execute("DELETE FROM entries").rowcount
    for table in ("tally", "sightings", "steps"):
        db.execute(f"DELETE FROM {table}")
    return count


def forget_sightings(db: sqlite3.Connection, step: StepKey) -> None:
    """Forgets what was seen of the step."""
    db.execute(_FORGET_SIGHTINGS, (step.kind, step.name))


def see(db: sqlite3.Connection, sightings: Sequence[Sighting]) -> None:
    """Notes what was seen; the same thing at the target counts once."""
    db.executemany(_SEE, ((one.dst_id, one.equal, one.key) for one in sightings))


def _set_stock(db: sqlite3.Connection, step: StepKey, stock: Stock) -> int:
    found = db.execute("SELECT id FROM steps WHERE kind = ? AND name = ?", (step.kind, step.name)).fetchone()
    [number] = found or db.execute("SELECT coalesce(max(id), 0) + 1 FROM steps").fetchone()
    values = (number, str(step.kind), step.name, int(stock.complete), stock.last, stock.count, stock.digest)
    db.execute(_SET_STOCK, (*values, seal(values)))
    return int(number)


def _values(seq: int, step: int, row: NewRow, doubted_at: str | None) -> tuple[Any, ...]:
    state = RowState.UNKNOWN if doubted_at else row.state
    of_row = (row.src_id, row.key, row.src_hash, row.expect_hash, row.bytes, str(state))
    values = (seq, step, *of_row, 0, doubted_at, None, None, 0, row.code, row.hint)
    return (*values, seal(values))


@lru_cache(64)
def _change(to: RowState, count: int, doubted: bool) -> str:
    """The statement for so many changes to this state."""
    new = {
        "state": word(to),
        "dst_id": "coalesce(new.dst_id, entries.dst_id)",
        "existed": "coalesce(new.existed, entries.existed)",
        "bytes": "coalesce(new.bytes, entries.bytes)",
        "expect_hash": "coalesce(new.expect_hash, entries.expect_hash)",
        "code": "new.code",
        "hint": "new.hint",
    }
    if to is RowState.INTENT:
        new |= {"attempt": "attempt + 1", "intent_at": "new.at"}
        del new["code"], new["hint"]
    if to is RowState.ROLLING_BACK:
        new["intent_at"] = "new.at"
    if to is RowState.CONFIRMED:
        new["confirmed_at"] = "new.at"
    if to is RowState.PLANNED and doubted:  # it may have been sent, and that was forgotten
        was_looked_for = f"state IN ({word(RowState.INTENT)}, {word(RowState.UNKNOWN)})"
        new["state"] = f"CASE WHEN {was_looked_for} THEN {word(to)} ELSE {word(RowState.UNKNOWN)} END"
        new["intent_at"] = f"CASE WHEN {was_looked_for} THEN intent_at ELSE new.at END"
    states = ", ".join(word(one) for one in sorted(_BEFORE[to]))
    given = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    return f"""UPDATE entries SET {_sealed(new)} FROM (
        SELECT column1 AS seq, column2 AS at, column3 AS dst_id, column4 AS existed, column5 AS bytes,
        column6 AS expect_hash, column7 AS code, column8 AS hint FROM (VALUES {given})
        ) AS new WHERE entries.seq = new.seq AND state IN ({states})"""


def _change_all(db: sqlite3.Connection, new: Mapping[str, str], where: str, **values: str | int) -> int:
    """Changes the rows that it finds by reading all; how many. Then it counts anew."""
    count = db.execute(f"UPDATE entries SET {_sealed(new)} WHERE {where}", values).rowcount
    if count:
        db.execute("DELETE FROM tally")
        db.execute("INSERT INTO tally SELECT step, state, count(*), sum(seal) FROM entries GROUP BY step, state")
    return count


def _sealed(new: Mapping[str, str]) -> str:
    """What sets columns anew, and the seal over them."""
    assigned = [f"{column} = {value}" for column, value in new.items()]
    sealed = ", ".join(new.get(column, f"entries.{column}") for column in SEALED)
    return ", ".join([*assigned, f"seal = seal({sealed})"])


def _sums(db: sqlite3.Connection, seqs: Sequence[int]) -> Sums:
    """How many of the rows stand where, and the sums of their seals."""
    return {(step, state): (count, seals) for step, state, count, seals in db.execute(_SUMS.format(marks(seqs)), seqs)}


def _tally(db: sqlite3.Connection, before: Sums, after: Sums) -> None:
    for place in before.keys() | after.keys():
        (count, seals), (less, less_seals) = after.get(place, (0, 0)), before.get(place, (0, 0))
        db.execute(_TALLY, (*place, count - less, seals - less_seals))


def _refused(before: Sums, to: RowState) -> MigrationError:
    wrong = {state for _, state in before if state not in _BEFORE[to]}
    found = " and ".join(sorted(wrong)) or "not there, or named twice"
    return MigrationError(
        f"a row of the journal that was to become {to} is {found}; nothing was written: look at the status of the "
        f"migration, and go on from there"
    )


_SET_STOCK = """
INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
complete = excluded.complete, last = excluded.last, count = excluded.count, digest = excluded.digest,
seal = excluded.seal"""
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SUMS = "SELECT step, state, count(*), sum(seal) FROM entries WHERE seq IN ({}) GROUP BY step, state"
_TALLY = """
INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
entries = entries + excluded.entries, seals = seals + excluded.seals"""
_FORGET_SIGHTINGS = "DELETE FROM sightings WHERE step = (SELECT id FROM steps WHERE kind = ? AND name = ?)"
_SEE = """
INSERT INTO sightings SELECT step, seq, ?, ? FROM entries WHERE key = ?
ON CONFLICT DO UPDATE SET equal = excluded.equal"""
