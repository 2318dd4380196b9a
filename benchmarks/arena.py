"""The server and the contenders, each in a process of its own, and how they are asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

from .answers import TOKENS
from .certificate import write_certificate
from .contenders.base import Setup

ROOT = Path(__file__).parents[1]
PLAIN, SLOW, TLS = "plain", "slow", "tls"
WARM_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured."""

    rounds: int = 5
    sdk_rounds: int = 3
    calls: int = 600
    rows: int = 100_000
    pushes: int = 25_000
    sdk_pushes: int = 5_000
    slow_pushes: int = 4_000
    streamed: int = 1_000_000
    starts: int = 9
    warm_starts: int = 1
    processes: int = 50
    calls_each: int = 200
    jobs: int = 1000
    crowded: bool = False
    """Whether all contenders share a process: it starts faster, but its memory says nothing then."""


FULL = Effort()
QUICK = Effort(
    rounds=1,
    sdk_rounds=1,
    calls=4,
    rows=300,
    pushes=50,
    sdk_pushes=4,
    slow_pushes=16,
    streamed=2_000,
    starts=1,
    warm_starts=0,
    processes=2,
    calls_each=2,
    jobs=20,
    crowded=True,
)
"""Shows that everything runs. Its figures mean nothing."""


class Worker:
    """A process in which contenders wait for orders."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "benchmarks.worker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )

    def order(self, **order: Any) -> None:
        """Asks without waiting."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What the oldest order came to. Raises SystemExit when the process has died of it."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a contender ended early; what it says is above")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class Child:
    """One contender in a worker."""

    def __init__(self, worker: Worker, name: str, setup: Setup) -> None:
        self._worker, self._by = worker, f"{name} {json.dumps(asdict(setup))}"
        worker.order(do="open", by=self._by, name=name, setup=asdict(setup))

    def order(self, **order: Any) -> None:
        """Asks without waiting."""
        self._worker.order(by=self._by, **order)

    def answer(self) -> dict[str, Any]:
        """What the oldest order came to."""
        return self._worker.answer()

    def ask(self, **order: Any) -> dict[str, Any]:
        """Asks and waits."""
        self.order(**order)
        return self.answer()


class Arena:
    """A server, and contenders as they are needed: `with Arena(effort) as arena`."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self._closing = ExitStack()
        self._kept: dict[str, Child] = {}
        self._shared: Worker | None = None

    def __enter__(self) -> Self:
        self.folder = Path(self._closing.enter_context(TemporaryDirectory()))
        self.ca_file = write_certificate(self.folder)
        self.environment = {**os.environ, "SSL_CERT_FILE": str(self.ca_file), "REQUESTS_CA_BUNDLE": str(self.ca_file)}
        self._server = self._closing.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.server", str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
        )
        assert self._server.stdout is not None
        self.addresses: dict[str, str] = json.loads(self._server.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def setup(self, name: str, address: str = PLAIN, **options: Any) -> Setup:
        """What a contender of this name is started with."""
        ca_file = str(self.ca_file) if address == TLS else None
        return Setup(url=self.addresses[address], folder=str(self.folder / name), ca_file=ca_file, **options)

    def worker(self) -> Worker:
        """A process for contenders, which ends when it is left."""
        return Worker(self.environment)

    def keep(self, name: str, address: str = PLAIN, **options: Any) -> Child:
        """A contender that lives as long as the arena, started when it is first asked for."""
        key = json.dumps([name, address, options], sort_keys=True)
        if key not in self._kept:
            self._kept[key] = Child(self._room(), name, self.setup(name, address, **options))
        return self._kept[key]

    def bulk(self, name: str, kind: str, count: int, address: str = PLAIN, **order: Any) -> dict[str, Any]:
        """One bulk by a contender of its own, which has moved a few rows before, and ends after it."""
        order |= {"do": "bulk", "kind": kind}
        if self.effort.crowded:
            return self.keep(name, address).ask(**order, count=count)
        with self.worker() as worker:
            child = Child(worker, name, self.setup(name, address))
            child.ask(do="bulk", kind=kind, count=WARM_ROWS)
            return child.ask(**order, count=count)

    def _room(self) -> Worker:
        """Where the next contender that is kept works."""
        if self._shared is None or not self.effort.crowded:
            self._shared = self._closing.enter_context(self.worker())
        return self._shared

    def tokens(self) -> int:
        """How many tokens the server has given out."""
        with urlopen(self.addresses[PLAIN] + TOKENS) as answer:  # noqa: S310 - our own server
            return int(answer.read())

    def server_cpu(self) -> float:
        """Seconds of CPU that the server has used."""
        used = Path(f"/proc/{self._server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")
