"""Which connection a request with an effect goes over, and whose answers it takes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.errors import Delivery, ProtocolError, UnavailableError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import connections
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.call import CURRENT, Call

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Exchange, Serve

AGAIN = b'{"Reference": "rb-of-another"}'


def marked(mark: str, *, operation: str = "queues.add", effect: Effect = Effect.FINDABLE, path: str = "/") -> Request:
    return Request("POST", path, effect=effect, operation=operation, json={"Reference": mark}, mark=mark, signed=False)


async def naming(exchange: Exchange) -> None:
    """Answers as a platform does: with the request's mark."""
    await exchange.reply(json.dumps({"Id": 1, "Reference": json.loads(exchange.body)["Reference"]}).encode())


async def test_marked_requests_follow_one_another_on_one_connection(serve: Serve, connect: Connect) -> None:
    server = await serve(naming)
    http = connect(server.url)
    for number in range(4):
        assert marked(f"rb-{number}").is_named_in((await http.send(marked(f"rb-{number}"))).body)
    assert [one.connection for one in server.seen] == [1, 1, 1, 1]


async def test_others_get_a_connection_of_their_own_meanwhile(serve: Serve, connect: Connect) -> None:
    server = await serve(naming)
    http = connect(server.url)
    for request in (
        marked("rb-1"),
        marked("", effect=Effect.BLIND),
        marked("rb-2", operation="jobs.start"),
        marked("Zoë says 'hello'"),
        marked("rb/1"),
        marked("rb-3"),
    ):
        await http.send(request)
    assert [one.connection for one in server.seen] == [1, 2, 3, 4, 5, 1]


async def test_a_server_that_names_nobody_gets_a_new_connection_each_time(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply(b'{"Id": 1}'))
    http = connect(server.url)
    for number in range(3):
        assert (await http.send(marked(f"rb-{number}"))).body == b'{"Id": 1}'
    assert [one.connection for one in server.seen] == [1, 2, 3]


@pytest.mark.parametrize("status", [301, 400, 401, 409, 429, 500, 503])
async def test_nothing_follows_a_failure(serve: Serve, connect: Connect, status: int) -> None:
    async def answer(exchange: Exchange) -> None:
        failing = exchange.target == "/fails"
        await exchange.reply(exchange.body, status if failing else 200)

    server = await serve(answer)
    http = connect(server.url)
    for path in ("/", "/fails", "/", "/"):
        await http.send(marked("rb-1", path=path))
    assert [one.connection for one in server.seen] == [1, 1, 2, 2]


async def test_a_success_that_names_another_is_no_answer_where_another_was_answered(
    serve: Serve, connect: Connect
) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(exchange.body if exchange.target == "/" else AGAIN)

    server = await serve(answer)
    http = connect(server.url)
    await http.send(marked("rb-1"))
    with pytest.raises(ProtocolError, match=r"^queues\.add: the answer is not to our request") as caught:
        await http.send(marked("rb-2", path="/other"))
    assert caught.value.delivery is Delivery.MAYBE
    await http.send(marked("rb-3"))
    assert [one.connection for one in server.seen] == [1, 1, 2]


async def test_what_arrives_while_the_connection_rests_ends_it(serve: Serve, connect: Connect) -> None:
    server = await serve(naming)
    http = connect(server.url)
    for strike in (lambda one: one.reply(AGAIN), _hang_up, _tear_down):
        await http.send(marked("rb-1"))
        await strike(server.seen[-1])
        await http.send(marked("rb-2"))
        first, second = server.seen[-2:]
        assert second.connection == first.connection + 1


async def _hang_up(exchange: Exchange) -> None:
    exchange.fin()
    await asyncio.sleep(0)  # the end is there; the client's event loop has not seen it


async def _tear_down(exchange: Exchange) -> None:
    exchange.rst()
    await asyncio.sleep(0)


async def test_a_connection_that_rested_too_long_is_not_used(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BURST", 0.05)
    server = await serve(naming)
    http = connect(server.url)
    await http.send(marked("rb-1"))
    await asyncio.sleep(0.1)
    await http.send(marked("rb-2"))
    assert [one.connection for one in server.seen] == [1, 2]


async def test_many_at_once_are_each_answered_their_own(serve: Serve, connect: Connect) -> None:
    server = await serve(naming)
    http = connect(server.url)

    async def worker(name: str) -> None:
        for number in range(10):
            request = marked(f"rb-{name}-{number}")
            assert request.is_named_in((await http.send(request)).body)

    await asyncio.gather(*(worker(str(number)) for number in range(20)))
    assert len(server.seen) == 200
    assert server.connections <= 40


@pytest.mark.parametrize("mark", ["rb-1", ""], ids=["marked", "not marked"])
async def test_from_its_connection_on_a_request_may_be_on_its_way(serve: Serve, connect: Connect, mark: str) -> None:
    arrived = asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        arrived.set()
        await asyncio.sleep(60)

    server = await serve(silent)
    call = Call(ManualClock(), 60.0)
    CURRENT.set(call)
    task = asyncio.create_task(connect(server.url).send(marked(mark)))
    await asyncio.sleep(0)
    before = call.departed
    await arrived.wait()
    assert (before, call.departed) == (False, True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("rounds", range(12))
async def test_after_a_cancelled_one_the_next_is_answered_its_own(serve: Serve, connect: Connect, rounds: int) -> None:
    server = await serve(naming)
    http = connect(server.url)
    await http.send(marked("rb-1"))
    task = asyncio.create_task(http.send(marked("rb-2")))
    for _ in range(rounds):  # wherever the cancellation strikes
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    for request in (marked("rb-3"), marked("rb-4")):
        assert request.is_named_in((await http.send(request)).body)


async def test_a_server_that_hung_up_on_all_at_once_is_asked_anew(serve: Serve, connect: Connect) -> None:
    server = await serve(naming)
    http = connect(server.url)
    await asyncio.gather(*(http.send(marked(f"rb-{number}")) for number in range(20)))
    for one in server.seen:
        one.fin()
    await asyncio.sleep(0)
    await http.send(marked("rb-x"))
    assert server.seen[-1].connection == server.connections > 20


async def test_connections_that_nobody_may_use_are_given_up_before_anything_is_sent(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> bool:
        return False

    monkeypatch.setattr(connections, "_is_clean", never)
    server = await serve(naming)
    with pytest.raises(UnavailableError, match="stays usable") as caught:
        await connect(server.url).send(marked("rb-1"))
    assert caught.value.delivery is Delivery.NOT_SENT
    assert server.seen == []
