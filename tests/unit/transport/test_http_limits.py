"""How long a call may take, and how much an answer may hold. These few tests need real time."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.errors import Delivery, ProtocolError, UnavailableError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import connections
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.call import LEAST_TIME, deadline
from rpa_bridge.transport.content import Content
from rpa_bridge.transport.http import ERROR_BODY

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Exchange, Serve

LIMIT = 0.15
GRACE = 0.5
MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
READ = Request("GET", "/", effect=Effect.READ, operation="test.read", signed=False)


async def never(exchange: Exchange) -> None:
    await asyncio.sleep(60)


async def drip_head(exchange: Exchange) -> None:
    for byte in HEAD * 100:
        await exchange.raw(bytes([byte]))
        await asyncio.sleep(0.02)


async def drip_body(exchange: Exchange) -> None:
    await exchange.raw(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        await exchange.raw(b" ")
        await asyncio.sleep(0.02)


async def stall_in_body(exchange: Exchange) -> None:
    await exchange.raw(HEAD + b'Content-Length: 100\r\n\r\n{"a')
    await asyncio.sleep(60)


async def stall_in_chunk(exchange: Exchange) -> None:
    await exchange.raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a')
    await asyncio.sleep(60)


async def drip_in_error(exchange: Exchange) -> None:
    await exchange.raw(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await exchange.raw(b" ")
        await asyncio.sleep(0.02)


SLOW = (never, drip_head, drip_body, stall_in_body, stall_in_chunk, drip_in_error)


@pytest.mark.parametrize("answer", SLOW)
async def test_a_slow_server_does_not_hold_a_call_beyond_its_time(
    serve: Serve, connect: Connect, answer: Callable[[Exchange], Awaitable[None]]
) -> None:
    server = await serve(answer)
    http = connect(server.url, timeout=LIMIT, first_byte_timeout=5)
    started = time.monotonic()
    with pytest.raises(UnavailableError, match=r"did not answer within 0\.15 seconds") as caught:
        await http.send(READ)
    assert LIMIT * 0.9 < time.monotonic() - started < LIMIT + GRACE
    assert caught.value.delivery is Delivery.MAYBE
    assert len(server.seen) == 1


@pytest.mark.parametrize("early", [b"", HEAD + b"Content-Length: 10\r\n\r\n"], ids=["silent", "answers early"])
async def test_a_server_that_does_not_read_does_not_hold_a_call(connect: Connect, early: bytes) -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(early)
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(ignore, "127.0.0.1", 0, limit=1024)
    http = connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", effect_timeout=LIMIT)
    request = Request("POST", "/", effect=Effect.BLIND, operation="t", signed=False, json="x" * 20 * MIB)
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        await http.send(request)
    assert time.monotonic() - started < LIMIT + GRACE
    server.close()
    for writer in writers:
        writer.transport.abort()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("request_", "options"),
    [
        (READ, {"timeout": LIMIT}),
        (Request("POST", "/", effect=Effect.BLIND, operation="t", signed=False), {"effect_timeout": LIMIT}),
        (Request("GET", "/", effect=Effect.READ, operation="t", signed=False, timeout=LIMIT), {}),
        (READ, {"first_byte_timeout": LIMIT}),
    ],
    ids=["read", "effect", "its own", "first byte"],
)
async def test_the_time_that_counts(
    serve: Serve, connect: Connect, request_: Request, options: dict[str, float]
) -> None:
    server = await serve(never)
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="did not answer"):
        await connect(server.url, **options).send(request_)
    assert LIMIT * 0.9 < time.monotonic() - started < LIMIT + GRACE


@pytest.mark.parametrize("own", [None, 9.0])
async def test_the_deadline_counts_where_it_is_less(serve: Serve, connect: Connect, own: float | None) -> None:
    server = await serve(never)
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="did not answer") as caught, deadline(LEAST_TIME + 0.02):
        await connect(server.url).send(replace(READ, timeout=own))
    assert time.monotonic() - started < LEAST_TIME + GRACE
    assert caught.value.delivery is Delivery.MAYBE


async def test_nothing_is_sent_when_too_little_time_is_left(serve: Serve, connect: Connect) -> None:
    server = await serve(never)
    with (
        pytest.raises(UnavailableError, match=r"test\.read: the deadline is over") as caught,
        deadline(LEAST_TIME - 0.01),
    ):
        await connect(server.url).send(READ)
    assert (caught.value.delivery, caught.value.attempts, server.connections) == (Delivery.NOT_SENT, 0, 0)


async def test_a_deadline_ends_an_upload_however_steadily_its_pieces_leave(serve: Serve, connect: Connect) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"piece"
            await asyncio.sleep(0.01)

    server = await serve(never)
    request = Request("PUT", "/", effect=Effect.SET, operation="t", signed=False, content=Content(endless(), 10**9))
    started = time.monotonic()
    with pytest.raises(UnavailableError, match="did not answer"), deadline(LEAST_TIME + 0.02):
        await connect(server.url).send(request)
    assert time.monotonic() - started < LEAST_TIME + GRACE


@pytest.mark.parametrize("own", [None, 5.0], ids=["effect", "its own time"])
async def test_a_call_that_may_not_be_repeated_waits_longer_for_the_first_byte(
    serve: Serve, connect: Connect, own: float | None
) -> None:
    async def late(exchange: Exchange) -> None:
        await asyncio.sleep(LIMIT)
        await exchange.reply()

    server = await serve(late)
    effect = Effect.BLIND if own is None else Effect.READ
    request = Request("POST", "/", effect=effect, operation="t", signed=False, timeout=own)
    assert (await connect(server.url, first_byte_timeout=LIMIT / 4).send(request)).status == 200


def sized(total: int, sent: list[int], *, status: int = 200) -> Callable[[Exchange], Awaitable[None]]:
    async def answer(exchange: Exchange) -> None:
        await exchange.raw(f"HTTP/1.1 {status} X\r\nContent-Length: {total}\r\n\r\n".encode())
        while sent[0] < total:
            sent[0] += 64 * 1024
            await exchange.raw(b" " * (64 * 1024))

    return answer


def chunked(total: int, sent: list[int]) -> Callable[[Exchange], Awaitable[None]]:
    async def answer(exchange: Exchange) -> None:
        await exchange.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while sent[0] < total:
            sent[0] += 64 * 1024
            await exchange.raw(b"10000\r\n" + b" " * (64 * 1024) + b"\r\n")

    return answer


@pytest.mark.parametrize("answer", [sized, chunked])
async def test_an_answer_beyond_the_cap_is_not_read_on(
    serve: Serve, connect: Connect, answer: Callable[[int, list[int]], Callable[[Exchange], Awaitable[None]]]
) -> None:
    sent = [0]
    server = await serve(answer(256 * MIB, sent))
    with pytest.raises(ProtocolError, match=r"larger than 1048576 bytes.*http\.max_body") as caught:
        await connect(server.url, max_body=MIB).send(READ)
    assert caught.value.status == 200
    assert caught.value.delivery is Delivery.MAYBE
    assert sent[0] < 32 * MIB  # the rest is what the sockets' buffers took


async def test_an_answer_at_the_cap_is_read(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply(b" " * 1000))
    http = connect(server.url, max_body=1000)
    assert len((await http.send(READ)).body) == 1000
    server.answer = lambda exchange: exchange.reply(b" " * 1001)
    with pytest.raises(ProtocolError):
        await http.send(READ)


BOMB = gzip.compress(b"\0" * 64 * MIB)


@contextmanager
def little_memory() -> Iterator[None]:
    """Fails when the block held more at once than a fraction of what the bomb unfolds to."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 12 * MIB
    finally:
        tracemalloc.stop()


