"""Words that several nouns share."""

from __future__ import annotations

from datetime import datetime

from rpa_bridge.contract.model import Priority

PRIORITIES = {Priority.LOW: "Low", Priority.NORMAL: "Normal", Priority.HIGH: "High"}
PRIORITY_OF = {word: priority for priority, word in PRIORITIES.items()}


def instant(moment: datetime) -> str:
    """A time as UiPath reads it."""
    return moment.isoformat()
