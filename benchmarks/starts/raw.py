"""Starts a job with aiohttp alone: python raw.py ADDRESS"""

import asyncio
import sys

import aiohttp


async def main(server: str) -> None:
    url = f"{server}/acme/default/orchestrator_/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs"
    body = {"startInfo": {"ReleaseName": "Invoices", "InputArguments": '{"month": "2026-10"}'}}
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer benchmark-token"}) as session,
        session.post(url, json=body) as answer,
    ):
        answer.raise_for_status()
        print((await answer.json())["value"][0]["Id"], flush=True)


asyncio.run(main(sys.argv[1]))
