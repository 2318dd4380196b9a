"""Queues of work. Every change is one transaction; taking is one statement, so that no two ever get the same item."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.queues import (
    AddResult,
    AddStatus,
    AddSummary,
    Drafts,
    Failure,
    FailureKind,
    Item,
    ItemDraft,
    ItemState,
    Queue,
    QueueDraft,
    QueueService,
    QueueStats,
)
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError
from rpa_bridge.helpers.adding import Tally, each
from rpa_bridge.helpers.checks import check_mark, check_moment, check_values

from . import mapping, wire
from .database import NEWEST, Database
from .wire import LIMITS

BATCH = 500
"""Items of `add_many` in one transaction."""
LIST = """
SELECT * FROM items
WHERE id > :last AND id <= :until
    AND +queue_id = :queue -- by id, and not by an index: each page would sort all that is left
    AND (:state IS NULL OR state = :state)
    AND (:reference IS NULL OR reference = :reference)
    AND (:mark IS NULL OR (mark >= :mark AND mark < :mark || x'7f')) -- 7f is beyond all that a mark may hold
ORDER BY id LIMIT :page
"""
MARKED = """
SELECT min(id), max(id) FROM items WHERE queue_id = :queue AND mark >= :mark AND mark < :mark || x'7f'
"""
"""Between which ids the items of a mark lie: more need not be read."""
TAKE = """
UPDATE items SET state = 'taken', started_at = :now WHERE id = (
    SELECT items.id FROM items
    WHERE queue_id = (SELECT id FROM queues WHERE id = :queue AND active)
      AND state = 'new' AND (not_before IS NULL OR not_before <= :now)
    ORDER BY priority DESC, due_at IS NULL, due_at, items.id LIMIT 1
) RETURNING *
"""


class LocalQueues(QueueService):
    """Queues and their items."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database, lapse_after: float) -> None:
        super().__init__(adapter_name, clock)
        self._database = database
        self._lapse_after = timedelta(seconds=lapse_after)

    async def find(self) -> AsyncIterator[Queue]:
        async for row in self._database.rows("SELECT * FROM queues WHERE id > :last ORDER BY id LIMIT :page"):
            yield mapping.queue(row)

    async def get(self, name: str) -> Queue:
        return mapping.queue(await self._database.read(lambda db: wire.queue_row(db, name)))

    def check_item(self, draft: ItemDraft) -> None:
        wire.check_item(draft)

    def check_queue(self, draft: QueueDraft) -> None:
        wire.check_queue(draft)

    async def create(self, draft: QueueDraft) -> Queue:
        values = _queue_values(draft)

        def insert(db: sqlite3.Connection) -> sqlite3.Row:
            _refuse_name(db, draft.name)
            row: sqlite3.Row = db.execute(
                "INSERT INTO queues (name, description, retries, unique_references, fields)"
                " VALUES (:name, :description, :retries, :unique_references, :fields) RETURNING *",
                values,
            ).fetchone()
            return row

        return mapping.queue(await self._database.write(insert))

    async def update(self, name: str, draft: QueueDraft) -> Queue:
        values = _queue_values(draft)

        def change(db: sqlite3.Connection) -> sqlite3.Row:
            queue = wire.queue_row(db, name)
            if draft.name != name:
                _refuse_name(db, draft.name)
            row: sqlite3.Row = db.execute(
                "UPDATE queues SET name = :name, description = :description, retries = :retries,"
                " unique_references = :unique_references, fields = :fields WHERE id = :id RETURNING *",
                {**values, "id": queue["id"]},
            ).fetchone()
            return row

        return mapping.queue(await self._database.write(change))

    async def delete(self, name: str) -> None:
        def delete(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM queues WHERE id = ?", (wire.queue_row(db, name)["id"],))

        await self._database.write(delete)

    async def activate(self, name: str) -> Queue:
        return await self._set_active(name, True)

    async def deactivate(self, name: str) -> Queue:
        return await self._set_active(name, False)

    async def stats(self, queue: str) -> QueueStats:
        await self._end_the_lapsed()

        def count(db: sqlite3.Connection) -> dict[ItemState, int]:
            found = db.execute(
                "SELECT state, count(*) AS number FROM items WHERE queue_id = ? GROUP BY state",
                (wire.queue_row(db, queue)["id"],),
            )
            return {ItemState(row["state"]): row["number"] for row in found}

        none = dict.fromkeys((state for state in ItemState if state is not ItemState.UNKNOWN), 0)
        return QueueStats(counts=none | await self._database.read(count))

    async def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        check_mark("queues.items", mark)
        start = 0 if after is None else mapping.row_id("item", after)
        await self._end_the_lapsed()
        found = await self.get(queue)
        number, until = int(found.id), NEWEST
        if mark is not None:
            least, largest = await self._database.read(
                lambda db: db.execute(MARKED, {"queue": number, "mark": mark}).fetchone()
            )
            start, until = max(start, (least or 0) - 1), largest or 0
        async for row in self._database.rows(
            LIST, start=start, until=until, queue=number, state=state, reference=reference, mark=mark
        ):
            yield mapping.item(row, found.name)

    async def get_item(self, queue: str, item_id: str) -> Item:
        await self._end_the_lapsed()
        number = mapping.row_id("item", item_id)

        def read(db: sqlite3.Connection) -> sqlite3.Row | None:
            values = (number, wire.queue_row(db, queue)["id"])
            row: sqlite3.Row | None = db.execute("SELECT * FROM items WHERE id = ? AND queue_id = ?", values).fetchone()
            return row

        row = await self._database.read(read)
        if row is None:
            raise NotFoundError(f"there is no item {item_id!r} in queue {queue!r}; look for it with queues.items")
        return mapping.item(row, queue)

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        new = wire.prepare(draft, self._now())
        row = await self._database.write(lambda db: wire.insert(db, wire.queue_row(db, queue), new))
        return mapping.item(row, queue)

    async def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        await self.get(queue)
        tally = Tally(on_result)
        position = 0
        async for batch in _batches(drafts):
            results = await self._add_batch(queue, position, batch)
            position += len(batch)
            for one in results:
                tally.note(one)
        return tally.summary

    async def take(self, queue: str) -> Item | None:
        await self._end_the_lapsed()
        now = self._now()

        def take(db: sqlite3.Connection) -> sqlite3.Row | None:
            values = {"queue": wire.queue_row(db, queue)["id"], "now": now}
            row: sqlite3.Row | None = db.execute(TAKE, values).fetchone()
            return row

        row = await self._database.write(take)
        return None if row is None else mapping.item(row, queue)

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        given = dict(output or {})
        check_values("queues.complete", given, LIMITS)
        await self._change(
            item,
            ItemState.TAKEN,
            "UPDATE items SET state = 'done', output = :output, ended_at = :now WHERE id = :id AND state = 'taken'",
            output=json.dumps(given),
        )

    async def fail(self, item: Item, failure: Failure) -> None:
        may_retry = failure.kind is FailureKind.APPLICATION

        def try_again(db: sqlite3.Connection, item_id: int) -> None:
            left = db.execute(
                "SELECT retries >= attempt FROM items JOIN queues ON queues.id = queue_id WHERE items.id = ?",
                (item_id,),
            ).fetchone()
            if may_retry and left[0]:
                wire.insert_next_attempt(db, item_id, self._now())

        await self._change(
            item,
            ItemState.TAKEN,
            "UPDATE items SET state = 'failed', failure = :failure, ended_at = :now WHERE id = :id AND state = 'taken'",
            then=try_again,
            failure=mapping.failure_text(failure),
        )

    async def progress(self, item: Item, text: str) -> None:
        await self._change(
            item,
            ItemState.TAKEN,
            "UPDATE items SET progress = :progress WHERE id = :id AND state = 'taken'",
            progress=text,
        )

    async def postpone(self, item: Item, until: datetime) -> None:
        check_moment("queues.postpone", "until", until)
        await self._change(
            item,
            ItemState.NEW,
            "UPDATE items SET not_before = :until WHERE id = :id AND state = 'new'",
            until=mapping.moment_text(until),
        )

    async def remove(self, item: Item) -> None:
        await self._change(
            item,
            ItemState.NEW,
            "UPDATE items SET state = 'removed', ended_at = :now WHERE id = :id AND state = 'new'",
        )

    async def retry(self, item: Item) -> Item:
        await self._end_the_lapsed()
        number = mapping.row_id("item", item.id)

        def try_again(db: sqlite3.Connection) -> sqlite3.Row:
            state = wire.state_of(db, number)
            if state not in (ItemState.FAILED, ItemState.LAPSED):
                raise ConflictError(f"item {item.id} is {state}; only a failed or lapsed one can be tried again")
            return wire.insert_next_attempt(db, number, self._now())

        return mapping.item(await self._database.write(try_again), item.queue)

    async def _change(
        self,
        item: Item,
        wanted: ItemState,
        sql: str,
        *,
        then: Callable[[sqlite3.Connection, int], None] | None = None,
        **values: Any,
    ) -> None:
        """Changes an item that is in the wanted state. Raises NotFoundError, or ConflictError in any other state."""
        await self._end_the_lapsed()
        number = mapping.row_id("item", item.id)

        def change(db: sqlite3.Connection) -> None:
            if db.execute(sql, {**values, "id": number, "now": self._now()}).rowcount == 0:
                raise ConflictError(f"item {item.id} is {wire.state_of(db, number)}, not {wanted}; look at it again")
            if then is not None:
                then(db, number)

        await self._database.write(change)

    async def _set_active(self, name: str, active: bool) -> Queue:
        def change(db: sqlite3.Connection) -> sqlite3.Row:
            values = (active, wire.queue_row(db, name)["id"])
            row: sqlite3.Row = db.execute("UPDATE queues SET active = ? WHERE id = ? RETURNING *", values).fetchone()
            return row

        return mapping.queue(await self._database.write(change))

    async def _add_batch(self, queue: str, first: int, drafts: list[ItemDraft]) -> list[AddResult]:
        """Adds what can be added, in one transaction."""

        def add(db: sqlite3.Connection) -> list[AddResult]:
            row, now = wire.queue_row(db, queue), self._now()
            return [_add_one(db, row, position, draft, now) for position, draft in enumerate(drafts, first)]

        return await self._database.write(add)

    async def _end_the_lapsed(self) -> None:
        now = self.clock.now()
        values = (mapping.moment_text(now), mapping.moment_text(now - self._lapse_after))
        late = await self._database.read(
            lambda db: db.execute(
                "SELECT 1 FROM items WHERE state = 'taken' AND started_at < ? LIMIT 1", values[1:]
            ).fetchone()
        )
        if late:
            await self._database.write(
                lambda db: db.execute(
                    "UPDATE items SET state = 'lapsed', ended_at = ? WHERE state = 'taken' AND started_at < ?", values
                )
            )

    def _now(self) -> str | None:
        return mapping.moment_text(self.clock.now())


def _add_one(db: sqlite3.Connection, queue: sqlite3.Row, position: int, draft: ItemDraft, now: str | None) -> AddResult:
    try:
        row = wire.insert(db, queue, wire.prepare(draft, now))
    except (InvalidError, ConflictError) as error:
        return AddResult(
            position=position,
            reference=draft.reference,
            status=AddStatus.REFUSED,
            problem=str(error),
            duplicate=error.code == wire.DUPLICATE,
        )
    return AddResult(position=position, reference=draft.reference, status=AddStatus.ADDED, item_id=str(row["id"]))


async def _batches(drafts: Drafts) -> AsyncIterator[list[ItemDraft]]:
    batch: list[ItemDraft] = []
    async for draft in each(drafts):
        batch.append(draft)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _queue_values(draft: QueueDraft) -> dict[str, Any]:
    wire.check_queue(draft)
    return {
        "name": draft.name,
        "description": draft.description,
        "retries": draft.retries,
        "unique_references": draft.unique_references,
        "fields": mapping.fields_text(draft.fields),
    }


def _refuse_name(db: sqlite3.Connection, name: str) -> None:
    if db.execute("SELECT 1 FROM queues WHERE name = ?", (name,)).fetchone():
        raise ConflictError(f"there is a queue {name!r} already; take another name")
