"""A start that is repeated while the first may still be on its way: nothing is started twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpa_bridge import Bridge
from rpa_bridge.errors import OutcomeUnknownError
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.transport.call import deadline
from tests.faults.in_memory import laboratory

STARTS = {"uipath": "POST *StartJobs", "botmaestro": "POST /api/v2/task"}


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("name", list(STARTS))
async def test_a_key_that_is_started_again_at_once_waits_for_what_may_still_come(
    name: str, is_kept: bool, tmp_path: Path
) -> None:
    async with laboratory([name]) as lab:
        lab.sandbox.faults.add(Fault(FaultKind.CUT, match=STARTS[name], when=When.LATE, delay=40))
        folder = tmp_path if is_kept else None
        async with Bridge({"connections": lab.connections}, clock=lab.clock, cache_dir=folder) as bridge:
            jobs = bridge[name].jobs
            with deadline(5, clock=lab.clock), pytest.raises(OutcomeUnknownError):
                await jobs.start("Invoices", key="once")
            with deadline(5, clock=lab.clock), pytest.raises(OutcomeUnknownError, match="try again in"):
                await jobs.start("Invoices", key="once")

            job = await jobs.start("Invoices", key="once")

            assert [one.id async for one in jobs.find()] == [job.id]


@pytest.mark.parametrize("name", list(STARTS))
async def test_a_key_whose_first_start_can_no_longer_come_is_started(name: str, tmp_path: Path) -> None:
    async with laboratory([name]) as lab:
        lab.sandbox.faults.add(Fault(FaultKind.CUT, match=STARTS[name]))
        async with Bridge({"connections": lab.connections}, clock=lab.clock, cache_dir=tmp_path) as bridge:
            jobs = bridge[name].jobs
            with deadline(5, clock=lab.clock), pytest.raises(OutcomeUnknownError):
                await jobs.start("Invoices", key="once")

            job = await jobs.start("Invoices", key="once")

            assert job.key == "once"
            assert [one.id async for one in jobs.find()] == [job.id]
