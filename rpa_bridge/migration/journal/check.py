"""Whether a journal is what was written: SQLite finds a broken tree, but not a changed byte in a value."""

# ruff: noqa: S608 - what is put into statements are words of ours

from __future__ import annotations

import sqlite3
from pathlib import Path

from .changes import SEALED
from .file import damaged
from .log import Log


def check_whole(db: sqlite3.Connection, path: Path, log: Log) -> None:
    """Reads all of it, beside the log. Raises MigrationError when a row, an index or a sum is not what was written."""
    [found] = db.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise damaged(path, found.splitlines()[-1])
    for what, query in _SPOILT.items():
        if db.execute(query).fetchone()[0]:
            raise damaged(path, f"{what} are not as they were written")
    if db.execute("SELECT coalesce(sum(seal), 0) FROM entries").fetchone()[0] != log.seals:
        raise damaged(path, "its rows are not those of its log")


_COUNTED = "SELECT step, state, count(*), sum(seal) FROM entries INDEXED BY entries_state GROUP BY step, state"
_SPOILT = {
    "rows": f"SELECT EXISTS (SELECT 1 FROM entries NOT INDEXED WHERE seal IS NOT seal({', '.join(SEALED)}))",
    "steps": """SELECT EXISTS (
        SELECT 1 FROM steps WHERE seal IS NOT seal(id, kind, name, complete, last, count, digest))""",
    "counts": f"""SELECT EXISTS (SELECT * FROM ({_COUNTED}) EXCEPT SELECT * FROM tally)
        OR (SELECT sum(entries) FROM tally) IS NOT (SELECT nullif(count(*), 0) FROM entries)""",
}
