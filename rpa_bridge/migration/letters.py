"""Dead letters: what did not go and needs a person, with a remedy each; and sending them on their way again."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass, fields
from typing import Any, TextIO

from rpa_bridge.clock import Clock
from rpa_bridge.contract.model import plain
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.journal.base import LETTERS, Change, Journal, Row, RowState

from .documents import Kind
from .stages import Stage

BATCH = 500
AGAIN = LETTERS | {RowState.SKIPPED}
"""What can be sent on its way again."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would carry out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One thing that did not go; never its payload."""

    seq: int
    kind: Kind
    name: str
    """The step's: a queue, an asset, a credential or a container."""
    src_id: str
    key: str
    state: RowState
    code: str
    hint: str
    """What a person can do about it."""


async def letters(journal: Journal, *, states: Collection[RowState] = LETTERS) -> AsyncGenerator[Letter, None]:
    """The dead letters, in order."""
    last = 0
    while rows := await journal.rows(states=states, after=last, limit=BATCH):
        last = rows[-1].seq
        for row in rows:
            yield _letter(row)


async def write_jsonl(journal: Journal, to: TextIO) -> int:
    """Writes the dead letters as one JSON object a line; how many there are."""
    number = 0
    async with aclosing(letters(journal)) as found:
        async for letter in found:
            to.write(json.dumps(_members(letter), ensure_ascii=False) + "\n")
            number += 1
    return number


async def write_csv(journal: Journal, to: TextIO) -> int:
    """Writes the dead letters as a table for spreadsheets, which carry none of it out; how many there are.

    A cell that would be taken for a formula gets a ' before it.
    """
    table = csv.writer(to)
    table.writerow(one.name for one in fields(Letter))
    number = 0
    async with aclosing(letters(journal)) as found:
        async for letter in found:
            table.writerow(_cell(str(value)) for value in _members(letter).values())
            number += 1
    return number


async def requeue(
    journal: Journal,
    clock: Clock,
    *,
    seqs: Collection[int] = (),
    codes: Collection[str] = (),
    states: Collection[RowState] = (),
) -> int:
    """Sends what matches all that is given on its way again with the next `apply`; how many that are.

    Only dead letters and what was skipped are taken; what was skipped, only if `seqs`, `codes` or `states` name it.
    Raises MigrationError when nothing is given, or a state from which nothing can be sent again.
    """
    if not (seqs or codes or states):
        raise MigrationError("nothing says which dead letters are meant; give their numbers, codes or states")
    if others := sorted(set(states) - AGAIN):
        raise MigrationError(
            f"what is {', '.join(others)} cannot be sent again; name some of {', '.join(sorted(AGAIN))}"
        )
    number = last = 0
    while rows := await journal.rows(states=states or AGAIN, after=last, limit=BATCH):
        last = rows[-1].seq
        meant = [row for row in rows if (not seqs or row.seq in seqs) and (not codes or row.code in codes)]
        await journal.settle([Change(seq=row.seq, to=RowState.PLANNED) for row in meant], clock.now())
        number += len(meant)
    await journal.note(f"{Stage.REQUEUED}: {number}")
    return number


def _letter(row: Row) -> Letter:
    return Letter(
        seq=row.seq,
        kind=row.step.kind,
        name=row.step.name,
        src_id=row.src_id,
        key=row.key,
        state=row.state,
        code=row.code,
        hint=row.hint,
    )


def _members(letter: Letter) -> dict[str, Any]:
    return {one.name: plain(getattr(letter, one.name)) for one in fields(letter)}


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
