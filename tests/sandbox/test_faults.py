from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientPayloadError, ClientSession, ServerDisconnectedError

from rpa_bridge.sandbox.faults import Fault, FaultKind, FaultPlan, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange


async def _counted(client: ClientSession) -> int:
    async with client.post("/count/a") as response:
        return int((await response.json())["count"])


async def test_a_status_before_keeps_the_face_from_carrying_it_out(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, status=429, headers={"Retry-After": "3"}, body='{"slow": "down"}'))
    async with client.post("/count/a") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "3")
        assert await response.text() == '{"slow": "down"}'
    assert await _counted(client) == 1
    assert [one.executed for one in sandbox.world.exchanges] == [False, True]


async def test_a_status_after_hides_that_it_was_carried_out(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, when=When.AFTER, status=502))
    async with client.post("/count/a") as response:
        assert response.status == 502
    assert (sandbox.world.exchanges[0].status, sandbox.world.exchanges[0].executed) == (502, True)
    assert await _counted(client) == 2


async def test_a_web_page_comes_with_status_200(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.HTML))
    async with client.post("/count/a") as response:
        assert (response.status, response.content_type) == (200, "text/html")


@pytest.mark.parametrize(("when", "next_count"), [(When.BEFORE, 1), (When.AFTER, 2)])
async def test_a_cut_connection_has_no_answer(
    sandbox: Sandbox, client: ClientSession, when: When, next_count: int
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, when=when))
    with pytest.raises(ServerDisconnectedError):
        await _counted(client)
    assert sandbox.world.exchanges[0].status is None
    assert sandbox.world.exchanges[0].executed is (when is When.AFTER)
    assert await _counted(client) == next_count


async def test_a_truncated_answer_announces_more_than_it_sends(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.TRUNCATE, when=When.AFTER))
    with pytest.raises(ClientPayloadError):
        await _counted(client)
    assert sandbox.world.exchanges[0].executed is True
    assert await _counted(client) == 2


async def test_an_answer_without_a_body_is_cut_instead(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.TRUNCATE, status=204))
    with pytest.raises(ServerDisconnectedError):
        await _counted(client)


async def test_a_hanging_request_ends_in_a_cut_when_its_seconds_are_over(
    sandbox: Sandbox, client: ClientSession
) -> None:
    sandbox.faults.add(Fault(FaultKind.HANG, seconds=0.01))
    with pytest.raises(ServerDisconnectedError):
        await _counted(client)


@pytest.fixture
def arrived(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a request has reached the face, and hangs there if it was told to."""
    event, note = asyncio.Event(), sandbox.world.note

    def note_and_tell(exchange: Exchange) -> None:
        note(exchange)
        event.set()

    monkeypatch.setattr(sandbox.world, "note", note_and_tell)
    return event


async def test_a_hanging_request_does_not_hold_up_the_end(
    sandbox: Sandbox, client: ClientSession, arrived: asyncio.Event
) -> None:
    sandbox.faults.add(Fault(FaultKind.HANG, seconds=3600))
    hanging = asyncio.create_task(_counted(client))
    await arrived.wait()
    async with asyncio.timeout(5):
        await sandbox.stop()
        with pytest.raises(ServerDisconnectedError):
            await hanging


async def test_a_hanging_request_ends_when_its_client_gives_up(
    sandbox: Sandbox, client: ClientSession, arrived: asyncio.Event
) -> None:
    sandbox.faults.add(Fault(FaultKind.HANG, when=When.AFTER, seconds=3600))
    hanging = asyncio.create_task(_counted(client))
    await arrived.wait()
    assert sandbox.world.exchanges[0].executed is True
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await _counted(client) == 2
    assert sandbox.world.exchanges[0].status is None


async def test_a_fault_can_follow_a_refusal_of_the_face(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.TRUNCATE, when=When.AFTER))
    async with client.get("/refuse") as response:
        assert response.status == 409
        with pytest.raises(ClientPayloadError):
            await response.read()


def test_faults_are_used_up_in_order_for_what_they_match() -> None:
    plan = FaultPlan()
    plan.add(Fault(FaultKind.CUT, match="POST /b*", times=2, skip=1))
    plan.add(Fault(FaultKind.HTML, match="GET *"))
    lines = ["POST /b?x=1", "GET /b", "GET /b", "POST /b", "POST /c", "POST /b", "POST /b"]
    taken = [fault and fault.kind for fault in map(plan.take, lines)]
    assert taken == [None, FaultKind.HTML, None, FaultKind.CUT, None, FaultKind.CUT, None]


@pytest.mark.parametrize("wrong", [{"status": 99}, {"times": -1}, {"skip": -1}, {"seconds": -0.5}])
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a fault's"):
        Fault(FaultKind.STATUS, **wrong)  # type: ignore[arg-type]  # one wrong field at a time
