"""The stream of `add_many`: drafts go in, come together in batches, and leave as results that are counted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from rpa_bridge.contract.queues import AddResult, AddStatus, AddSummary, Drafts, ItemDraft

MOST_ITEMS = 100
MOST_BYTES = 4 * 1024 * 1024
"""Of one bulk: no server documents a limit of its own, and gateways have theirs. docs: uipath.md 3.10"""
MOST_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One draft: as it will be sent, or with the reason why it will not be."""

    position: int
    reference: str | None
    _: KW_ONLY
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problem: str | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes in a request."""
        return len(json.dumps(self.data)) if self.problem is None else 0

    def result(self, status: AddStatus, *, item_id: str | None = None, problem: str | None = None) -> AddResult:
        """What became of it."""
        return AddResult(
            position=self.position, reference=self.reference, status=status, item_id=item_id, problem=problem
        )


class Tally:
    """Counts results, and passes each on."""

    def __init__(self, on_result: Callable[[AddResult], None] | None) -> None:
        self._on_result = on_result
        self._counts = dict.fromkeys(AddStatus, 0)
        self._problems: list[AddResult] = []

    def note(self, result: AddResult) -> None:
        """Counts one."""
        self._counts[result.status] += 1
        if result.status is not AddStatus.ADDED and len(self._problems) < MOST_PROBLEMS:
            self._problems.append(result)
        if self._on_result is not None:
            self._on_result(result)

    @property
    def summary(self) -> AddSummary:
        """All that was counted."""
        return AddSummary(
            added=self._counts[AddStatus.ADDED],
            refused=self._counts[AddStatus.REFUSED],
            unknown=self._counts[AddStatus.UNKNOWN],
            problems=tuple(self._problems),
        )


async def each(drafts: Drafts) -> AsyncIterator[ItemDraft]:
    """The drafts, from either kind of stream."""
    if isinstance(drafts, AsyncIterable):
        async for draft in drafts:
            yield draft
    else:
        for draft in drafts:
            yield draft


async def batches(entries: AsyncIterable[Entry]) -> AsyncIterator[list[Entry]]:
    """The entries in batches that fit into one request each, in order."""
    batch: list[Entry] = []
    total = 0
    async for entry in entries:
        size = entry.size
        if batch and total + size > MOST_BYTES:
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += size
        if len(batch) == MOST_ITEMS:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
