"""What becomes of a row once its thing was looked for at the target."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from rpa_bridge.migration.applying.item_looks import LONGEST_SEND
from rpa_bridge.migration.journal.base import Change, Row, RowState
from rpa_bridge.migration.running import Run

_EQUAL: Mapping[RowState, RowState] = {
    RowState.CONFIRMED: RowState.VERIFIED,
    RowState.ROLLING_BACK: RowState.VERIFIED,
    RowState.SOURCE_UNKNOWN: RowState.SOURCE_INTENT,
}
_AMISS: Mapping[RowState, RowState] = {
    RowState.VERIFIED: RowState.CONFIRMED,
    RowState.ROLLING_BACK: RowState.CONFIRMED,
    RowState.SOURCE_INTENT: RowState.SOURCE_UNKNOWN,
}
"""What is amiss is no longer to be relied on; what was perhaps removed at the source stays known as that."""


def judged(row: Row, amiss: str) -> Change | None:
    """What becomes of a row, of which one word says what is amiss, or none that all is equal; None when nothing."""
    to = (_AMISS if amiss else _EQUAL).get(row.state)
    return None if to is None else Change(seq=row.seq, to=to, dst_id=None if amiss else row.dst_id, code=amiss)


def may_still_go(run: Run, row: Row, looked_at: datetime) -> bool:
    """Whether it was perhaps removed by a rollback in such a way that a look at this time could not tell."""
    if row.state is not RowState.ROLLING_BACK:
        return False
    return looked_at < (row.intent_at or looked_at) + removed_within(run)


def removed_within(run: Run) -> timedelta:
    """How long after it was written down a removal at the target may be carried out."""
    return timedelta(seconds=LONGEST_SEND + run.target.settle_window)
