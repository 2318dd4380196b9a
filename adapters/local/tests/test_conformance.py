from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from pydantic import SecretStr

from rpa_bridge.clock import SystemClock
from rpa_bridge.conformance import ConformanceSuite, Harness
from rpa_bridge.contract.adapter import Adapter, AdapterContext
from rpa_bridge.contract.jobs import JobState
from rpa_bridge.contract.queues import QueueDraft
from rpa_bridge_local.adapter import LocalAdapter
from rpa_bridge_local.database import PAGE
from rpa_bridge_local.settings import AutomationSettings, LocalSettings, ScheduleSettings

CANARY = "canary-local-4c1f"


class ShiftedClock(SystemClock):
    """The machine's clock, so that real commands can be waited for, with a time of day that can be moved on."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


class LocalHarness(Harness):
    """The platform in memory; its jobs are real commands."""

    automation = "Echo"
    failing_automation = "Broken"
    queue = "Letters"
    unique_queue = "Once"
    container = "files"
    page = PAGE
    secrets = (CANARY,)

    def __init__(self) -> None:
        self.clock: ShiftedClock = ShiftedClock()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Adapter]:
        settings = LocalSettings(
            path=":memory:",
            automations={
                "Echo": AutomationSettings(command=("sh", "-c", 'cat > "$RPA_BRIDGE_OUTPUT"')),
                "Broken": AutomationSettings(command=("sh", "-c", "echo no paper >&2; exit 3")),
                "Slow": AutomationSettings(command=("sleep", "30"), secrets={"TOKEN": SecretStr(CANARY)}),
            },
            schedules={"nightly": ScheduleSettings(automation="Echo", cron="0 3 * * *")},
        )
        adapter = LocalAdapter.open(settings, AdapterContext(connection="local", clock=self.clock))
        await adapter.queues.create(QueueDraft(name="Letters", retries=1))
        await adapter.queues.create(QueueDraft(name="Once", unique_references=True))
        try:
            yield adapter
        finally:
            await adapter.aclose()

    def sent(self) -> int:
        return 0

    def advance(self, seconds: float) -> None:
        self.clock.shift += timedelta(seconds=seconds)

    def hold(self, state: JobState) -> str:
        assert state in (JobState.PENDING, JobState.RUNNING), f"no job here can be {state}"
        return "Slow"


class TestLocal(ConformanceSuite):
    harness = LocalHarness
