"""What the file can hold, and what becomes of an item inside one transaction: checked, added, tried again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Field, ItemDraft, QueueDraft
from rpa_bridge.errors import ConflictError, InvalidError, UnsupportedError
from rpa_bridge.helpers.checks import FIELD_TYPES, check_draft, check_name, refuse

from . import mapping
from .errors import not_found

DUPLICATE = "duplicate reference"
"""The code of a conflict that a reference makes."""


LIMITS = Limits(
    item_bytes=4 * 1024 * 1024,
    input_chars=4 * 1024 * 1024,
    unique_references=True,
    reads_secrets=True,
    finds_starts_by_key=True,
    field_types=frozenset(FIELD_TYPES),
    required_fields=True,
)


def check_item(draft: ItemDraft) -> None:
    """Raises InvalidError for what no queue could store."""
    check_draft("queues.add", draft, LIMITS)
    try:
        (draft.reference or "").encode()
    except UnicodeError:
        raise refuse("queues.add", "the reference is no text that can be stored; clean it") from None


def check_queue(draft: QueueDraft) -> None:
    """Raises InvalidError or UnsupportedError for a queue that cannot be stored."""
    check_name("queues.create", "queue", draft.name, LIMITS)
    for name in draft.options:
        raise UnsupportedError(f"queue option {name!r}", adapter="local", hint="leave it out")
    if draft.retries < 0:
        raise refuse("queues.create", f"a queue's retries must be 0 or more, not {draft.retries}")
    for field in draft.fields:
        if field.type not in FIELD_TYPES:
            raise InvalidError(f"field {field.name!r} has no type {field.type!r}; take one of {', '.join(FIELD_TYPES)}")


def prepare(draft: ItemDraft, now: str | None) -> dict[str, Any]:
    """The draft as a row. Raises InvalidError for what cannot be stored."""
    check_item(draft)
    return {
        "given": draft.values,
        "values": json.dumps(draft.values),
        "reference": draft.reference,
        "priority": mapping.PRIORITIES[draft.priority],
        "not_before": mapping.moment_text(draft.not_before),
        "due_at": mapping.moment_text(draft.due_at),
        "mark": draft.mark,
        "now": now,
    }


def queue_row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    """The queue's row. Raises NotFoundError with the nearest name."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM queues WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found("queue", name, [one["name"] for one in db.execute("SELECT name FROM queues LIMIT 1000")])
    return row


def state_of(db: sqlite3.Connection, item_id: int) -> str:
    """The item's state. Raises NotFoundError."""
    row = db.execute("SELECT state FROM items WHERE id = ?", (item_id,)).fetchone()
    if row is None:
        raise not_found("item", str(item_id))
    return str(row["state"])


def insert(db: sqlite3.Connection, queue: sqlite3.Row, new: Mapping[str, Any]) -> sqlite3.Row:
    """The new item's row. Raises InvalidError for values the queue does not take, ConflictError for a repetition."""
    uniques = _check_fields(mapping.fields(queue["fields"]), new["given"])
    if queue["unique_references"] and new["reference"] is not None:
        _refuse_reference(db, queue, new["reference"])
    for field, value in uniques.items():
        _refuse_value(db, queue, field, value)
    given = {key: value for key, value in new.items() if key != "given"}
    row: sqlite3.Row = db.execute(
        'INSERT INTO items (queue_id, state, "values", reference, priority, not_before, due_at, mark, created_at)'
        " VALUES (:queue, 'new', :values, :reference, :priority, :not_before, :due_at, :mark, :now) RETURNING *",
        {**given, "queue": queue["id"]},
    ).fetchone()
    db.executemany(
        "INSERT INTO unique_values VALUES (?, ?, ?, ?)",
        [(row["id"], queue["id"], field, value) for field, value in uniques.items()],
    )
    return row


def insert_next_attempt(db: sqlite3.Connection, failed_id: int, now: str | None) -> sqlite3.Row:
    """The row of a new item that tries a failed one again; the failed one becomes RETRIED."""
    db.execute("UPDATE items SET state = 'retried' WHERE id = ?", (failed_id,))
    row: sqlite3.Row = db.execute(
        'INSERT INTO items (queue_id, state, "values", reference, mark, priority, attempt, retry_of, due_at,'
        " created_at) SELECT queue_id, 'new', \"values\", reference, mark, priority, attempt + 1, id, due_at, ?"
        " FROM items WHERE id = ? RETURNING *",
        (now, failed_id),
    ).fetchone()
    db.execute(
        "INSERT INTO unique_values SELECT ?, queue_id, field, value FROM unique_values WHERE item_id = ?",
        (row["id"], failed_id),
    )
    return row


def _check_fields(fields: tuple[Field, ...], values: Mapping[str, Any]) -> dict[str, str]:
    """The values that must be unique, as JSON by field. Raises InvalidError for a missing or a wrong one."""
    uniques = {}
    for field in fields:
        value = values.get(field.name)
        if value is None:
            if field.required:
                raise InvalidError(f"the value {field.name!r} is missing; the queue requires it")
            continue
        if not FIELD_TYPES[field.type](value):
            raise InvalidError(f"the value {field.name!r} must be of type {field.type}; convert it")
        if field.unique:
            uniques[field.name] = json.dumps(value)
    return uniques


def _refuse_reference(db: sqlite3.Connection, queue: sqlite3.Row, reference: str) -> None:
    """As on UiPath, items that were removed or retried do not count."""
    taken = db.execute(
        "SELECT id FROM items WHERE queue_id = ? AND reference = ? AND state NOT IN ('removed', 'retried')",
        (queue["id"], reference),
    ).fetchone()
    if taken:
        raise ConflictError(
            f"queue {queue['name']!r} has an item with reference {reference!r} already (item {taken['id']})",
            code=DUPLICATE,
        )


def _refuse_value(db: sqlite3.Connection, queue: sqlite3.Row, field: str, value: str) -> None:
    taken = db.execute(
        "SELECT items.id FROM unique_values JOIN items ON items.id = item_id WHERE unique_values.queue_id = ?"
        " AND field = ? AND value = ? AND state NOT IN ('removed', 'retried')",
        (queue["id"], field, value),
    ).fetchone()
    if taken:
        raise ConflictError(
            f"queue {queue['name']!r} has an item with this value of {field!r} already (item {taken['id']})"
        )
