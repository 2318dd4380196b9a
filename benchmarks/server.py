"""A server that costs as little as aiohttp allows: canned answers in UiPath's shapes, in a process of its own.

python -m benchmarks.server        # prints its address, and serves until its standard input ends
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

JOB: dict[str, Any] = {
    "Id": 1,
    "Key": "6f1c9a52-3f0e-4f5e-9a77-3d8f6f6a9b11",
    "State": "Successful",
    "ReleaseName": "Invoices",
    "InputArguments": '{"month": "2026-10"}',
    "OutputArguments": '{"booked": 12}',
    "CreationTime": "2026-11-20T09:43:52.959Z",
    "StartTime": "2026-11-20T09:43:53.1Z",
    "EndTime": "2026-11-20T09:44:53.1Z",
    "JobPriority": "Normal",
}
ITEM: dict[str, Any] = {
    "Id": 1,
    "Key": "6f1c9a52-3f0e-4f5e-9a77-3d8f6f6a9b12",
    "QueueDefinitionId": 1,
    "Status": "New",
    "Priority": "Normal",
    "SpecificContent": {"number": "4711", "amount": 12.5},
    "CreationTime": "2026-11-20T09:43:52.959Z",
}
RELEASE = {"Id": 1, "Key": "6f1c9a52-3f0e-4f5e-9a77-3d8f6f6a9b13", "Name": "Invoices"}


async def token(_: web.Request) -> web.Response:
    """A token for an hour."""
    return web.json_response({"access_token": "benchmark-token", "expires_in": 3600, "token_type": "Bearer"})


async def releases(_: web.Request) -> web.Response:
    """The one release."""
    return web.json_response({"value": [RELEASE]})


async def job(_: web.Request) -> web.Response:
    """The one job."""
    return web.json_response(JOB)


async def start(request: web.Request) -> web.Response:
    """A new job with the caller's Reference."""
    info = (await request.json())["startInfo"]
    return web.json_response({"value": [JOB | {"State": "Pending", "Reference": info["Reference"]}]}, status=201)


async def add(request: web.Request) -> web.Response:
    """A new item with the caller's Reference."""
    data = (await request.json())["itemData"]
    return web.json_response(ITEM | {"Reference": data.get("Reference")}, status=201)


async def serve() -> None:
    """Serves on a free port of 127.0.0.1."""
    app = web.Application()
    app.add_routes(
        [
            web.post("/identity/connect/token", token),
            web.get("/odata/Releases", releases),
            web.get("/odata/Jobs(1)", job),
            web.post("/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs", start),
            web.post("/odata/Queues/UiPathODataSvc.AddQueueItem", add),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps(f"http://127.0.0.1:{runner.addresses[0][1]}"), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve())
