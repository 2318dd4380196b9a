"""UiPath's platform on loopback with an adapter to it, and answers on order for single exchanges."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from rpa_bridge import Adapter, Bridge
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.classify import Classify
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.retry import Retry
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.errors import explain


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["uipath"]) as running:
        yield running


@pytest.fixture
def clock(sandbox: Sandbox) -> ManualClock:
    """Begins with the sandbox's time, so that tokens are as old on both sides."""
    return ManualClock(sandbox.world.clock.now())


Opens = Callable[..., Adapter]
"""Opens an adapter to the sandbox, with some of its settings changed."""


@pytest.fixture
async def open_erp(sandbox: Sandbox, clock: ManualClock) -> AsyncIterator[Opens]:
    bridges: list[Bridge] = []

    def open_one(**settings: Any) -> Adapter:
        changed = {"connections": {"erp": sandbox.connections["uipath"] | settings}}
        bridges.append(Bridge(changed, clock=clock, cache_dir=None))
        return bridges[-1]["erp"]

    yield open_one
    for bridge in bridges:
        await bridge.aclose()


@pytest.fixture
def erp(open_erp: Opens) -> Adapter:
    """Folder Shared."""
    return open_erp()


@pytest.fixture
def requests(sandbox: Sandbox) -> Callable[[str], list[Exchange]]:
    """The requests that reached the sandbox and fit a pattern such as `POST *StartJobs`."""

    def those(pattern: str) -> list[Exchange]:
        return [one for one in sandbox.world.exchanges if fnmatchcase(f"{one.method} {one.path}", pattern)]

    return those


class Script:
    """A network that gives the answers on order, one for each request, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.clock = ManualClock()
        self._answers: list[Response] = []

    def answer(self, body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Orders the next answer: JSON, or nothing."""
        content = b"" if body is None else json.dumps(body).encode()
        self._answers.append(Response(status, {"content-type": "application/json", **(headers or {})}, content))

    def page(self, *rows: Any, **members: Any) -> None:
        """Orders a page of a collection."""
        self.answer({"value": list(rows), **members})

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self._answers.pop(0)

    async def aclose(self) -> None:
        assert not self._answers, "answers that nobody asked for"

    @property
    def client(self) -> Client:
        """The adapter's own client on it, with failures told apart and repeated as everywhere."""
        numbers = iter(range(1, 1000))
        rng = random.Random(0)  # noqa: S311 - it spreads retries
        return Client(
            transport=Retry(Classify(self, explain, self.clock), self.clock, rng),
            headers={},
            clock=self.clock,
            exclusive=Exclusive(None, self.clock, rng),
            new_id=lambda: f"id-{next(numbers)}",
            effects=Effects(
                connection="script",
                place="nowhere",
                clock=self.clock,
                new_id=lambda: "op",
                outbox=None,
                settle_window=120.0,
                longest_attempt=60.0,
            ),
        )


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    running = Script()
    yield running
    await running.aclose()
