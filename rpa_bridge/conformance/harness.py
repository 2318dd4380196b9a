"""What an adapter's author writes: how to open the adapter on a platform that the tests may play with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import ClassVar

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.jobs import JobState

from .marks import Mark


class AheadClock(SystemClock):
    """The machine's clock, which tests put ahead. Sleeping takes its real time."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Puts it ahead."""
        self._ahead += seconds


class Harness(ABC):
    """One adapter on a platform of its own. A new one is made for each test.

    What is None here is not there on the platform; the tests that need it then fail, unless `marks` says why.
    """

    marks: ClassVar[Mapping[str, Mark]] = {}
    """The exceptions: "queues.test_name" for a test that is expected to fail, "assets" for a noun that is absent."""

    automation: str | None = None
    """An automation that succeeds soon and gives its inputs back as outputs."""
    failing_automation: str | None = None
    """An automation whose jobs fail."""
    queue: str | None = None
    """An active queue without items; best with one retry or more."""
    unique_queue: str | None = None
    """A queue without items that refuses a reference for the second time."""
    container: str | None = None
    """Where artifacts are uploaded to. Without one, they are made part of a job."""
    missing_id: str = "999999999"
    """A well-formed id that nothing on the platform has."""
    credential_keys: tuple[str, str] = ("username", "password")
    """The names of two fields that a credential can hold."""
    page: int = 100
    """The most things that the platform lists at once."""
    secrets: tuple[str, ...] = ()
    """What must never be seen in a log, a repr or an error: the secrets of the connection's settings."""

    clock: Clock = SystemClock()
    """By which the tests wait."""
    poll: float = 0.05
    """The longest pause between two looks at a job, in seconds."""
    patience: float = 60.0
    """Seconds that one test may take."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Adapter]:
        """The adapter, on a fresh platform that is gone when the block ends."""

    @abstractmethod
    def sent(self) -> int:
        """How many requests have reached the platform so far; always 0 for one without a wire."""

    def now(self) -> datetime:
        """The platform's time, aware."""
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Lets time pass on the platform."""
        raise AssertionError(
            f"the harness cannot move its platform {seconds:g} s on; write advance(), or mark the test"
        )

    def hold(self, state: JobState) -> str:
        """An automation whose jobs, started from now on, get as far as this state and stay there for some seconds."""
        raise AssertionError(f"the harness cannot keep jobs {state}; write hold(), or mark the test")
