"""For tests of code that uses rpa_bridge: a clock that one moves by hand, and a sandbox in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rpa_bridge.sandbox.server import Sandbox
    from rpa_bridge.sandbox.world import World


class ManualClock:
    """A clock whose sleepers wake at once: sleeping moves time on by itself, so that no test ever waits."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self.slept: list[float] = []
        """Every sleep asked for, in seconds."""

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Sets the time of day, as an administrator would; the monotonic clock does not notice."""
        self._now += timedelta(seconds=seconds)


class SandboxThread:
    """A sandbox for synchronous code and subprocesses: `with SandboxThread(["uipath"]) as sandbox: ...`.

    It runs on an event loop in a thread; thread and sockets are gone when the block ends. Entering raises what
    `Sandbox` raises.
    """

    def __init__(
        self, faces: Sequence[str] | None = None, *, port: int = 0, seed: int = 0, state_file: Path | None = None
    ) -> None:
        from rpa_bridge.sandbox.server import Sandbox

        self._sandbox = Sandbox(faces, port=port, seed=seed, state_file=state_file)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rpa-bridge-sandbox")
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Event

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; its world may be read and steered from here, its coroutines belong to the thread."""
        return self._sandbox

    @property
    def world(self) -> World:
        """Clock, faults, lifecycle, switches, and the requests that came."""
        return self._sandbox.world

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """Settings of connections to all faces, by name."""
        return self._sandbox.connections

    @property
    def control_url(self) -> str:
        """Where the sandbox is steered from over HTTP, with a slash at its end."""
        return self._sandbox.control_url

    def __enter__(self) -> Self:
        self._run = self._pool.submit(asyncio.run, self._serve())
        self._run.add_done_callback(lambda _: self._ready.set())
        self._ready.wait()
        if self._run.done():
            self._pool.shutdown()
            self._run.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._pool.shutdown()
        self._run.result()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with self._sandbox:
            self._ready.set()
            await self._end.wait()
