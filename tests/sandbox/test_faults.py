from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientPayloadError, ClientSession, FormData, ServerDisconnectedError

from rpa_bridge.sandbox.faults import Chaos, Fault, FaultKind, FaultPlan, When
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


async def test_a_late_request_fails_at_once_and_is_carried_out_when_its_time_has_come(
    sandbox: Sandbox, client: ClientSession
) -> None:
    sandbox.world.clock.freeze()
    sandbox.faults.add(Fault(FaultKind.CUT, when=When.LATE, delay=30))
    with pytest.raises(ServerDisconnectedError):
        await _counted(client)
    sandbox.world.clock.advance(29)
    assert await _counted(client) == 1
    assert sandbox.world.exchanges[0].executed is False
    sandbox.world.clock.advance(1)
    assert await _counted(client) == 3
    late = sandbox.world.exchanges[0]
    assert (late.status, late.executed) == (None, True)
    assert late.executed_at is not None
    assert (late.executed_at - late.at).total_seconds() == 30


async def test_late_requests_are_carried_out_in_the_order_of_their_times(
    sandbox: Sandbox, client: ClientSession
) -> None:
    sandbox.world.clock.freeze()
    for delay in (20, 10):
        sandbox.faults.add(Fault(FaultKind.STATUS, when=When.LATE, status=504, delay=delay))
        async with client.post(f"/count/after-{delay}") as response:
            assert response.status == 504
    sandbox.world.clock.advance(60)
    await sandbox.world.deliver()
    assert list(sandbox.faces["counter"].dump()["counts"]) == ["born", "after-10", "after-20"]
    assert sandbox.world.late == []


async def test_a_late_one_that_the_face_refuses_was_not_carried_out(sandbox: Sandbox, client: ClientSession) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, when=When.LATE, status=504, delay=0))
    async with client.get("/refuse") as response:
        assert response.status == 504
    await sandbox.world.deliver()
    assert sandbox.world.exchanges[0].executed is False


async def test_a_client_that_gives_up_on_a_hanging_late_request_does_not_keep_it_from_coming(
    sandbox: Sandbox, client: ClientSession, arrived: asyncio.Event
) -> None:
    sandbox.faults.add(Fault(FaultKind.HANG, when=When.LATE, seconds=3600, delay=30))
    hanging = asyncio.create_task(_counted(client))
    await arrived.wait()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    sandbox.world.clock.advance(31)
    assert await _counted(client) == 2


@pytest.mark.parametrize("form", [False, True])
async def test_a_late_upload_arrives_whole(sandbox: Sandbox, client: ClientSession, form: bool) -> None:
    content, parts = b"x" * 300_000, FormData()
    parts.add_field("file", content, filename="a.bin")
    sandbox.faults.add(Fault(FaultKind.CUT, when=When.LATE, delay=30))
    with pytest.raises(ServerDisconnectedError):
        await client.post("/form" if form else "/upload", data=parts if form else content)
    sandbox.world.clock.advance(31)
    await sandbox.world.deliver()
    assert sandbox.faces["counter"].dump()["counts"]["bytes"] == 300_000


async def test_what_is_on_its_way_is_lost_at_a_reset_and_at_the_end(sandbox: Sandbox, client: ClientSession) -> None:
    for end in (sandbox.reset, sandbox.stop):
        sandbox.faults.add(Fault(FaultKind.CUT, when=When.LATE, delay=30))
        with pytest.raises(ServerDisconnectedError):
            await _counted(client)
        assert len(sandbox.world.late) == 1
        if (ending := end()) is not None:
            await ending
        assert sandbox.world.late == []


def test_chaos_repeats_itself_from_its_seed() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        plan = FaultPlan(chaos=Chaos(0.5, match="POST *", seed=seed))
        return [plan.take("POST /a") for _ in range(400)]

    drawn_once = drawn(7)
    faults = [fault for fault in drawn_once if fault is not None]
    assert drawn_once == drawn(7) != drawn(8)
    assert 150 < len(faults) < 250
    assert {fault.when for fault in faults} == set(When)
    assert {fault.when for fault in faults if fault.status == 429} == {When.BEFORE}


def test_chaos_hits_only_what_it_matches_and_what_was_ordered_comes_first() -> None:
    plan = FaultPlan(chaos=Chaos(1, match="POST *"))
    plan.add(Fault(FaultKind.HANG, match="POST /b"))
    assert plan.take("GET /b") is None
    first, second = plan.take("POST /b"), plan.take("POST /b")
    assert first is not None
    assert first.kind is FaultKind.HANG
    assert second is not None
    assert second.kind is not FaultKind.HANG
    plan.clear()
    assert plan.take("POST /b") is None


@pytest.mark.parametrize("wrong", [{"probability": 1.1}, {"probability": 0.5, "longest_delay": -1}])
def test_chaos_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="of chaos"):
        Chaos(**wrong)  # type: ignore[arg-type]  # one wrong field at a time


def test_faults_are_used_up_in_order_for_what_they_match() -> None:
    plan = FaultPlan()
    plan.add(Fault(FaultKind.CUT, match="POST /b*", times=2, skip=1))
    plan.add(Fault(FaultKind.HTML, match="GET *"))
    lines = ["POST /b?x=1", "GET /b", "GET /b", "POST /b", "POST /c", "POST /b", "POST /b"]
    taken = [fault and fault.kind for fault in map(plan.take, lines)]
    assert taken == [None, FaultKind.HTML, None, FaultKind.CUT, None, FaultKind.CUT, None]


@pytest.mark.parametrize("wrong", [{"status": 99}, {"times": -1}, {"skip": -1}, {"seconds": -0.5}, {"delay": -1}])
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a fault's"):
        Fault(FaultKind.STATUS, **wrong)  # type: ignore[arg-type]  # one wrong field at a time
