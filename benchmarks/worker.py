"""Where contenders work: each in a process of its own, so that its CPU and its memory are its own.

python -m benchmarks.worker   # reads orders, one JSON object a line; writes a line for each, but for those to open one
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from .contenders.base import Call, Contender, Opens, Setup

_MODULES = {
    "raw": ("raw", {}),
    "fresh": ("raw", {"fresh": True}),
    "ours": ("ours", {}),
    "uipath-sdk": ("uipath_sdk", {"blocks": True}),
    "uipath-sdk-async": ("uipath_sdk", {}),
    "botcity-sdk": ("botcity_sdk", {}),
}
"""Only the contender's own libraries are imported."""
KIB_IN_MIB = 1024


def contender_named(name: str) -> Opens:
    """What opens the contender of this name."""
    module, arguments = _MODULES[name]
    return partial(importlib.import_module(f"benchmarks.contenders.{module}").opened, **arguments)


async def carried_out(contender: Contender, order: dict[str, Any]) -> dict[str, Any]:
    """What the order came to, with the seconds and the CPU that it took."""
    work = calls if order["do"] == "calls" else bulk
    if prepare := contender.prepares.get(order["kind"]):
        await prepare(order["count"])
    cpu, wall = time.process_time(), time.perf_counter()
    found = await work(contender, order)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, **found}


async def calls(contender: Contender, order: dict[str, Any]) -> dict[str, Any]:
    """Makes `count` calls of a kind, so many `at_once`."""
    call, count, at_once = contender.calls[order["kind"]], order["count"], order["at_once"]
    if contender.blocks:
        _in_threads(call, count, at_once)
    else:
        await _in_tasks(call, count, at_once)
    return {"count": count}


async def _in_tasks(call: Call, count: int, at_once: int) -> None:
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(work() for _ in range(at_once)))


def _in_threads(call: Call, count: int, at_once: int) -> None:
    if at_once == 1:
        for _ in range(count):
            call()
        return
    with ThreadPoolExecutor(at_once) as threads:
        for done in [threads.submit(call) for _ in range(count)]:
            done.result()


async def bulk(contender: Contender, order: dict[str, Any]) -> dict[str, Any]:
    """Moves `count` rows; tells the memory after every `step` rows, and the most that there ever was, in MiB."""
    memory: list[float] = []
    step: int = order.get("step") or order["count"]

    def mark(rows: int) -> None:
        if rows % step == 0:
            memory.append(resident("VmRSS"))

    rows = await contender.bulks[order["kind"]](order["count"], mark)
    if rows != order["count"]:
        raise SystemExit(f"{order['kind']}: {rows} of {order['count']} rows")
    return {"count": rows, "memory": memory, "peak": resident("VmHWM")}


def resident(member: str) -> float:
    """This process's memory in MiB, now (VmRSS) or at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / KIB_IN_MIB for line in lines if line.startswith(f"{member}:"))


async def main() -> None:
    """Carries out orders until there are no more."""
    contenders: dict[str, Contender] = {}
    async with AsyncExitStack() as closing:
        for line in iter(sys.stdin.readline, ""):
            order = json.loads(line)
            if order["do"] == "open":
                opening = contender_named(order["name"])(Setup(**order["setup"]))
                contenders[order["by"]] = await closing.enter_async_context(opening)
            else:
                print(json.dumps(await carried_out(contenders[order["by"]], order)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
