"""An answer that unfolds to more than there is memory: what it takes of it. From row 28 of the reliability targets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from tests.unit.transport.conftest import Exchange

from .connections import serving

MIB = 1024 * 1024
CHILD = """
import asyncio, re, sys
from pathlib import Path
import aiohttp
from rpa_bridge.errors import ProtocolError
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.http import Http
from rpa_bridge.transport.options import HttpOptions

def most():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

async def ours(url):
    http = Http(url, HttpOptions())
    await http.send(Request("GET", "/small", effect=Effect.READ, operation="test", signed=False))
    before = most()
    try:
        await http.send(Request("GET", "/bomb", effect=Effect.READ, operation="test", signed=False))
        how = "read whole"
    except ProtocolError as error:
        how = str(error)
    await http.aclose()
    return before, how

async def naive(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(url + "/small") as answer:
            await answer.read()
        before = most()
        async with session.get(url + "/bomb") as answer:
            await answer.read()
    return before, "read whole"

before, how = asyncio.run(ours(sys.argv[1]) if sys.argv[2] == "ours" else naive(sys.argv[1]))
print((most() - before) // 1024, how)
"""
"""What Linux counts for this program alone; `ru_maxrss` would begin with what its parent had."""


@dataclass(frozen=True, slots=True)
class Swollen:
    """What became of the process that asked."""

    mebibytes: int
    """By which its memory grew at most."""
    how: str
    """How its call ended."""


async def unfold(mebibytes: int = 256, *, guard: bool = True) -> Swollen:
    """Has a process of its own ask for a bomb of this size. Without the guard it is aiohttp alone that asks."""
    bomb = _bomb(mebibytes)

    async def answer(exchange: Exchange) -> None:
        small = exchange.target == "/small"
        await exchange.reply(b"{}" if small else bomb, headers=None if small else {"Content-Encoding": "gzip"})

    async with serving(answer) as server:
        call = [sys.executable, "-c", CHILD, server.url, "ours" if guard else "naive"]
        child = await asyncio.create_subprocess_exec(*call, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        told, _ = await child.communicate()
    grown, _, how = told.decode().strip().partition(" ")
    return Swollen(int(grown), how)


def _bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(mebibytes)) + packer.flush()
