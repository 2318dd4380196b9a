"""A deadline round any verbs: whoever gives one gets an end by then, and is told what may have happened."""

from __future__ import annotations

import asyncio
import time

import pytest

from rpa_bridge import Bridge, OutcomeUnknownError, UnavailableError, WaitTimeoutError, deadline
from rpa_bridge.clock import SystemClock
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sync import Bridge as SyncBridge
from rpa_bridge.testing import ManualClock, SandboxThread

START = {"uipath": "POST *StartJobs", "botmaestro": "POST /api/v2/task"}
LATE = 0.5
"""Seconds by which a call may be late."""


async def test_a_read_that_hangs_ends_with_the_deadline(sandbox: Sandbox, vendor: str) -> None:
    async with Bridge({"connections": sandbox.connections}, clock=SystemClock(), cache_dir=None) as bridge:
        await bridge[vendor].queues.get("Invoices")  # the log-in is done
        sandbox.world.faults.add(Fault(FaultKind.HANG, match="GET *", times=9))
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="did not answer within") as caught, deadline(0.29):
            await bridge[vendor].queues.get("Invoices")
    assert time.monotonic() - began < 0.29 + LATE
    assert caught.value.maybe_applied


async def test_a_start_without_an_answer_says_that_it_may_have_happened(
    sandbox: Sandbox, bridge: Bridge, clock: ManualClock, vendor: str
) -> None:
    await bridge[vendor].jobs.start("Invoices")
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=START[vendor], when=When.BEFORE))
    began = clock.monotonic()
    with pytest.raises(OutcomeUnknownError, match="look for it on the platform") as caught, deadline(20, clock=clock):
        await bridge[vendor].jobs.start("Invoices", key="k-1")
    assert caught.value.maybe_applied
    assert 10 < clock.monotonic() - began <= 20


async def test_waiting_ends_with_the_deadline(
    bridge: Bridge, sandbox: Sandbox, clock: ManualClock, vendor: str
) -> None:
    sandbox.world.lifecycle.hold = True
    job = await bridge[vendor].jobs.start("Invoices", key="k-1")
    began = clock.monotonic()
    with pytest.raises(WaitTimeoutError, match=f"after 1 seconds job {job.id}"), deadline(1, clock=clock):
        await bridge[vendor].jobs.wait(job, timeout=3600)
    with pytest.raises(WaitTimeoutError, match="after 2 seconds"), deadline(2, clock=clock):
        await bridge[vendor].jobs.wait(job)
    assert clock.monotonic() - began <= 3


async def test_blocks_of_other_tasks_have_their_own(bridge: Bridge, clock: ManualClock, vendor: str) -> None:
    async def hurried() -> None:
        with deadline(0.1, clock=clock), pytest.raises(UnavailableError, match="deadline"):
            await bridge[vendor].queues.get("Invoices")

    async def at_leisure() -> str:
        return (await bridge[vendor].queues.get("Invoices")).name

    assert (await asyncio.gather(hurried(), at_leisure(), hurried()))[1] == "Invoices"


def test_it_holds_without_await_too(vendor: str) -> None:
    with SandboxThread([vendor]) as sandbox, SyncBridge({"connections": sandbox.connections}, cache_dir=None) as bridge:
        bridge[vendor].queues.get("Invoices")
        with deadline(0.1), pytest.raises(UnavailableError, match="the deadline is over") as caught:
            bridge[vendor].queues.get("Invoices")
        assert not caught.value.maybe_applied
        assert bridge[vendor].queues.get("Invoices").name == "Invoices"
