"""What errors and finds mean for the row of one thing."""

from __future__ import annotations

from rpa_bridge.errors import (
    BridgeError,
    ConflictError,
    Delivery,
    InvalidError,
    NotFoundError,
    RemoteError,
    UnsupportedError,
)
from rpa_bridge.migration.documents import Conflict, Kind
from rpa_bridge.migration.journal.base import Change, Row, RowState
from rpa_bridge.migration.running import Run
from rpa_bridge.redaction import REDACTOR

_REFUSALS = (InvalidError, ConflictError, UnsupportedError, NotFoundError)


def refused(row: Row, error: BridgeError) -> Change | None:
    """What a refusal of this one thing means; None for an error that stops the migration."""
    if not isinstance(error, _REFUSALS) or not is_decided(error):
        return None
    return Change(seq=row.seq, to=RowState.DEAD, code="refused", hint=REDACTOR.line(str(error)))


async def leave(run: Run, row: Row, error: BridgeError) -> None:
    """Writes down what an error means that stops the migration: what was surely not sent is planned again."""
    now = (await run.journal.by_key([row.key]))[row.key]
    if now.state is RowState.INTENT:
        to = RowState.PLANNED if is_decided(error) else RowState.UNKNOWN
        await run.journal.settle([Change(seq=row.seq, to=to)], run.clock.now())


def is_decided(error: BridgeError) -> bool:
    """Whether it is known that what was asked for has not happened."""
    return not isinstance(error, RemoteError) or error.delivery is not Delivery.MAYBE


def policy(run: Run, kind: Kind) -> Conflict:
    """What to do with a thing that the target has already."""
    return run.plan.conflicts.get(kind, Conflict.FAIL)


def in_the_way(row: Row, what: str) -> Change:
    """The target has another in its place."""
    hint = f"{what} is at the target already; rename one of the two, or plan with another conflict rule"
    return Change(seq=row.seq, to=RowState.CONFLICT, code="in_the_way", hint=REDACTOR.line(hint))


def there_already(row: Row, hint: str) -> Change:
    """What the target has stays as it is."""
    return Change(seq=row.seq, to=RowState.SKIPPED, existed=True, code="there_already", hint=REDACTOR.line(hint))
