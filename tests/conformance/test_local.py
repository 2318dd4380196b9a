"""The local adapter passes the conformance suite."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar
from unittest.mock import patch

from rpa_bridge.bridge import Bridge
from rpa_bridge.conformance import AheadClock, ConformanceSuite, Harness, never
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.jobs import JobState
from rpa_bridge.contract.queues import QueueDraft

ECHO = "import os, sys; open(os.environ['RPA_BRIDGE_JOB_OUTPUT'], 'wb').write(sys.stdin.buffer.read())"
FAIL = "import sys; sys.exit('it is broken')"
SLEEP = "import time; time.sleep(60)"
SECRET = "local-canary-5f1d9c3b"


class LocalHarness(Harness):
    """A platform in memory whose automations are real, short commands."""

    automation = "Echo"
    failing_automation = "Broken"
    queue = "Letters"
    unique_queue = "Once"
    container = "reports"
    page = 5
    secrets = (SECRET,)
    marks: ClassVar = {"webhooks": never("nobody is called: what happens here, happens on this machine")}

    def __init__(self) -> None:
        self.clock: AheadClock = AheadClock()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Adapter]:
        settings = {
            "adapter": "local",
            "path": ":memory:",
            "automations": {
                "Echo": _python(ECHO) | {"secrets": {"TOKEN": SECRET}},
                "Broken": _python(FAIL),
                "Sleeper": _python(SLEEP),
            },
            "schedules": {"Every night": {"automation": "Echo", "cron": "0 3 * * *"}},
        }
        bridge = Bridge({"connections": {"local": settings}}, clock=self.clock)
        async with bridge:
            with patch("rpa_bridge_local.database.PAGE", self.page):
                adapter = bridge["local"]
                await adapter.queues.create(QueueDraft(name="Letters", retries=2))
                await adapter.queues.create(QueueDraft(name="Once", unique_references=True))
                yield adapter

    def sent(self) -> int:
        return 0

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def hold(self, state: JobState) -> str:
        return "Sleeper" if state is JobState.RUNNING else super().hold(state)


def _python(program: str) -> dict[str, object]:
    return {"command": [sys.executable, "-I", "-S", "-c", program]}


class TestLocal(ConformanceSuite):
    harness = LocalHarness
