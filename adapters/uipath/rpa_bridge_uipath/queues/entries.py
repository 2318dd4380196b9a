"""The stream of `add_many`: drafts go in, come together in batches, and leave as results that are counted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from rpa_bridge.contract.queues import AddResult, AddStatus

MOST_ITEMS = 100
MOST_BYTES = 4 * 1024 * 1024
"""Of one bulk: no server documents a limit of its own, and gateways have theirs. docs: uipath.md 3.10"""


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
