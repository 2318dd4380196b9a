"""What a cancellation leaves behind: nothing that is running, nothing that nobody has told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.clock import SystemClock
from rpa_bridge.errors import ConflictError, Delivery, RemoteError, UnavailableError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.call import CURRENT, Call
from rpa_bridge.transport.reconcile import once
from rpa_bridge.transport.see_out import SeeOut

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Exchange, Script, Serve

EFFECTS = [effect for effect in Effect if effect is not Effect.READ]
OK = Response(201, {}, b"{}")


def asking(effect: Effect) -> Request:
    return Request("POST", "/", effect=effect, operation="jobs.start", signed=False)


class Slow:
    """Connects, leaves, answers: each when the test says so."""

    def __init__(self) -> None:
        self.connected, self.answered = asyncio.Event(), asyncio.Event()
        self.end: Response | RemoteError = OK
        self.ended_by: str | None = None

    async def send(self, request: Request) -> Response:
        try:
            await self.connected.wait()
            call = CURRENT.get()
            assert call is not None
            call.departed = True
            await self.answered.wait()
        except asyncio.CancelledError:
            self.ended_by = "cancellation"
            raise
        self.ended_by = "answer"
        if isinstance(self.end, RemoteError):
            raise self.end
        return self.end

    async def aclose(self) -> None:
        self.ended_by = "closing"


class Still(ManualClock):
    """A clock whose sleepers sleep until they are cancelled."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.Event().wait()


async def steps() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def sending(slow: Slow, effect: Effect, clock: ManualClock) -> asyncio.Task[Response]:
    CURRENT.set(Call(clock, 60.0))
    return asyncio.create_task(SeeOut(slow, clock).send(asking(effect)))


Told = Callable[[], list[str]]


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Told:
    """What was told so far."""
    return lambda: [f"{one.levelname} {one.getMessage()}" for one in caplog.records]


async def alone() -> bool:
    """Whether no task but the test's own is left."""
    await steps()
    return asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("effect", EFFECTS)
async def test_what_has_not_left_never_leaves(effect: Effect, warnings: Told) -> None:
    slow, clock = Slow(), Still()
    task = sending(slow, effect, clock)
    await steps()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.ended_by == "cancellation"
    assert warnings() == []
    assert await alone()


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(
    ("end", "told"),
    [
        (OK, "the platform answered 201"),
        (UnavailableError("cut"), "no usable answer came (UnavailableError): it may have happened"),
        (ConflictError("odd"), "no usable answer came (ConflictError): it may have happened"),
        (UnavailableError("no route", delivery=Delivery.NOT_SENT), None),
    ],
)
async def test_an_answer_that_still_comes_is_told(
    effect: Effect, end: Response | RemoteError, told: str | None, warnings: Told
) -> None:
    slow, clock = Slow(), Still()
    slow.end = end
    slow.connected.set()
    task = sending(slow, effect, clock)
    await steps()
    task.cancel()
    await steps()
    assert not task.done()
    assert clock.slept == [2.0]
    slow.answered.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.ended_by == "answer"
    expected = f"WARNING jobs.start: cancelled after it had left; {told}; look before you repeat it"
    assert warnings() == ([expected] if told else [])
    assert await alone()


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("twice", [False, True], ids=["time is over", "cancelled twice"])
async def test_no_answer_is_told_and_the_cancellation_goes_on(effect: Effect, warnings: Told, *, twice: bool) -> None:
    slow = Slow()
    slow.connected.set()
    task = sending(slow, effect, Still() if twice else ManualClock())
    await steps()
    task.cancel()
    if twice:
        await steps()
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert warnings() == [
        "WARNING jobs.start: cancelled after it had left; no answer came: it may have happened; "
        "look before you repeat it"
    ]
    assert await alone()
    assert slow.ended_by == "cancellation"


async def test_a_read_is_given_up_at_once(warnings: Told) -> None:
    slow, clock = Slow(), Still()
    slow.connected.set()
    task = sending(slow, Effect.READ, clock)
    await steps()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (slow.ended_by, clock.slept, warnings()) == ("cancellation", [], [])


@pytest.mark.parametrize("effect", list(Effect))
async def test_answers_and_failures_pass_through(effect: Effect, script: type[Script]) -> None:
    failure = UnavailableError("cut")
    inner = script(OK, failure)
    layer = SeeOut(inner, Still())
    assert await layer.send(asking(effect)) is OK
    with pytest.raises(UnavailableError) as caught:
        await layer.send(asking(effect))
    assert caught.value is failure
    await layer.aclose()
    assert inner.closed


async def test_over_the_network_the_answer_is_heard_and_the_connection_closed(
    serve: Serve, connect: Connect, warnings: Told
) -> None:
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        arrived.set()
        await may_answer.wait()
        await exchange.reply(status=202)

    server = await serve(answer)
    CURRENT.set(Call(SystemClock(), 60.0))
    task = asyncio.create_task(SeeOut(connect(server.url), SystemClock()).send(asking(Effect.BLIND)))
    await arrived.wait()
    task.cancel()
    await asyncio.sleep(0)
    may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert warnings() == [
        "WARNING jobs.start: cancelled after it had left; the platform answered 202; look before you repeat it"
    ]
    assert len(server.seen) == 1


async def test_a_cancelled_search_ends_at_once_and_tells_what_is_open(warnings: Told) -> None:
    async def lost() -> str:
        raise UnavailableError("cut")

    async def look_up() -> None:
        return None

    clock = Still()
    task = asyncio.create_task(once(lost, look_up, clock=clock, operation="jobs.start", what="job 'a'"))
    await steps()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(clock.slept) == 1
    assert warnings()[-1] == (
        "WARNING jobs.start: cancelled while it looked for job 'a', which may be there; look before you repeat"
    )
