"""Row 22: calls that are cancelled at any moment leave nothing running, and nothing that may have happened untold."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from rpa_bridge.errors import RemoteError
from rpa_bridge.transport import stack
from rpa_bridge.transport.base import Effect, Request, Transport
from rpa_bridge.transport.see_out import SeeOut

from .whole_stack import Asked, Hasty, Server, whole_stack

AT_ONCE = 20
PLACES = 8
"""Requests that may be under way at once: fewer than callers, so that some are cancelled while they wait."""
MOST_STEPS = 120
"""Turns of the event loop before a cancellation, at most."""
PATIENCE = 10.0
"""Seconds in which everything is over, or hangs."""


@dataclass
class LeftBehind:
    """What was found afterwards."""

    cancelled: int = 0
    answered: int = 0
    swallowed: int = 0
    """Cancellations after which the call went on all the same."""
    untold: list[str] = field(default_factory=list)
    """Effects that reached the server, were cancelled, and that nobody heard of."""
    told: int = 0
    told_twice: int = 0
    tasks: int = 0
    connections: int = 0
    places: int = 0
    """Of those under way at once, how many are lost."""


class Platform:
    """Answers at once, late, badly or never; and keeps the names of what arrived."""

    def __init__(self, rng: random.Random) -> None:
        self._random = rng
        self.arrived: set[str] = set()
        self.gathered: asyncio.Semaphore | None = None

    async def answer(self, asked: Asked) -> None:
        self.arrived.add(asked.target.strip("/"))
        if self.gathered is not None:
            self.gathered.release()
            await asyncio.sleep(PATIENCE)
        how = self._random.random()
        if how < 0.1:
            await asyncio.sleep(PATIENCE)
        for _ in range(self._random.randrange(40)):
            await asyncio.sleep(0)
        asked.reply(503 if how < 0.3 else 200)


class _Told(logging.Handler):
    """The operations that warnings name."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.names.append(record.getMessage().partition(":")[0])


@contextmanager
def _told() -> Iterator[list[str]]:
    told, log = _Told(), logging.getLogger("rpa_bridge")
    log.addHandler(told)
    try:
        yield told.names
    finally:
        log.removeHandler(told)


async def cancelled(calls: int = 2_000, *, seed: int = 22, guard: bool = True) -> LeftBehind:
    """What so many cancelled calls leave behind. Without `guard` what has left is cancelled like anything else."""
    rng = random.Random(seed)  # noqa: S311 - a seed repeats it
    found, platform = LeftBehind(), Platform(rng)
    before = asyncio.all_tasks()
    with _told() as told, patch.object(stack, "SeeOut", SeeOut if guard else lambda inner, _: inner):
        async with Server(platform.answer) as server:
            # few calls for each: the breaker would soon refuse what so bad a server is sent
            for first in range(0, calls, AT_ONCE):
                transport = whole_stack(Hasty(), rng, url=server.url, in_flight=PLACES)
                numbers = range(first, min(first + AT_ONCE, calls))
                async with asyncio.timeout(PATIENCE):
                    ends = await asyncio.gather(*(_one(transport, number, rng, found) for number in numbers))
                found.untold += [name for name in ends if name in platform.arrived and name not in told]
                await _look_after(transport, platform, server, found)
        await asyncio.sleep(0)
        found.tasks = len(asyncio.all_tasks() - before)
        effects = [name for name in told if name.startswith("effect")]
        found.told, found.told_twice = len(effects), len(effects) - len(set(effects))
    return found


async def _one(transport: Transport, number: int, rng: random.Random, found: LeftBehind) -> str:
    """Makes a call and cancels it. The name, when it was an effect of which the caller has heard nothing."""
    effect = rng.choice(list(Effect))
    name = f"{'read' if effect is Effect.READ else 'effect'}-{number}"
    call = asyncio.create_task(transport.send(Request("POST", f"/{name}", effect=effect, operation=name)))
    for times in range(rng.choice((1, 1, 2))):
        for _ in range(rng.randrange(MOST_STEPS if times == 0 else 10)):
            await asyncio.sleep(0)
        call.cancel()
    had_ended = call.done()
    (end,) = await asyncio.gather(call, return_exceptions=True)
    if isinstance(end, asyncio.CancelledError):
        found.cancelled += 1
        return "" if effect is Effect.READ else name
    found.swallowed += not had_ended
    if not isinstance(end, RemoteError):
        found.answered += 1
    return ""


async def _look_after(transport: Transport, platform: Platform, server: Server, found: LeftBehind) -> None:
    """Fills all places once more, to see that none is lost; then closes, to see that no connection is."""
    platform.gathered = asyncio.Semaphore(0)
    read = Request("GET", "/gather", effect=Effect.READ, operation="gather")
    together = [asyncio.create_task(transport.send(read)) for _ in range(PLACES)]
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in together:
                await platform.gathered.acquire()
    except TimeoutError:
        found.places += 1
    for one in together:
        one.cancel()
    await asyncio.gather(*together, return_exceptions=True)
    platform.gathered = None
    await transport.aclose()
    for _ in range(200):  # the server notices in its own time
        if not server.connections:
            break
        await asyncio.sleep(0)
    found.connections += server.connections
