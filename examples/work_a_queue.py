"""Fills a queue and works it until it is empty: python examples/work_a_queue.py CONNECTION"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from rpa_bridge import Bridge, BusinessError, ItemDraft
from rpa_bridge.contract.queues import QueueService


async def work_one(queues: QueueService) -> bool:
    """Whether there was an item: it is done, or failed, by how the block ends."""
    async with queues.lease("Invoices") as item:
        if item is None:
            return False
        if not item.values["number"]:
            raise BusinessError("the invoice has no number")
        print(f"paid {item.values['number']}")
        item.output["paid"] = "yes"
    return True


async def main(connection: str) -> None:
    """Adds two items, one of them bad, and works both."""
    async with Bridge.load() as bridge:
        queues = bridge[connection].queues
        await queues.add("Invoices", ItemDraft(values={"number": "4711"}, reference="INV-4711"))
        await queues.add("Invoices", ItemDraft(values={"number": ""}, reference="INV-0"))
        working = True
        while working:
            with suppress(BusinessError):  # the item has been failed, with its reason; the next one may be better
                working = await work_one(queues)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
