"""Row 17: no call outlives its deadline, whatever the platform, the log-in, or the others do."""

from __future__ import annotations

import asyncio
import math
import random
import socket
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from unittest.mock import PropertyMock, patch

from pydantic import SecretStr

from rpa_bridge.auth.stores import MemoryStore
from rpa_bridge.auth.tokens import Token, TokenCache, TokenKey
from rpa_bridge.errors import RemoteError
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.call import Call, deadline

from .whole_stack import Asked, Hasty, Server, whole_stack

TOLERATED = 0.5
"""Seconds by which a call may be late."""
SHORTEST, LONGEST = 0.28, 0.3
"""Seconds that a call is given."""
AT_ONCE = 40


@dataclass
class Lateness:
    """What became of the calls."""

    calls: int = 0
    late: int = 0
    worst: float = -math.inf
    """Seconds after the deadline; infinite when it had to be ended."""
    ends: Counter[str] = field(default_factory=Counter)


class StuckLogIn:
    """Gives no token."""

    async def fetch(self) -> Token:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class BadServer:
    """Does something else with each request."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self._ways = (
            *(self._hang, self._half_a_head, self._half_a_body, self._drip, self._cut, self._busy),
            *(self._late, self._late, self._well, self._well, self._well),
        )

    async def answer(self, asked: Asked) -> None:
        await self._random.choice(self._ways)(asked)

    async def _hang(self, asked: Asked) -> None:
        await asyncio.sleep(60)

    async def _half_a_head(self, asked: Asked) -> None:
        asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
        await asyncio.sleep(60)

    async def _half_a_body(self, asked: Asked) -> None:
        asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await asyncio.sleep(60)

    async def _drip(self, asked: Asked) -> None:
        asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not asked.writer.is_closing():
            asked.writer.write(b" ")
            await asyncio.sleep(0.02)

    async def _cut(self, asked: Asked) -> None:
        asked.writer.transport.abort()

    async def _late(self, asked: Asked) -> None:
        await asyncio.sleep(self._random.uniform(0, LONGEST))
        asked.reply()

    async def _busy(self, asked: Asked) -> None:
        after = self._random.choice(("", "Retry-After: 0\r\n", "Retry-After: 1\r\n", "Retry-After: 100\r\n"))
        asked.reply(self._random.choice((429, 503)), after)

    async def _well(self, asked: Asked) -> None:
        asked.reply()


async def outlived(calls: int = 10_000, *, seed: int = 17, guard: bool = True) -> Lateness:
    """How late calls with a deadline end. Without `guard` nobody looks at the time that is left."""
    rng = random.Random(seed)  # noqa: S311 - a seed repeats it
    found = Lateness()
    with ExitStack() as changed, socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # nobody listens: connections are refused
        nowhere = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        if not guard:
            endless = PropertyMock(return_value=math.inf)
            changed.enter_context(patch.object(Call, "seconds_left", endless))
        async with Server(BadServer(rng).answer) as server:
            while found.calls < calls:
                now = min(AT_ONCE, calls - found.calls)
                stacks = _stacks(server.url, nowhere, rng)
                await asyncio.gather(*(_one(rng.choice(stacks), rng, found) for _ in range(now)))
                for stack in stacks:
                    await stack.aclose()
    return found


def _stacks(url: str, nowhere: str, rng: random.Random) -> list[Transport]:
    clock = Hasty()
    key = TokenKey(adapter="harness", token_url=url, secret=SecretStr("s"))
    stuck = TokenCache(StuckLogIn(), key, clock, MemoryStore(), rng)
    return [
        *(whole_stack(clock, rng, url=url) for _ in range(4)),  # each has a breaker of its own
        whole_stack(clock, rng, url=url, in_flight=2),
        whole_stack(clock, rng, url=url, rate=5.0),
        whole_stack(clock, rng, url=url, tokens=stuck),
        whole_stack(clock, rng, url=nowhere),
    ]


async def _one(transport: Transport, rng: random.Random, found: Lateness) -> None:
    seconds = rng.uniform(SHORTEST, LONGEST)
    body = {"text": "x" * rng.choice((0, 0, 0, 0, 0, 2_000_000))}  # the server reads no more than the head
    request = Request("POST", "/", effect=rng.choice(list(Effect)), operation="harness.call", json=body)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(seconds + TOLERATED):
            with deadline(seconds):
                await transport.send(request)
        end, late = "answered", time.perf_counter() - began - seconds
    except RemoteError as error:
        end, late = type(error).__name__, time.perf_counter() - began - seconds
    except TimeoutError:
        end, late = "ended by the harness", math.inf
    found.calls += 1
    found.ends[end] += 1
    found.late += late > TOLERATED
    found.worst = max(found.worst, late)
