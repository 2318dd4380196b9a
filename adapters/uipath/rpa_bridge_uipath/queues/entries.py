"""The stream of `add_many`: drafts go in, come together in batches, and leave as results that are counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from rpa_bridge.contract.queues import AddResult, AddStatus, Drafts, ItemDraft
from rpa_bridge.helpers.adding import each

MOST_ITEMS = 100
MOST_BYTES = 4 * 1024 * 1024
"""Of one bulk: no server documents a limit of its own, and gateways have theirs. docs: uipath.md 3.10"""


@dataclass(slots=True)
class Entry:
    """One draft: as it will be sent, or with the reason why it will not be.

    Nobody changes one; that it is not frozen saves a microsecond for each item.
    """

    position: int
    reference: str | None
    _: KW_ONLY
    mark: str | None = None
    """The caller's own."""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    size: int = 0
    """Bytes of its values in a request; the rest is little."""
    problem: str | None = None

    def result(
        self, status: AddStatus, *, item_id: str | None = None, problem: str | None = None, duplicate: bool = False
    ) -> AddResult:
        """What became of it."""
        return AddResult(
            position=self.position,
            reference=self.reference,
            status=status,
            item_id=item_id,
            problem=problem,
            duplicate=duplicate,
        )


async def batches(drafts: Drafts, pack: Callable[[int, ItemDraft], Entry]) -> AsyncIterator[list[Entry]]:
    """What `pack` makes of each draft and its position, in batches that fit into one request each, in order.

    All of one carry the caller's marks, or none.
    """
    batch: list[Entry] = []
    position = total = 0
    async for draft in each(drafts):
        entry = pack(position, draft)
        position += 1
        if batch and (total + entry.size > MOST_BYTES or (entry.mark is None) != (batch[0].mark is None)):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += entry.size
        if len(batch) == MOST_ITEMS:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
