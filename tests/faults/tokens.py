"""Rows 7 and 8 of the reliability targets: how often many processes ask for a token, on the worst days.

Each harness takes its size, so that the quick form and the full form are the same code, and `guard=False`, which takes
away what it proves: then it must fail, or it proves nothing. What counts is the platform's own count.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from rpa_bridge.auth.records import Record
from rpa_bridge.auth.tokens import Token
from rpa_bridge.clock import SystemClock

from .resp import RespServer
from .token_platform import BAD, GOOD, TokenPlatform
from .token_worker import key_of, store_of

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds for all processes of a harness together."""

Store = Literal["file", "sealed", "redis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What many processes did."""

    token_requests: int
    served: int
    """Calls that were carried out, by the platform's count."""
    lost: int
    """Calls of processes that lived on and were not carried out."""
    refused: int
    bypassed: int
    seconds: float
    """From the start, or from the accident, until the last of them was done."""


class Run:
    """Some processes, the platform that they work with, and the store that they share."""

    def __init__(self, platform: TokenPlatform, folder: Path, redis_port: int, store: str) -> None:
        self.platform, self.store = platform, store
        self._folder, self._redis_port = folder, redis_port
        self._running: list[subprocess.Popen[str]] = []
        self._started = time.monotonic()

    def close(self) -> None:
        """Ends the processes that did not end by themselves."""
        for one in self._running:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
                one.communicate()

    def keep(self, record: Record) -> None:
        """Puts a record into the store, as a process of before would have."""

        async def keep() -> None:
            store = store_of(self.store, self._folder, self._redis_port)
            await store.save(await store.name(key_of(self.platform.url, GOOD)), record)

        asyncio.run(keep())

    def start(self, processes: int, calls: int, *, secret: str = GOOD, renews: bool = False) -> subprocess.Popen[str]:
        told = {
            "processes": processes,
            "calls": calls,
            "secret": secret,
            "renews": renews,
            "store": self.store,
            "url": self.platform.url,
            "folder": str(self._folder),
            "redis_port": self._redis_port,
        }
        pipe = subprocess.PIPE
        program = [sys.executable, "-m", "tests.faults.token_worker"]
        started = subprocess.Popen(
            program, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        self._running.append(started)
        assert started.stdin is not None
        started.stdin.write(json.dumps(told) + "\n")
        started.stdin.flush()
        self._started = time.monotonic()
        return started

    def kill_the_one_that_logs_in(self) -> None:
        """SIGKILL in the middle of its log-in, with the lock in its hand."""
        assert self.platform.asked.wait(PATIENCE)
        os.kill(self.platform.askers[0], signal.SIGKILL)
        self._started = time.monotonic()

    def ended(self, processes: subprocess.Popen[str], *, expected: int) -> Requests:
        """What they did; `expected` is how many calls those who lived should have made."""
        output, errors = processes.communicate(timeout=PATIENCE)
        seconds = time.monotonic() - self._started
        if processes.returncode or "Traceback" in errors:
            raise RuntimeError(f"a process failed: {errors[-2000:]}")
        lines = [json.loads(line) for line in output.splitlines()]
        served, refused = sum(line["served"] for line in lines), sum(line["refused"] for line in lines)
        return Requests(
            token_requests=len(self.platform.askers),
            served=self.platform.calls,
            lost=expected - served - refused,
            refused=refused,
            bypassed=sum(line["bypassed"] for line in lines),
            seconds=seconds,
        )


@contextmanager
def run_on(store: str) -> Iterator[Run]:
    """A platform and a store, both new."""
    with TokenPlatform() as platform, tempfile.TemporaryDirectory() as folder, _redis() as port:
        run = Run(platform, Path(folder), port, store)
        try:
            yield run
        finally:
            run.close()


@contextmanager
def _redis() -> Iterator[int]:
    """The port of a Redis in a thread of its own."""
    ready: list[int] = []
    is_ready = threading.Event()
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with RespServer() as server:
            ready.append(server.port)
            ends.append((asyncio.get_running_loop(), asyncio.Event()))
            is_ready.set()
            await ends[0][1].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    is_ready.wait(PATIENCE)
    try:
        yield ready[0]
    finally:
        loop, end = ends[0]
        loop.call_soon_threadsafe(end.set)
        thread.join()


def one_request(processes: int = 10, calls: int = 20, *, store: Store = "file", guard: bool = True) -> Requests:
    """Row 7: all start at once on an empty store. Exactly 1 request for a token; without locks there are more."""
    with run_on(store if guard else "no locks") as run:
        run.platform.delay = 0.2
        return run.ended(run.start(processes, calls), expected=processes * calls)


def revoked_in_flight(processes: int = 10, calls: int = 20, *, store: Store = "file", guard: bool = True) -> Requests:
    """Row 7: the token is withdrawn while all work. Exactly 2 requests, that of before counted; all calls served."""
    with run_on(store if guard else "no locks") as run:
        run.platform.delay = 0.2
        run.platform.askers.append(os.getpid())
        run.platform.good.add("token-withdrawn")
        run.platform.revoke_after = processes * calls // 2
        run.keep(Record(token=_token_of_a_minute_ago()))
        return run.ended(run.start(processes, calls), expected=processes * calls)


def leader_killed(processes: int = 10, calls: int = 5, *, store: Store = "file", guard: bool = True) -> Requests:
    """Row 7: who logs in is killed with the lock in its hand. At most 2 requests, and the others are all served.

    In files within two seconds; Redis gives the lock back after thirty.
    """
    with run_on(store if guard else "locks that stay") as run:
        run.platform.first_hangs = True
        started = run.start(processes, calls)
        run.kill_the_one_that_logs_in()
        return run.ended(started, expected=(processes - 1) * calls)


def bad_secret(processes: int = 10, calls: int = 20, *, store: Store = "file", guard: bool = True) -> Requests:
    """Row 8: all have a bad secret. At most 2 requests; without a memory of it each process asks."""
    with run_on(store if guard else "memory") as run:
        return run.ended(run.start(processes, calls, secret=BAD), expected=processes * calls)


def refresh_once(processes: int = 10, calls: int = 3, *, store: Store = "file", guard: bool = True) -> Requests:
    """All renew at once with one refresh token, which is good once. Exactly 1 request, and all are served."""
    with run_on(store if guard else "no locks") as run:
        run.platform.delay = 0.2
        run.platform.refresh = "refresh-number-0"
        run.keep(Record(refresh=SecretStr("refresh-number-0")))
        return run.ended(run.start(processes, calls, renews=True), expected=processes * calls)


def _token_of_a_minute_ago() -> Token:
    clock = SystemClock()
    born = clock.now() - timedelta(seconds=60)
    return Token(SecretStr("token-withdrawn"), born, born + timedelta(hours=1), clock.monotonic() - 60.0)
