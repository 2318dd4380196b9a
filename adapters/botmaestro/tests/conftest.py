"""BotMaestro's platform on loopback with adapters to it, and answers on order for single exchanges."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import Adapter, Bridge
from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Classify
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.retry import Retry
from rpa_bridge_botmaestro.client import Client, ServerVersion
from rpa_bridge_botmaestro.errors import explain
from rpa_bridge_botmaestro.queues import BotMaestroQueues


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["botmaestro"]) as running:
        yield running


@pytest.fixture
def clock(sandbox: Sandbox) -> ManualClock:
    """Begins with the sandbox's time, so that tokens are as old on both sides."""
    return ManualClock(sandbox.world.clock.now())


@pytest.fixture
async def open_maestro(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Callable[..., Adapter]]:
    """Opens an adapter to the sandbox, with some of its settings changed."""
    bridges: list[Bridge] = []

    def open_one(cache_dir: Path | None = None, use: Clock = clock, **settings: Any) -> Adapter:
        changed = {"connections": {"maestro": sandbox.connections["botmaestro"] | settings}}
        bridges.append(Bridge(changed, clock=use, cache_dir=cache_dir))
        return bridges[-1]["maestro"]

    yield open_one
    for bridge in bridges:
        await bridge.aclose()


@pytest.fixture
def maestro(open_maestro: Callable[..., Adapter]) -> Adapter:
    return open_maestro()


@pytest.fixture
def requests(sandbox: Sandbox) -> Callable[[str], list[Exchange]]:
    """The requests that reached the sandbox and fit a pattern such as `POST */task`."""

    def those(pattern: str) -> list[Exchange]:
        return [one for one in sandbox.world.exchanges if fnmatchcase(f"{one.method} {one.path}", pattern)]

    return those


@pytest.fixture
def kept(sandbox: Sandbox) -> Callable[[], Any]:
    """All that the platform keeps, as of now."""
    return lambda: sandbox.dump()["faces"]["botmaestro"]


@pytest.fixture
def rewrite(sandbox: Sandbox) -> Callable[[Callable[[Any], None]], None]:
    """Changes what the platform keeps."""

    def change(by: Callable[[Any], None]) -> None:
        state = sandbox.faces["botmaestro"].dump()
        by(state)
        sandbox.faces["botmaestro"].load(state)

    return change


def entries(state: Any) -> dict[str, Any]:
    """What the datapool Invoices holds."""
    found: dict[str, Any] = state["pools"]["Invoices"]["entries"]
    return found


def wire_entry(state: str, **members: Any) -> dict[str, Any]:
    """An entry as the platform tells of it."""
    return {"id": "e-7", "state": state, "dataPoolLabel": "Invoices", "values": {}} | members


def scripted(script: Script) -> BotMaestroQueues:
    """The service on answers on order."""
    return BotMaestroQueues(script.client, script.clock, Limits())


class Script:
    """A network that gives the answers on order, one for each request, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.clock = ManualClock()
        self._answers: list[Response] = []

    def answer(self, body: Any = None, status: int = 200) -> None:
        """Orders the next answer: JSON, or nothing."""
        content = b"" if body is None else json.dumps(body).encode()
        self._answers.append(Response(status, {"content-type": "application/json"}, content))

    def page(self, *rows: Any, **members: Any) -> None:
        """Orders a page of rows; `members` say whether it is the last."""
        self.answer({"content": list(rows), **members})

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self._answers.pop(0)

    async def aclose(self) -> None:
        assert not self._answers, "answers that nobody asked for"

    @property
    def lines(self) -> list[str]:
        """What was asked, such as `POST /task/1`."""
        return [f"{one.method} {one.path}" for one in self.requests]

    @property
    def client(self) -> Client:
        """The adapter's own client on it, with failures told apart and repeated as everywhere."""
        rng = random.Random(0)  # noqa: S311 - jitter that repeats
        return Client(
            transport=Retry(Classify(self, explain, self.clock), self.clock, rng),
            clock=self.clock,
            exclusive=Exclusive(None, self.clock, rng),
            new_id=lambda: "id-1",
            effects=Effects(
                connection="script",
                place="nowhere",
                clock=self.clock,
                new_id=lambda: "op",
                outbox=None,
                settle_window=120.0,
                longest_attempt=60.0,
            ),
            version=ServerVersion(self, "4.0.0"),
        )


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    running = Script()
    yield running
    await running.aclose()
