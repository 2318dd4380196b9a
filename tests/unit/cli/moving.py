"""A queue that moves, for the tests of migrations on the command line."""

from __future__ import annotations

import signal
from typing import Any

from rpa_bridge.contract.queues import ItemDraft, ItemState, QueueDraft
from rpa_bridge.errors import UnavailableError
from rpa_bridge.sync import Bridge

QUEUE = "Müller's invoices"


def fill(connection: str, count: int, *, active: bool = True, **more: Any) -> None:
    """Makes the queue, with so many items and one more of these values."""
    with Bridge.load() as bridge:
        queues = bridge[connection].queues
        queues.create(QueueDraft(name=QUEUE))
        drafts = [ItemDraft(values={"number": str(n)}, reference=f"R-{n}") for n in range(count)]
        queues.add_many(QUEUE, drafts + ([ItemDraft(values=more)] if more else []))
        if not active:
            queues.deactivate(QUEUE)


def references(connection: str, state: ItemState | None = ItemState.NEW) -> list[str]:
    """What is in the queue."""
    with Bridge.load() as bridge:
        return sorted(str(item.reference) for item in bridge[connection].queues.items(QUEUE, state=state))


async def down_until_ctrl_c(*_: object, **__: object) -> None:
    """A platform that is down, and somebody who does not wait for it."""
    signal.raise_signal(signal.SIGINT)
    raise UnavailableError("the platform is down")
