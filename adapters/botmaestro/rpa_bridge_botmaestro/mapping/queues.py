"""Datapools and entries in neutral words, and drafts and reports in BotMaestro's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rpa_bridge.contract.queues import (
    Failure,
    FailureKind,
    Field,
    Item,
    ItemDraft,
    ItemState,
    Queue,
    QueueDraft,
    QueueStats,
)
from rpa_bridge_botmaestro.wire.queues import DataPool, Entry, Summary

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
PENDING, PROCESSING, CANCELED = "PENDING", "PROCESSING", "CANCELED"
OPEN = frozenset({PROCESSING, "TIMEOUT"})
"""States from which an entry can be reported. docs: botmaestro.md 9 "State machine" """
REPORTED = {"queues.complete": "DONE", "queues.fail": "ERROR"}
"""The state that an entry has after a report."""
COUNTS = {
    "countPending": ItemState.NEW,
    "countProcessing": ItemState.TAKEN,
    "countDone": ItemState.DONE,
    "countError": ItemState.FAILED,
    "countTimeout": ItemState.LAPSED,
    "countCanceled": ItemState.CANCELLED,
}
CANCELLATION = {"state": CANCELED, "message": "taken out of the queue by rpa-bridge"}
"""The body that cancels an entry."""
ERROR_TYPES = {FailureKind.BUSINESS: "BUSINESS", FailureKind.APPLICATION: "SYSTEM"}
FIELD_TYPES = {"TEXT": "text", "INTEGER": "integer", "DOUBLE": "number"}
WIRE_TYPES = {ours: word for word, ours in FIELD_TYPES.items()}
AUTOMATION = "defaultAutomation"
SHOWN = "displayValue"
"""A member of each field on the wire; as an option of ours, the names of the fields that have it."""

_AUTOMATION_READ = "defaultActivity"
"""Where a datapool shows its automation. docs: "write defaultAutomation, read defaultActivity", botmaestro.md 9"""
_NEW_POOL: dict[str, Any] = {  # every member that the official clients send: what the server makes of others is unknown
    "consumptionPolicy": "FIFO",
    "trigger": "NEVER",
    "abortOnError": False,
    "maxErrorsBeforeInactive": 0,
    "enableProcessingTime": False,
    "itemMaxProcessingTime": 0,
    "repositoryLabel": "DEFAULT",
}
_SWITCHED_ON_BY = {"itemMaxProcessingTime": "enableProcessingTime", "maxErrorsBeforeInactive": "abortOnError"}
"""Limits, and what must be true for them to count."""
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
        description=None if pool.name == pool.label else pool.name,
        retries=(pool.maxAutoRetry or 0) if pool.autoRetry else 0,
        fields=tuple(
            Field(name=one.label, type=FIELD_TYPES.get(one.type or "TEXT", "text"), unique=bool(one.uniqueId))
            for one in pool.schema_ or ()
        ),
        active=pool.active is not False,
        raw_data=pool.raw,
    )


def new_pool(draft: QueueDraft) -> dict[str, Any]:
    """The body of a new datapool."""
    return {"label": draft.name, **_NEW_POOL, "active": True, **settings(draft)}


def settings(draft: QueueDraft, pool: DataPool | None = None) -> dict[str, Any]:
    """What the draft says of a datapool; members of fields that it does not speak of stay as they are in this one."""
    options = {name: value for name, value in draft.options.items() if name != SHOWN}
    switches = {switch: options[limit] > 0 for limit, switch in _SWITCHED_ON_BY.items() if limit in options}
    known = {} if pool is None else {one["label"]: one for one in pool.raw.get("schema") or ()}
    fields = [
        {SHOWN: False}
        | known.get(one.name, {})
        | {"label": one.name, "type": WIRE_TYPES[one.type], "uniqueId": one.unique}
        for one in draft.fields
    ]
    if SHOWN in draft.options:
        fields = [one | {SHOWN: one["label"] in draft.options[SHOWN]} for one in fields]
    return {
        "name": draft.description or draft.name,
        "autoRetry": draft.retries > 0,
        "maxAutoRetry": draft.retries,
        "schema": fields,
        **switches,
        **options,
    }


def written(pool: DataPool) -> dict[str, Any]:
    """The body that leaves a datapool as it is: members that we do not know too, since a save replaces them all."""
    body = {name: value for name, value in pool.raw.items() if name not in ("id", _AUTOMATION_READ)}
    if _AUTOMATION_READ in pool.raw:
        body[AUTOMATION] = pool.raw[_AUTOMATION_READ]
    return body | {"schema": pool.raw.get("schema") or []}


def holds(pool: DataPool, members: Mapping[str, Any]) -> bool:
    """Whether the datapool is as these members were sent, as far as it shows them."""
    shown = written(pool)
    return all(_is_held(shown[name], value) for name, value in members.items() if name in shown)


def is_as_drafted(pool: DataPool, draft: QueueDraft) -> bool:
    """Whether the datapool is what `new_pool` would have made; it may have been deactivated since."""
    return holds(pool, {name: value for name, value in new_pool(draft).items() if name != "active"})


def stats(summary: Summary) -> QueueStats:
    """The counters in neutral words; what the server does not count is absent."""
    counts = {state: getattr(summary, name) for name, state in COUNTS.items()}
    return QueueStats(
        counts={state: count for state, count in counts.items() if count is not None}, raw_data=summary.raw
    )


def item(entry: Entry, queue_name: str) -> Item:
    """The entry in neutral words, without our own values."""
    values = dict(entry.values or {})
    reference, output = values.pop(REFERENCE, None), values.pop(OUTPUT, None)
    mark = values.pop(KEY, None)
    return Item(
        id=entry.id,
        queue=entry.dataPoolLabel or queue_name,
        state=_item_state(entry),
        native_state=entry.state,
        values=values,
        output=_output(output),
        reference=None if reference is None else str(reference),
        priority=priority_of(entry.priority or 0),
        progress=(entry.message or None) if entry.state in OPEN else None,
        failure=_failure(entry),
        attempt=(entry.retryIndex or 0) + 1,
        retry_of=None if entry.parent is None else str(entry.parent),
        mark=None if mark is None else str(mark),
        created_at=entry.dateRegister,
        started_at=entry.dateProcessing,
        ended_at=entry.dateFinished,
        raw_data=entry.raw,
    )


def new_entry(draft: ItemDraft, *, mark: str | None) -> dict[str, Any]:
    """The body of a push; `mark` tells it from others with the same reference."""
    own = {} if draft.reference is None else {REFERENCE: draft.reference}
    own |= {} if mark is None else {KEY: mark}
    return {"priority": PRIORITIES[draft.priority], "values": {**draft.values, **own}}


def noted(entry: Entry, text: str) -> dict[str, Any]:
    """The body that notes how far an entry is."""
    return _saved(entry) | {"message": text}


def done(entry: Entry, output: Mapping[str, Any]) -> dict[str, Any]:
    """The body that reports an entry done."""
    values = dict(entry.values or {})
    if output:
        values[OUTPUT] = json.dumps(dict(output), ensure_ascii=False)
    return _saved(entry) | {"state": REPORTED["queues.complete"], "values": values}


def failed(entry: Entry, failure: Failure) -> dict[str, Any]:
    """The body that reports an entry failed."""
    message = failure.reason if failure.detail is None else failure.reason + _DETAIL + failure.detail
    return _saved(entry) | {
        "state": REPORTED["queues.fail"],
        "errorType": ERROR_TYPES[failure.kind],
        "message": message,
    }


def may_lack_a_worker(entry: Entry, since: datetime) -> bool:
    """Whether somebody took the entry since then, and nobody has saved it. docs: a pull names no task, a save does"""
    is_recent = entry.dateProcessing is None or entry.dateProcessing >= since
    return entry.state == PROCESSING and is_recent and not entry.taskId and not entry.message


def _is_held(shown: Any, sent: Any) -> bool:
    """Whether they are the same, but for what the server adds to the fields of a schema."""
    if not isinstance(sent, list):
        return bool(shown == sent)
    return len(shown) == len(sent) and all(
        all(theirs.get(name, value) == value for name, value in ours.items())
        for theirs, ours in zip(shown, sent, strict=True)
    )


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
