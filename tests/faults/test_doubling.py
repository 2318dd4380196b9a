"""A doubled answer that comes late, over the whole stack: it is never taken, and what it stood for is looked up."""

from __future__ import annotations

import logging

import pytest

from rpa_bridge import Bridge, ItemDraft
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Request
from tests.faults.doubling import Doubling

ADDRESS = {"uipath": "url", "botmaestro": "server"}
EFFECTS = ("AddQueueItem", "StartJobs", "/push", "/task")
LOOKED = "the answer is uncertain (ProtocolError)"


@pytest.mark.parametrize("name", list(ADDRESS))
async def test_each_effect_happens_once_and_is_told_with_its_own_answer(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with Sandbox([name]) as sandbox:
        settings = sandbox.connections[name]
        async with Doubling(settings[ADDRESS[name]], *EFFECTS).running() as proxy:
            settings = settings | {ADDRESS[name]: proxy.url}
            clock = ManualClock(sandbox.world.clock.now())
            async with Bridge({"connections": {"erp": settings}}, clock=clock, cache_dir=None) as bridge:
                erp = bridge["erp"]
                items = [await erp.queues.add("Invoices", ItemDraft(values={"n": n}, reference="R")) for n in range(6)]
                jobs = [await erp.jobs.start("Invoices", {"n": n}, key=f"key-{n}") for n in range(6)]

                assert [item.values["n"] for item in items] == [0, 1, 2, 3, 4, 5]
                assert [job.key for job in jobs] == [f"key-{n}" for n in range(6)]
                there = [item.id async for item in erp.queues.items("Invoices", reference="R")]
                assert sorted(item.id for item in items) == sorted(there)
                assert {job.id async for job in erp.jobs.find()} == {job.id for job in jobs}
    assert proxy.doubled == 2
    assert sum(LOOKED in record.message for record in caplog.records) == 2


async def test_control_an_answer_that_nobody_looks_at_stands_for_an_item_that_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Request, "is_named_in", lambda *_: True)
    async with Sandbox(["uipath"]) as sandbox:
        settings = sandbox.connections["uipath"]
        async with (
            Doubling(settings["url"], *EFFECTS).running() as proxy,
            Bridge({"connections": {"erp": settings | {"url": proxy.url}}}, cache_dir=None) as bridge,
        ):
            drafts = [ItemDraft(values={"n": n}, reference="R") for n in range(3)]
            items = [await bridge["erp"].queues.add("Invoices", draft) for draft in drafts]
    assert [item.values["n"] for item in items] != [0, 1, 2]
