"""Rows 15 and 16 of the reliability targets: one request is one execution, and an answer belongs to its request."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from rpa_bridge.errors import Delivery, ProtocolError, UnavailableError
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.call import apart
from rpa_bridge.transport.http import Http
from rpa_bridge.transport.options import HttpOptions
from tests.unit.transport.conftest import Answer, Exchange, Loopback

WARM = "/warm"
IN_TIME, LATE = (0, 1, 2), (3, 5, 8)
"""Rounds of the event loop between an answer and its double."""
STRAY = b'{"owner": "somebody else"}'

Ask = Callable[[str, str, Effect], Awaitable[bytes]]
"""Sends a method to a path, and gives the answer's body."""


@dataclass(slots=True)
class Executions:
    """What the server carried out."""

    requests: int = 0
    executed: int = 0


@dataclass(slots=True)
class Answers:
    """What was taken as the answer to each request."""

    requests: int = 0
    reached: int = 0
    """Of them, those that the server saw."""
    foreign_to_reads: int = 0
    """Answers that belonged to another request."""
    foreign_to_effects: int = 0


async def hidden_repetition(rounds: int = 3, *, guard: bool = True) -> Executions:
    """Cuts each connection after its request has arrived: 6 ways for each effect, on new and on used ones.

    Without the guard it is aiohttp alone that asks.
    """
    found = Executions()
    for how, method, effect, warm in itertools.product(
        ("rst", "fin"), ("GET", "PUT", "DELETE"), (Effect.READ, Effect.SET, Effect.BLIND), (False, True)
    ):
        async with serving(_cutting(how)) as server, _asking(server.url, guard=guard) as ask:
            for number in range(rounds):
                if warm:
                    await ask("GET", WARM, effect)
                try:
                    await ask(method, f"/{number}", effect)
                except (UnavailableError, aiohttp.ClientError):
                    found.requests += 1
            found.executed += sum(one.target != WARM for one in server.seen)
    return found


async def doubled_answers(
    count: int = 200, *, late: bool = False, guard: bool = True, own_connections: bool = False
) -> Answers:
    """Answers each request twice; without the guard it is aiohttp alone that asks.

    The second answer comes right behind the first, or before the next request leaves, or, `late`, after that. HTTP/1.1
    cannot tell a late one from the next one's own: only a connection of its own helps, which each effect has, and with
    `own_connections` each read too, as in `transport.call.apart`.
    """
    found = Answers()
    with apart() if own_connections else contextlib.nullcontext():
        await _double(found, count, late=late, guard=guard)
    return found


async def _double(found: Answers, count: int, *, late: bool, guard: bool) -> None:
    async with serving(_doubling(LATE if late else IN_TIME)) as server, _asking(server.url, guard=guard) as ask:
        for number in range(count):
            effect = (Effect.READ, Effect.READ, Effect.BLIND)[number % 3]
            body = await ask("GET" if effect is Effect.READ else "POST", f"/{number}", effect)
            found.requests += 1
            is_foreign = body != f'{{"asked": "/{number}"}}'.encode()
            found.foreign_to_reads += is_foreign and effect is Effect.READ
            found.foreign_to_effects += is_foreign and effect is not Effect.READ
        found.reached = len(server.seen)


@dataclass(slots=True)
class Marked:
    """What was taken as the answer to requests that share connections, since their answers bear their marks."""

    requests: int = 0
    reached: int = 0
    """Of them, those that the server saw."""
    foreign: int = 0
    """Answers to others that were taken."""
    refused: int = 0
    """Answers to others that were refused, so that it is looked up what became of the request."""


async def doubled_answers_to_marked(count: int = 200, *, late: bool = False, guard: bool = True) -> Marked:
    """The same where all are effects with marks, and what comes twice is the answer to the request before."""
    found = Marked()
    async with serving(_doubling(LATE if late else IN_TIME, of_itself=True)) as server:
        async with _asking(server.url, guard=guard) as ask:
            for number in range(count):
                mark = f"rb-{number:04d}"
                found.requests += 1
                try:
                    body = await ask("POST", f"/{mark}", Effect.FINDABLE)
                except ProtocolError as error:
                    found.refused += error.delivery is Delivery.MAYBE
                else:
                    found.foreign += mark.encode() not in body
        found.reached = len(server.seen)
    return found


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Loopback]:
    """A server for the length of a block."""
    server = Loopback(answer)
    await server.start(None)
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def _asking(url: str, *, guard: bool) -> AsyncIterator[Ask]:
    """A client for the length of a block."""
    if guard:
        http = Http(url, HttpOptions())

        async def ours(method: str, path: str, effect: Effect) -> bytes:
            mark = path[1:] if effect is Effect.FINDABLE else ""
            request = Request(method, path, effect=effect, operation="test", signed=False, mark=mark)
            return (await http.send(request)).body

        try:
            yield ours
        finally:
            await http.aclose()
        return
    async with aiohttp.ClientSession() as session:

        async def naive(method: str, path: str, _effect: Effect) -> bytes:
            async with session.request(method, url + path) as answer:
                return await answer.read()

        yield naive


def _cutting(how: str) -> Answer:
    async def answer(exchange: Exchange) -> None:
        if exchange.target == WARM:
            await exchange.reply()
        elif how == "rst":
            exchange.rst()
        else:
            exchange.fin()

    return answer


def _doubling(delays: Sequence[int], *, of_itself: bool = False) -> Answer:
    """Answers, and so many rounds of the event loop later once more: with what is somebody else's, or with the same."""
    rounds = itertools.cycle(delays)

    async def answer(exchange: Exchange) -> None:
        asked = exchange.target[1:] if of_itself else exchange.target
        own = f'{{"asked": "{asked}"}}'.encode()
        await exchange.reply(own)
        for _ in range(next(rounds)):
            await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError):
            await exchange.reply(own if of_itself else STRAY)

    return answer
