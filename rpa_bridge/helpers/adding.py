"""What every `queues.add_many` needs: drafts from either kind of stream, and results that are counted."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable

from rpa_bridge.contract.queues import AddResult, AddStatus, AddSummary, Drafts, ItemDraft

MOST_PROBLEMS = 1000
"""Results that a summary keeps of those that were not added."""


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
