"""Datapools and entries in neutral words, and drafts and reports in BotMaestro's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rpa_bridge.contract.queues import Failure, FailureKind, Field, Item, ItemDraft, ItemState, Queue
from rpa_bridge_botmaestro.wire.queues import DataPool, Entry

from .common import KEY, PRIORITIES, priority_of

REFERENCE = "_rb_reference"
OUTPUT = "_rb_output"
"""Entries have neither a reference nor an output of their own: these values hold them, the output as JSON."""
HIDDEN = frozenset({KEY, REFERENCE, OUTPUT})

ITEM_STATES: dict[str, ItemState] = {  # docs: botmaestro.md 9 "Entries"
    "PENDING": ItemState.NEW,
    "PROCESSING": ItemState.TAKEN,
    "DONE": ItemState.DONE,
    "ERROR": ItemState.FAILED,
    "TIMEOUT": ItemState.LAPSED,
    "CANCELED": ItemState.CANCELLED,
}
ERROR_TYPES = {FailureKind.BUSINESS: "BUSINESS", FailureKind.APPLICATION: "SYSTEM"}
FIELD_TYPES = {"TEXT": "text", "INTEGER": "integer", "DOUBLE": "number"}

_FAILURE_KIND_OF = {word: kind for kind, word in ERROR_TYPES.items()}
_ENTRY_MEMBERS = (  # docs: what the SDK sends when it saves an entry, botmaestro.md 9
    "priority",
    "values",
    "dataPoolLabel",
    "state",
    "uniqueKey",
    "displayValue",
    "message",
    "errorType",
    "retryIndex",
    "runner",
    "taskId",
    "parent",
    "child",
)
_DETAIL = "\n\n"
"""What parts reason and detail in an entry's one message."""


def queue(pool: DataPool) -> Queue:
    """The datapool in neutral words."""
    return Queue(
        id=pool.id or pool.label,
        name=pool.label,
        description=pool.name,
        retries=(pool.maxAutoRetry or 0) if pool.autoRetry else 0,
        fields=tuple(
            Field(name=one.label, type=FIELD_TYPES.get(one.type or "TEXT", "text"), unique=bool(one.uniqueId))
            for one in pool.schema_ or ()
        ),
        active=pool.active is not False,
        raw_data=pool.raw,
    )


def item(entry: Entry, queue_name: str) -> Item:
    """The entry in neutral words, without our own values."""
    values = dict(entry.values or {})
    reference, output = values.pop(REFERENCE, None), values.pop(OUTPUT, None)
    values.pop(KEY, None)
    return Item(
        id=entry.id,
        queue=entry.dataPoolLabel or queue_name,
        state=_item_state(entry),
        native_state=entry.state,
        values=values,
        output=_output(output),
        reference=None if reference is None else str(reference),
        priority=priority_of(entry.priority or 0),
        failure=_failure(entry),
        attempt=(entry.retryIndex or 0) + 1,
        retry_of=None if entry.parent is None else str(entry.parent),
        created_at=entry.dateRegister,
        started_at=entry.dateProcessing,
        ended_at=entry.dateFinished,
        raw_data=entry.raw,
    )


def new_entry(draft: ItemDraft, *, mark: str | None) -> dict[str, Any]:
    """The body of a push; `mark` tells our own push from others with the same reference."""
    own = {} if draft.reference is None else {REFERENCE: draft.reference}
    own |= {} if mark is None else {KEY: mark}
    return {"priority": PRIORITIES[draft.priority], "values": {**draft.values, **own}}


def done(entry: Entry, output: Mapping[str, Any]) -> dict[str, Any]:
    """The body that reports an entry done."""
    values = dict(entry.values or {})
    if output:
        values[OUTPUT] = json.dumps(dict(output), ensure_ascii=False)
    return _saved(entry) | {"state": "DONE", "values": values}


def failed(entry: Entry, failure: Failure) -> dict[str, Any]:
    """The body that reports an entry failed."""
    message = failure.reason if failure.detail is None else failure.reason + _DETAIL + failure.detail
    return _saved(entry) | {"state": "ERROR", "errorType": ERROR_TYPES[failure.kind], "message": message}


def _saved(entry: Entry) -> dict[str, Any]:
    return {name: entry.raw.get(name) for name in _ENTRY_MEMBERS}


def _item_state(entry: Entry) -> ItemState:
    if entry.state == "ERROR" and entry.child is not None:
        return ItemState.RETRIED
    return ITEM_STATES.get(entry.state, ItemState.UNKNOWN)


def _failure(entry: Entry) -> Failure | None:
    if entry.state != "ERROR":
        return None
    reason, _, detail = (entry.message or "").partition(_DETAIL)
    return Failure(
        kind=_FAILURE_KIND_OF.get(entry.errorType or "", FailureKind.APPLICATION), reason=reason, detail=detail or None
    )


def _output(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
