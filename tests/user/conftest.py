"""Both vendors' platforms on loopback, and a bridge to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import Bridge
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock

VENDORS = ("uipath", "botmaestro")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Both faces, each test with new ones."""
    async with Sandbox(VENDORS) as running:
        yield running


@pytest.fixture
def clock(sandbox: Sandbox) -> ManualClock:
    """A clock that begins with the sandbox's time, so that tokens are as old on both sides."""
    return ManualClock(sandbox.world.clock.now())


@pytest.fixture
async def bridge(sandbox: Sandbox, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Bridge]:
    """A bridge to both, whose waits cost no time and whose tokens lie in a folder of the test's own."""
    async with Bridge({"connections": sandbox.connections}, clock=clock, cache_dir=tmp_path / "cache") as opened:
        yield opened


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    """The name of a connection: each test that asks for it runs once for each vendor."""
    return str(request.param)


Change = Callable[..., dict[str, Any]]


@pytest.fixture
def changed(sandbox: Sandbox) -> Change:
    """Makes settings of one connection to the sandbox, with some of them changed."""

    def change(vendor: str, **settings: Any) -> dict[str, Any]:
        return {"connections": {vendor: {**sandbox.connections[vendor], **settings}}}

    return change
