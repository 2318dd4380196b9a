"""The outbox: what is about to be sent, written down before, and crossed out when it is known what became of it.

What a process that died has left in it is looked up later; nothing is ever sent from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One request that may have an effect. It holds no payload and no secret."""

    op_id: str
    connection: str
    """The connection's name in the settings."""
    place: str
    """Where it was sent: a connection of this name may mean another platform or folder by now."""
    operation: str
    subject: str
    """The automation, queue or job that it is about; empty where it cannot be looked up."""
    key: str
    """What it can be found by on the platform; empty where it cannot be looked up."""
    count: int = 1
    """How many things it makes."""
    what: str
    """The thing in a person's words."""
    at: datetime
    settles_at: datetime
    """From then on, what is not there will not come any more."""
    under_way: bool = False
    """Whether the process that sends it is still at work."""


class Outbox(Protocol):
    """Keeps intents. The verbs that a sender uses never fail: an effect does not stop for want of a note."""

    def open(self, intent: Intent) -> None:
        """Writes it down. When this returns it outlasts the process."""

    def close(self, op_id: str) -> None:
        """Crosses it out: it is known what became of it."""

    def leave(self, op_id: str, settles_at: datetime | None = None) -> None:
        """Keeps it, though nobody is at work on it any more: it is not known what became of it.

        `settles_at` where that is known better by now.
        """

    def settles_at(self, place: str, key: str) -> datetime | None:
        """When the last one of this key that is open at this place is settled; None where none is open."""

    def entries(self) -> list[Intent]:
        """All that is open, oldest first. Raises ConfigError when it cannot be read."""

    def release(self) -> None:
        """Gives back what is held open; what is open stays written down."""
