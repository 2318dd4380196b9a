from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.contract.adapter import AdapterContext
from rpa_bridge_local.adapter import LocalAdapter
from rpa_bridge_local.settings import LocalSettings


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the platform's file will be."""
    return str(tmp_path / "platform" / "local.db")


@pytest.fixture
async def open_local(path: str) -> AsyncIterator[Callable[..., LocalAdapter]]:
    """Opens adapters on one file, or on another `path`, and closes them all."""
    adapters: list[LocalAdapter] = []

    def open_one(*, clock: Clock | None = None, **settings: Any) -> LocalAdapter:
        context = AdapterContext(connection="local", clock=clock or SystemClock())
        adapter = LocalAdapter.open(LocalSettings.model_validate({"path": path, **settings}), context)
        adapters.append(adapter)
        return adapter

    yield open_one
    for one in adapters:
        await one.aclose()
