"""The log in a journal: a line for each change, with a hash of all before it, so that none can go or be altered."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from .file import damaged
from .high_water import HighWater


class What(StrEnum):
    """What a line of the log is about."""

    BEGIN = "begin"
    """The first line; its note is the plan's id."""
    OPEN = "open"
    """A process took the migration, and made so many rows unknown."""
    DOUBT = "doubt"
    """The journal had forgotten something."""
    ADD = "add"
    UNSTOCK = "unstock"
    INTEND = "intend"
    SETTLE = "settle"
    NOTE = "note"


TOLD = frozenset({What.NOTE, What.DOUBT})
"""What people read of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One change."""

    what: What
    count: int = 0
    note: str = ""
    reach: int = 0
    """The last row that it made about to be sent."""


@dataclass(slots=True)
class Log:
    """What the log says, as far as it was read."""

    path: Path
    plan: str | None = None
    doubted: bool = False
    """Whether the journal ever forgot something: then nothing is planned but what was looked for at the target."""
    notes: list[tuple[datetime, str]] = field(default_factory=list)
    last: HighWater = field(default_factory=HighWater)
    seals: int = 0
    """Of all rows after the last line."""

    def read_on(self, db: sqlite3.Connection, mark: HighWater | None = None) -> bool:
        """Reads what has come since; whether `mark` is in it. Raises MigrationError for a line that was altered."""
        holds = mark == self.last
        for n, at, what, *rest, digest in db.execute(_LINES, (self.last.n,)):
            count, note, pid, epoch, reach, seals = rest
            expected = _hash(self.last.hash, n, at, what, count, note, pid, epoch, reach, seals)
            if (n, digest) != (self.last.n + 1, expected):
                raise damaged(self.path, f"its log is broken at line {n}")
            self.last, self.seals = HighWater(n, digest, reach), seals
            holds = holds or self.last == mark
            self._learn(What(what), at, note)
        return holds

    def _learn(self, what: What, at: str, note: str) -> None:
        if what is What.BEGIN:
            self.plan = note
        if what is What.DOUBT:
            self.doubted = True
        if what in TOLD:
            self.notes.append((datetime.fromisoformat(at), note))


def moment(at: datetime) -> str:
    """A time as it is written."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def append(db: sqlite3.Connection, line: Line, *, at: str, pid: int, epoch: int) -> HighWater:
    """Adds a line; the last change then."""
    n, before, reach = db.execute(_LAST).fetchone() or (0, "", 0)
    [seals] = db.execute(_SEALS).fetchone()
    reach = max(reach, line.reach)
    values = (n + 1, at, line.what, line.count, line.note, pid, epoch, reach, seals)
    digest = _hash(before, *values)
    db.execute(_APPEND, (*values, digest))
    return HighWater(n + 1, digest, reach)


def _hash(before: str, *values: Any) -> str:
    return sha256(json.dumps([before, *values]).encode()).hexdigest()


_LINES = "SELECT n, at, what, count, note, pid, epoch, reach, seals, hash FROM log WHERE n > ? ORDER BY n"
_LAST = "SELECT n, hash, reach FROM log ORDER BY n DESC LIMIT 1"
_SEALS = "SELECT coalesce(sum(seals), 0) FROM tally"
_APPEND = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
