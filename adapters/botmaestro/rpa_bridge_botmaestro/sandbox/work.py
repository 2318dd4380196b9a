"""How entries live: pushed, pulled, reported, retried, timed out. docs: botmaestro.md 9 "Entries" """

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from .backend import Backend
from .errors import invalid
from .records import Entry, EntryState, ErrorType, FieldType, Policy, Pool

ALLOWED = {
    EntryState.PENDING: {EntryState.PROCESSING, EntryState.CANCELED},
    EntryState.PROCESSING: {EntryState.DONE, EntryState.ERROR, EntryState.TIMEOUT},
    EntryState.TIMEOUT: {EntryState.DONE, EntryState.ERROR},
}
"""The steps there are; the other states are final. docs: botmaestro.md 9 "State machine" """
ENDED = frozenset({EntryState.DONE, EntryState.ERROR, EntryState.CANCELED})
DELETABLE = ENDED | {EntryState.PENDING}
_NUMBER_OF = {FieldType.INTEGER: int, FieldType.DOUBLE: float}


@dataclass
class _Desk:
    """What a datapool has waiting, in the order of pulls, and who is being worked on."""

    waiting: list[tuple[int, bool, int, str]] = field(default_factory=list)
    """A heap; entries that no longer wait are skipped."""
    processing: dict[str, None] = field(default_factory=dict)
    pushed: int = 0


