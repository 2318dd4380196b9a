"""What of ours is in a queue at the target: read once, in batches, and laid beside the journal."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from rpa_bridge.contract.queues import Item
from rpa_bridge.errors import NotFoundError
from rpa_bridge.migration.documents import Step
from rpa_bridge.migration.journal.base import Row
from rpa_bridge.migration.running import Run, key_of

BATCH = 500
"""Items laid beside the journal at once."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One item that a migration along this way has put there."""

    item: Item
    row: Row | None
    """None where this migration knows nothing of it: another one along the same way has put it there."""


async def marked(run: Run, step: Step) -> AsyncGenerator[list[Marked], None]:
    """What the step, or another migration along the same way, has put into its queue; without retries, in batches.

    What the rows of another step of this migration know is left out. A queue that is not there has nothing.
    """
    batch: list[Item] = []
    async with aclosing(_items(run, step)) as items:
        async for item in items:
            batch.append(item)
            if len(batch) == BATCH:
                yield await _beside(run, step, batch)
                batch = []
    yield await _beside(run, step, batch)


async def _items(run: Run, step: Step) -> AsyncGenerator[Item, None]:
    with suppress(NotFoundError):
        async for item in run.target.queues.items(step.to, mark=run.plan.mark_prefix(step.to)):
            if item.retry_of is None:
                yield item


async def _beside(run: Run, step: Step, items: list[Item]) -> list[Marked]:
    rows = await run.journal.by_key([str(item.mark) for item in items])
    known = [Marked(item, rows.get(str(item.mark))) for item in items]
    return [one for one in known if one.row is None or one.row.step == key_of(step)]