async def test_a_gzip_bomb_is_stopped_while_it_unfolds(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply(BOMB, headers={"Content-Encoding": "gzip"}))
    http = connect(server.url, max_body=MIB)
    with little_memory(), pytest.raises(ProtocolError, match="larger than"):
        await http.send(READ)


async def test_a_gzip_bomb_in_an_error_is_cut(serve: Serve, connect: Connect) -> None:
    server = await serve(lambda exchange: exchange.reply(BOMB, 500, {"Content-Encoding": "gzip"}))
    http = connect(server.url)
    with little_memory():
        answer = await http.send(READ)
    assert (answer.status, len(answer.body)) == (500, ERROR_BODY)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_an_errors_body_is_cut(serve: Serve, connect: Connect, status: int) -> None:
    sent = [0]
    server = await serve(sized(256 * MIB, sent, status=status))
    answer = await connect(server.url).send(READ)
    assert (answer.status, len(answer.body)) == (status, ERROR_BODY)
    assert sent[0] < 32 * MIB


async def test_a_process_that_goes_on_after_its_deadline_does_not_send_what_it_was_about_to(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped between the connection and the first byte: others rely on it that nothing comes any more."""
    clock, server = ManualClock(), await serve(lambda exchange: exchange.reply())
    told = connections._tell

    def tell_and_stop() -> None:
        told()
        clock.advance(60)

    monkeypatch.setattr(connections, "_tell", tell_and_stop)
    request = Request("POST", "/", effect=Effect.BLIND, operation="test.send", json={"a": 1}, signed=False)

    with deadline(30, clock=clock), pytest.raises(UnavailableError):
        await connect(server.url).send(request)

    assert server.seen == []
