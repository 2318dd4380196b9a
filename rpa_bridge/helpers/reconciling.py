"""What became of an effect that nobody saw the end of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.model import Neutral
from rpa_bridge.errors import BridgeError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.outbox import Intent

LONG_AGO = timedelta(days=7)
"""After this, what is not there may have been there: platforms clean up."""


class Fate(StrEnum):
    """What became of it."""

    FOUND = "found"
    """It was carried out."""
    PARTIAL = "partial"
    """Some of it was carried out, and the rest no longer can be."""
    ABSENT = "absent"
    """It was not carried out, and no longer can be: it may be repeated."""
    UNKNOWN = "unknown"
    """Nobody can say yet, or only a person can: the message says which."""
    FORGOTTEN = "forgotten"
    """A person has looked, and had it taken off the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Neutral):
    """One open effect, and what became of it."""

    op_id: str
    at: datetime
    """When it was about to be sent."""
    connection: str
    operation: str
    subject: str
    what: str
    fate: Fate
    ids: tuple[str, ...] = ()
    """What it made."""
    message: str
    """What this means for whoever wants to repeat it."""


async def reconciled(intent: Intent, adapter: Adapter, now: datetime) -> Reconciled:
    """What became of the intent, by one look on the platform. It changes nothing."""
    if intent.under_way:
        return unknown(intent, "the process that sends it is still at work; ask again when it has ended")
    try:
        ids = await adapter.look_up(intent)
    except BridgeError as error:
        return unknown(intent, str(error))
    if ids is None:
        return unknown(intent, f"this cannot be looked up; {_by_hand(intent)}")
    if len(ids) >= intent.count:
        return outcome(intent, Fate.FOUND, "it was carried out; do not repeat it", ids)
    there = f"{len(ids)} of {intent.count} are there" if ids else "it is not there"
    if now < intent.settles_at:
        until = intent.settles_at.strftime("%Y-%m-%d %H:%M:%SZ")
        return outcome(intent, Fate.UNKNOWN, f"{there}, but may still come; ask again after {until}", ids)
    if now - intent.at > LONG_AGO:
        return outcome(
            intent, Fate.UNKNOWN, f"{there} now, but the platform may have cleaned up since; {_by_hand(intent)}", ids
        )
    if ids:
        return outcome(intent, Fate.PARTIAL, f"{there}; repeat the others alone", ids)
    return outcome(intent, Fate.ABSENT, "it was not carried out; it may be repeated")


def unknown(intent: Intent, why: str) -> Reconciled:
    """Nobody can say what became of it; `why` names the mend."""
    return outcome(intent, Fate.UNKNOWN, why)


def outcome(intent: Intent, fate: Fate, message: str, ids: tuple[str, ...] = ()) -> Reconciled:
    """The intent with what became of it; an error's words in the message are cleaned."""
    return Reconciled(
        op_id=intent.op_id,
        at=intent.at,
        connection=intent.connection,
        operation=intent.operation,
        subject=intent.subject,
        what=intent.what,
        fate=fate,
        ids=ids,
        message=REDACTOR.line(message),
    )


def _by_hand(intent: Intent) -> str:
    return f"look for it there, then run rpa-bridge reconcile {intent.op_id} --forget"
