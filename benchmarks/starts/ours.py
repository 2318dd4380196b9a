"""Starts a job through the bridge, with the token that an earlier process has left: python ours.py SETTINGS"""

import asyncio
import sys

from rpa_bridge import Bridge


async def main(settings: str) -> None:
    async with Bridge.load(settings) as bridge:
        job = await bridge["erp"].jobs.start("Invoices", {"month": "2026-10"})
        print(job.id, flush=True)


asyncio.run(main(sys.argv[1]))
