"""The points of a migration at which a crash would be awkward, in the order in which they come; see `Run.reached`."""

from __future__ import annotations

OF_ITEMS = ("items.read", "items.intended", "items.answered", "items.settled")
"""Of each batch."""
AWAY = (
    "stock.rows",
    "stock.step",
    "stock.taken",
    "things.intended",
    "things.made",
    "things.settled",
    "step.done",
    "items.read",
    "items.intended",
    "items.absent",
    "items.planned_again",
    "items.answered",
    "items.settled",
    "files.intended",
    "files.uploaded",
    "files.settled",
    "verify.seen",
    "verify.settled",
    "activate.queue",
    "retire.intent",
    "retire.removed",
    "retire.settled",
)
BACK = ("items.intended", "items.answered", "rollback.intent", "rollback.seen", "rollback.removed", "rollback.settled")
