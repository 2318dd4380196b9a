"""Times on the wire: ISO 8601 in UTC. docs: uipath.md 0 and 3.10"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_LOOKS_LIKE_A_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def to_wire(at: datetime) -> str:
    """The time in UTC with six digits, so that texts sort as times do."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def from_wire(text: str) -> datetime:
    """The time; one without an offset is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def normalised(text: str) -> str:
    """Text as a queue item gives it back: what looks like a time is in UTC, without needless zeros."""
    if not _LOOKS_LIKE_A_TIME.fullmatch(text):
        return text
    try:
        whole, _, fraction = to_wire(from_wire(text)).rstrip("Z").partition(".")
    except ValueError:
        return text
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"
