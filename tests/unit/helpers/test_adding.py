"""What `add_many` counts, and the streams that it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.contract.queues import AddResult, AddStatus, ItemDraft
from rpa_bridge.helpers.adding import MOST_PROBLEMS, Tally, each


def result(position: int, status: AddStatus) -> AddResult:
    return AddResult(position=position, reference=None, status=status)


def test_a_summary_counts_all_and_holds_the_first_problems() -> None:
    told: list[AddResult] = []
    tally = Tally(told.append)
    tally.note(result(0, AddStatus.ADDED))
    for position in range(1, MOST_PROBLEMS + 3):
        tally.note(result(position, AddStatus.UNKNOWN if position % 2 else AddStatus.REFUSED))

    summary = tally.summary
    assert (summary.added, summary.refused, summary.unknown) == (1, MOST_PROBLEMS // 2 + 1, MOST_PROBLEMS // 2 + 1)
    assert [one.position for one in summary.problems] == list(range(1, MOST_PROBLEMS + 1))
    assert len(told) == MOST_PROBLEMS + 3


async def test_drafts_may_come_from_either_kind_of_stream() -> None:
    drafts = [ItemDraft(values={"n": number}) for number in range(3)]

    async def stream() -> AsyncIterator[ItemDraft]:
        for draft in drafts:
            yield draft

    assert [one async for one in each(drafts)] == [one async for one in each(stream())] == drafts
