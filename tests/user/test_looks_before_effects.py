"""A look that decides whether something is sent shares its connection with nobody: its answer cannot be another's."""

from __future__ import annotations

import pytest

from rpa_bridge import Bridge, ItemDraft
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.call import is_apart
from rpa_bridge.transport.http import Http

LISTS = {"uipath": ("/odata/Jobs", "/odata/QueueItems"), "botmaestro": ("/task", "/view")}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The lists that were read, and whether each was read apart."""
    seen: list[tuple[str, bool]] = []
    send = Http.send

    async def watched(http: Http, request: Request) -> Response:
        if request.effect is Effect.READ:
            seen.append((request.path, is_apart()))
        return await send(http, request)

    monkeypatch.setattr(Http, "send", watched)
    return seen


@pytest.mark.parametrize("name", list(LISTS))
async def test_what_is_looked_for_before_a_start_and_after_a_lost_answer_is_looked_for_apart(
    name: str, looks: list[tuple[str, bool]]
) -> None:
    async with Sandbox([name]) as sandbox:
        clock = ManualClock(sandbox.world.clock.now())
        async with Bridge({"connections": sandbox.connections}, clock=clock, cache_dir=None) as bridge:
            await bridge[name].jobs.start("Invoices", key="once")
            sandbox.faults.add(Fault(FaultKind.CUT, match="POST *Queue*Item", when=When.AFTER))
            sandbox.faults.add(Fault(FaultKind.CUT, match="POST */push", when=When.AFTER))
            await bridge[name].queues.add("Invoices", ItemDraft(values={"n": 1}, reference="R-1"))
            deciding = [(path, apart) for path, apart in looks if path.endswith(LISTS[name])]
            assert {apart for _, apart in deciding} == {True}
            assert len({path for path, _ in deciding}) == 2

            looks.clear()
            assert [job.key async for job in bridge[name].jobs.find()] == ["once"]
            assert {apart for _, apart in looks} == {False}
