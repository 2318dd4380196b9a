"""Row 12 of the reliability targets: answers that make no sense end in typed errors, in every verb of both adapters.

What the sandbox answers to each verb is recorded once. Then the verbs are called again and again, and each call gets
one answer spoilt: in memory, below everything but the network, or by a server, over sockets and in 13 layouts.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from rpa_bridge import Bridge, BridgeError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import stack
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.decode import WireModel
from tests.unit.transport.conftest import Exchange, Loopback, fields

from .recorded import Recorded
from .spoiling import LAYOUTS, spoilt

PATIENCE = 20.0
"""Seconds of real time in which any call must have ended: nothing waits for long here."""
BETWEEN = 400.0
"""Seconds by the clock between two calls, so that what the last one left behind does not stand in the way."""
SEED = 12


@dataclass(slots=True)
class Outcome:
    """How the calls ended that got a spoilt answer."""

    answered: int = 0
    """Those that made sense of it all the same."""
    errors: Counter[str] = field(default_factory=Counter)
    """Typed ones, by their type."""
    untyped: list[str] = field(default_factory=list)
    """What must not be: the verb, the round and the error."""

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.answered + self.errors.total() + len(self.untyped)


async def in_memory(vendor: str, count: int = 1500, *, seed: int = SEED, guard: bool = True) -> Outcome:
    """So many calls. Without the guard, models are made of whatever comes."""
    recorded = await Recorded.of(vendor)

    def answer(request: Request) -> Response:
        return recorded.next(is_login=not request.signed)

    with patch.object(stack, "Http", lambda *_: _InMemory(answer)), patch.object(WireModel, "of", _of(guard)):
        return await _calls(recorded, recorded.settings, count, random.Random(seed))  # noqa: S311 - to be played again


async def over_sockets(vendor: str, count: int = 300, *, seed: int = SEED) -> Outcome:
    """So many calls, answered by a server."""
    recorded, rng = await Recorded.of(vendor), random.Random(seed)  # noqa: S311 - to be played again

    async def tell(exchange: Exchange) -> None:
        answer = recorded.next(is_login=not exchange.headers.keys() & {"authorization", "token"})
        told, body = LAYOUTS[rng.choice(list(LAYOUTS))](answer.body)
        length = {} if "Transfer-Encoding" in told else {"Content-Length": str(len(body))}
        usual = {"Content-Type": answer.headers.get("content-type", "application/json")}
        headers = fields({**usual, **told, **length, "Connection": "close"})
        await exchange.raw(f"HTTP/1.1 {answer.status} Told\r\n".encode() + headers + b"\r\n" + body)
        exchange.fin()

    async with _serving(tell) as url:
        return await _calls(recorded, _moved(recorded.settings, url), count, rng)


async def _calls(recorded: Recorded, settings: dict[str, Any], count: int, rng: random.Random) -> Outcome:
    outcome, clock, verbs = Outcome(), ManualClock(), list(recorded.answers)
    async with Bridge({"connections": {"rpa": settings}}, clock=clock, cache_dir=None) as bridge:
        number = 0
        while outcome.calls < count:
            number += 1
            verb = verbs[number % len(verbs)]
            recorded.spoil(verb, rng, spoilt)
            clock.advance(BETWEEN)
            try:
                async with asyncio.timeout(PATIENCE):
                    await recorded.call(verb, bridge["rpa"])
            except BridgeError as error:
                outcome.errors[type(error).__name__] += recorded.was_given
            except Exception as error:  # noqa: BLE001 - what must not be
                outcome.untyped.append(f"{verb}, round {number}: {error!r}")
            else:
                outcome.answered += recorded.was_given
    return outcome


def _of(guard: bool) -> Any:
    def trusting(cls: type[WireModel], data: Any, _operation: str) -> WireModel:
        return cls.model_construct(**data)

    return vars(WireModel)["of"] if guard else classmethod(trusting)


class _InMemory:
    """A network that is not there."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self._answer = answer

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(0)  # so that the patience with a call that never ends can run out
        return self._answer(request)

    async def aclose(self) -> None:
        """There is nothing to close."""


@asynccontextmanager
async def _serving(answer: Any) -> AsyncIterator[str]:
    server = Loopback(answer)
    await server.start(None)
    try:
        yield server.url
    finally:
        await server.stop()


def _moved(settings: dict[str, Any], url: str) -> dict[str, Any]:
    """The same connection at another server."""
    name = "url" if "url" in settings else "server"
    return settings | {name: url + "/".join(["", *settings[name].split("/")[3:]])}