class Work:
    """The rules; they know nothing of HTTP. Whoever is about to look at entries calls `sweep` first."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the indices of what the state holds."""
        self._desks = {label: self._desk(pool) for label, pool in self._backend.state.pools.items()}

    def reorder(self, pool: Pool) -> None:
        """Makes the index of one datapool, when it is new, or when its order has changed."""
        self._desks[pool.label] = self._desk(pool)

    def forget(self, pool: Pool) -> None:
        """Drops the index of a datapool that is gone."""
        del self._desks[pool.label]

    def sweep(self, pool: Pool) -> None:
        """Times out what has been worked on for too long; it can still be reported."""
        if not pool.enable_processing_time or not pool.item_max_processing_time:
            return
        limit = self._backend.now() - timedelta(minutes=pool.item_max_processing_time)
        for entry_id in list(self._desks[pool.label].processing):
            entry = pool.entries[entry_id]
            if entry.date_processing is not None and entry.date_processing <= limit:
                self._settle(pool, entry, EntryState.TIMEOUT)

    def push(self, pool: Pool, values: dict[str, Any], priority: int) -> Entry:
        """A new entry. Raises RefusedError where the datapool's schema is enforced."""
        if self._backend.switch("check_schema"):
            _check_schema(pool, values)
        unique_key = _joined(values, (one.label for one in pool.schema_ if one.unique_id))
        if unique_key is not None and self._backend.switch("refuse_duplicate_keys"):
            self._check_unique(pool, unique_key)
        display_value = _joined(values, (one.label for one in pool.schema_ if one.display_value))
        return self._place(
            pool,
            Entry(
                id=self._backend.world.new_uuid(),
                data_pool_label=pool.label,
                priority=priority,
                values=values,
                unique_key=unique_key,
                display_value=display_value,
                date_register=self._backend.now(),
            ),
        )

    def pull(self, pool: Pool) -> Entry | None:
        """The next entry, already in PROCESSING: the highest priority first, then as the datapool's policy says."""
        desk = self._desks[pool.label]
        while desk.waiting:
            entry = pool.entries.get(heapq.heappop(desk.waiting)[-1])
            if entry is not None and entry.state is EntryState.PENDING:
                self._settle(pool, entry, EntryState.PROCESSING)
                return entry
        return None

    def check_step(self, entry: Entry, state: EntryState) -> None:
        """Raises RefusedError for a step that there is not; to stay is none."""
        if state is entry.state or (entry.state in ENDED and not self._backend.switch("guard_final_entries")):
            return
        if state not in ALLOWED.get(entry.state, ()):
            raise self._backend.conflict(f"An entry in state {entry.state} cannot become {state}")

    def move(self, pool: Pool, entry: Entry, state: EntryState) -> None:
        """Takes the entry to another state. Raises RefusedError for a step that there is not.

        An error of type SYSTEM is retried where the datapool says so, and counts for its auto-stop; an error without
        a type is one, as clients older than the type report it so.
        """
        self.check_step(entry, state)
        if state is entry.state:
            return
        self._settle(pool, entry, state)
        is_business = entry.error_type is ErrorType.BUSINESS
        if state is EntryState.ERROR and not is_business:
            self._count_error(pool)
            self._retry(pool, entry)
        elif state is EntryState.DONE or (is_business and self._backend.switch("business_errors_end_row")):
            pool.errors_in_a_row = 0

    def delete(self, pool: Pool, entry: Entry) -> None:
        """Removes the entry. Raises RefusedError while it is being worked on."""
        if entry.state not in DELETABLE:
            raise self._backend.conflict(f"An entry in state {entry.state} cannot be deleted")
        del pool.entries[entry.id]

    def _settle(self, pool: Pool, entry: Entry, state: EntryState) -> None:
        entry.state, desk = state, self._desks[pool.label]
        desk.processing.pop(entry.id, None)
        if state is EntryState.PROCESSING:
            entry.date_processing = self._backend.now()
            desk.processing[entry.id] = None
        elif state is EntryState.PENDING:
            self._line_up(desk, pool, entry)
        elif state in ENDED:
            entry.date_finished = self._backend.now()

    def _count_error(self, pool: Pool) -> None:
        """Stops the datapool at its limit. docs: botmaestro.md 9 "Auto-stop" """
        pool.errors_in_a_row += 1
        has_limit = pool.max_errors_before_inactive > 0 or self._backend.switch("zero_errors_stop")
        if pool.abort_on_error and has_limit and pool.max_errors_before_inactive <= pool.errors_in_a_row:
            pool.active = False

    def _retry(self, pool: Pool, failed: Entry) -> None:
        """A retry is a new entry; the failed one stays in ERROR and names it. docs: botmaestro.md 9 "Retry" """
        if not pool.auto_retry or failed.retry_index >= pool.max_auto_retry:
            return
        retry = Entry(
            id=self._backend.world.new_uuid(),
            data_pool_label=pool.label,
            priority=failed.priority if self._backend.switch("retry_keeps_priority") else 0,
            values=dict(failed.values),
            unique_key=failed.unique_key,
            display_value=failed.display_value,
            retry_index=failed.retry_index + 1,
            parent=failed.id,
            date_register=self._backend.now(),
        )
        failed.child = self._place(pool, retry).id

    def _place(self, pool: Pool, entry: Entry) -> Entry:
        pool.entries[entry.id] = entry
        self._line_up(self._desks[pool.label], pool, entry)
        return entry

    def _desk(self, pool: Pool) -> _Desk:
        desk = _Desk()
        for entry in pool.entries.values():
            if entry.state is EntryState.PENDING:
                self._line_up(desk, pool, entry)
            elif entry.state is EntryState.PROCESSING:
                desk.processing[entry.id] = None
        return desk

    def _line_up(self, desk: _Desk, pool: Pool, entry: Entry) -> None:
        """A retry stands in line as others do, or before all others of its priority: as the switch says."""
        desk.pushed += 1
        is_first = entry.retry_index > 0 and self._backend.switch("retry_first")
        turn = desk.pushed if pool.consumption_policy is Policy.FIFO else -desk.pushed
        heapq.heappush(desk.waiting, (-entry.priority, not is_first, turn, entry.id))

    def _check_unique(self, pool: Pool, unique_key: str) -> None:
        if any(one.unique_key == unique_key for one in pool.entries.values()):
            raise invalid(f"An entry with the unique key {unique_key!r} already exists")


def _joined(values: dict[str, Any], labels: Iterable[str]) -> str | None:
    """The values of these fields as one text; None when none of them is there."""
    found = [str(values[label]) for label in labels if values.get(label) is not None]
    return "-".join(found) or None


def _check_schema(pool: Pool, values: dict[str, Any]) -> None:
    """Numbers may come as texts, and values outside the schema are allowed. docs: botmaestro.md 9 "Entries" """
    for one in pool.schema_:
        if one.type not in _NUMBER_OF or values.get(one.label) is None:
            continue
        try:
            _NUMBER_OF[one.type](values[one.label])
        except (TypeError, ValueError):
            raise invalid(f"values.{one.label}: a value of type {one.type} is expected") from None
