"""Dead letters: each with a remedy, none with a payload; and how far a migration is."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from rpa_bridge.contract.queues import ItemDraft, QueueDraft
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.documents import Kind
from rpa_bridge.migration.journal.base import Change, NewRow, RowState, StepKey, Stock
from rpa_bridge.migration.letters import letters, requeue, write_csv, write_jsonl
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.stages import Stage
from rpa_bridge.migration.status import status
from rpa_bridge.testing import ManualClock
from tests.migration.ends import ONCE, QUEUE, Ends, fitting_rules
from tests.migration.memory_journal import MemoryJournal
from tests.migration.moved import Moved
from tests.migration.moves import Crash, crash_at, planned

STEP = StepKey(Kind.ITEMS, "=cmd|' /C calc'!A0")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def journal(clock: ManualClock) -> MemoryJournal:
    """Six rows, of which four are letters."""
    journal = MemoryJournal(clock)
    await journal.open("m-1")
    hint = 'the values have 9,999,999 bytes; \u00bb\u00e9\u00ab, "quoted"\nshorten them'
    states = [
        {},
        {"state": RowState.DEAD, "code": "too_large", "hint": hint},
        {"state": RowState.DEAD, "code": "too_large", "hint": "shorten it"},
        {"state": RowState.CONFLICT, "code": "duplicate", "hint": "-1+1 remove one"},
        {"state": RowState.MANUAL, "code": "secret_missing", "hint": "@name the secret"},
        {"state": RowState.SKIPPED, "code": "there_already"},
    ]
    await journal.add(STEP, [_row(number, **more) for number, more in enumerate(states)], Stock(complete=True))
    return journal


def _row(number: int, **more: Any) -> NewRow:
    return NewRow(src_id=f"+{number}", key=f"rb-1/{number}", src_hash="a", expect_hash="b", **more)


async def test_letters_as_lines_of_json_say_all_that_is_known(journal: MemoryJournal) -> None:
    text = io.StringIO()

    number = await write_jsonl(journal, text)

    found = [json.loads(line) for line in text.getvalue().splitlines()]
    assert (number, len(found)) == (4, 4)
    assert set(found[0]) == {"seq", "kind", "name", "src_id", "key", "state", "code", "hint"}
    assert found[0]["hint"].endswith("\nshorten them")
    assert [one["state"] for one in found] == ["dead", "dead", "conflict", "manual"]
    assert [(one.seq, one.code) async for one in letters(journal)] == [(one["seq"], one["code"]) for one in found]


async def test_no_cell_of_the_table_is_carried_out_by_a_spreadsheet(journal: MemoryJournal) -> None:
    text = io.StringIO(newline="")

    number = await write_csv(journal, text)

    head, *rows = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert number == len(rows) == 4
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    first = dict(zip(head, rows[0], strict=True))
    assert (first["name"], first["src_id"], first["seq"]) == (f"'{STEP.name}", "'+1", "2")
    assert [row[-1] for row in rows[2:]] == ["'-1+1 remove one", "'@name the secret"]


@pytest.mark.parametrize(
    ("which", "seqs"),
    [
        ({"codes": ["too_large"]}, {2, 3}),
        ({"seqs": [3, 4]}, {3, 4}),
        ({"seqs": [3, 4], "codes": ["duplicate"]}, {4}),
        ({"states": [RowState.DEAD, RowState.SKIPPED]}, {2, 3, 6}),
        ({"seqs": [1, 99]}, set()),
        ({"codes": ["no_such"]}, set()),
    ],
)
async def test_what_is_meant_is_sent_again_and_nothing_else(
    journal: MemoryJournal, clock: ManualClock, which: dict[str, Any], seqs: set[int]
) -> None:
    number = await requeue(journal, clock, **which)

    planned_now = await journal.rows(states={RowState.PLANNED})
    assert number == len(seqs)
    assert {row.seq for row in planned_now} == seqs | {1}
    assert {(row.code, row.hint) for row in planned_now} == {("", "")}


async def test_whoever_does_not_say_what_is_meant_is_refused(journal: MemoryJournal, clock: ManualClock) -> None:
    with pytest.raises(MigrationError, match="numbers, codes or states"):
        await requeue(journal, clock)
    with pytest.raises(MigrationError, match="verified cannot be sent again"):
        await requeue(journal, clock, states=[RowState.DEAD, RowState.VERIFIED])

    assert len(await journal.rows(states={RowState.PLANNED})) == 1


async def test_a_letter_whose_cause_was_removed_goes_with_the_next_run(local_ends: Ends) -> None:
    target = local_ends.target.adapter
    await target.queues.create(QueueDraft(name=ONCE, unique_references=True))
    other = await target.queues.add(ONCE, ItemDraft(values={"somebody": "else"}, reference="O-1"))
    rules = await fitting_rules(target, conflicts={"queues": "skip"})
    done = Moved(local_ends, await planned(local_ends, Selection(queues=(ONCE,)), rules))
    await done.apply()
    before = await status(done.plan, done.journal)
    await target.queues.remove(other)

    number = await requeue(done.journal, local_ends.clock, codes=["duplicate"])
    await done.apply()

    after = await status(done.plan, done.journal)
    assert (number, before.letters[0].code, before.letters[0].number, after.letters) == (1, "duplicate", 1, ())
    assert before.letters[0].example.hint
    assert (await done.verify()).equal


async def test_what_was_requeued_by_a_process_that_died_is_looked_for_before_it_is_sent(
    local_ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Moved(local_ends, await planned(local_ends, Selection(queues=(QUEUE,))))
    await done.apply()
    row = (await done.rows(Kind.ITEMS, QUEUE))[0]
    await done.journal.settle([Change(seq=row.seq, to=RowState.CONFLICT, code="other_content")], local_ends.clock.now())

    async def die(_: str) -> None:
        raise Crash("before its note")

    with monkeypatch.context() as patch:
        patch.setattr(done.journal, "note", die)
        with pytest.raises(Crash):
            await requeue(done.journal, local_ends.clock, seqs={row.seq})
    await done.apply()

    assert len([one async for one in local_ends.target.adapter.queues.items(QUEUE, mark=row.key)]) == 1
    assert (await done.verify()).equal


async def test_the_status_tells_what_is_open_and_what_nobody_knows(local_ends: Ends) -> None:
    done = Moved(local_ends, await planned(local_ends, Selection(queues=(ONCE,))))
    with pytest.raises(Crash):
        await done.apply(reached=crash_at("items.answered"))

    before = await status(done.plan, done.journal)
    await done.apply()
    after = await status(done.plan, done.journal)

    assert (before.stage, before.open, before.unknown) == (Stage.STOCKED, 3, 3)
    assert (after.stage, after.open, after.unknown) == (Stage.COPIED, 0, 0)
    assert after.reached_at is not None
    assert [(one.kind, one.counts) for one in after.steps] == [
        (Kind.QUEUE, {RowState.CONFIRMED: 1}),
        (Kind.ITEMS, {RowState.CONFIRMED: 3}),
    ]


async def test_before_anything_the_status_is_empty(local_ends: Ends) -> None:
    done = Moved(local_ends, await planned(local_ends, Selection(queues=(ONCE,))))

    told = await status(done.plan, done.journal)

    assert (told.stage, told.reached_at, told.open, told.letters) == (None, None, 0, ())
    assert [one.goes for one in told.steps] == [True, True]


async def test_the_journal_of_these_tests_keeps_to_what_may_follow_what(
    journal: MemoryJournal, clock: ManualClock
) -> None:
    with pytest.raises(MigrationError):
        await journal.settle([Change(seq=2, to=RowState.PLANNED), Change(seq=1, to=RowState.VERIFIED)], clock.now())

    assert (await journal.rows(after=1, limit=1))[0].state is RowState.DEAD, "all of it or none"
