"""Answers that make no sense: only typed errors, and nothing of what was said in them."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import client_exceptions

from rpa_bridge.clock import SystemClock
from rpa_bridge.errors import BridgeError, ConfigError, Delivery, ProtocolError, RemoteError, UnavailableError
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.classify import Classify
from rpa_bridge.transport.decode import WireModel, decode
from rpa_bridge.transport.http_failures import mapped_exceptions, translate
from rpa_bridge.transport.trace import Trace

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Exchange, Serve

CANARY = "c4n4ry-v4lue"


class Thing(WireModel):
    Id: int
    Name: str
    Inputs: dict[str, int] | None = None


def http(body: bytes, *lines: str, status: int = 200, length: int | str | None = None) -> bytes:
    told = [f"Content-Length: {len(body) if length is None else length}", f"X-Leak: {CANARY}", *lines]
    return f"HTTP/1.1 {status} {CANARY}\r\n".encode() + "\r\n".join([*told, "", ""]).encode() + body


def chunks(data: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data


GOOD = f'{{"Id": 1, "Name": "{CANARY}"}}'.encode()
GZIP = "Content-Encoding: gzip"
BROKEN = {
    "nothing": b"",
    "not HTTP": f"{CANARY} says hello\r\n\r\n".encode(),
    "an SSH banner": f"SSH-2.0-{CANARY}\r\n".encode(),
    "an unknown version": f"HTTP/9.9 200 {CANARY}\r\n\r\n".encode(),
    "a status that is no number": f"HTTP/1.1 {CANARY} OK\r\n\r\n".encode(),
    "a status line alone": f"HTTP/1.1 200 {CANARY}\r\n".encode(),
    "half of its headers": f"HTTP/1.1 200 OK\r\nX-Leak: {CANARY}\r\nX-".encode(),
    "a negative length": http(GOOD, length=-1),
    "a length in words": http(GOOD, length=CANARY),
    "two lengths": http(GOOD, f"Content-Length: {len(GOOD) + 1}"),
    "less than its length": http(GOOD, length=len(GOOD) + 10),
    "more than its length": http(GOOD, length=len(GOOD) - 10),
    "a header without a colon": http(GOOD, CANARY),
    "a header without a name": http(GOOD, f": {CANARY}"),
    "a header with NUL": http(GOOD, f"X-A: {CANARY}\0"),
    "a header without an end": http(GOOD, f"X-A: {CANARY * 2000}"),
    "too many headers": http(GOOD, *(f"X-{n}: {CANARY}" for n in range(1000))),
    "a body that is not gzip": http(GOOD, GZIP),
    "half a gzip": http(gzip.compress(GOOD)[:-12], GZIP),
    "a deflate that is none": http(GOOD, "Content-Encoding: deflate"),
    "an encoding nobody asked for": http(GOOD, "Content-Encoding: br"),
    "a chunk of no size": chunks(b"zz\r\n" + GOOD),
    "a chunk of negative size": chunks(b"-5\r\n" + GOOD),
    "half a chunk": chunks(b"100\r\n" + GOOD),
    "no last chunk": chunks(f"{len(GOOD):x}\r\n".encode() + GOOD + b"\r\n"),
    "a chunk that is longer than it says": chunks(b"5\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    "only 100": f"HTTP/1.1 100 {CANARY}\r\n\r\n".encode(),
    "a switch of protocols": f"HTTP/1.1 101 X\r\nUpgrade: {CANARY}\r\nConnection: upgrade\r\n\r\n".encode(),
}
ODD = {
    "an empty body": http(b""),
    "no content": http(b"", status=204),
    "not modified": http(b"", status=304),
    "a redirect": http(b"", f"Location: https://{CANARY}.invalid/", status=302),
    "a web page": http(f"<html>{CANARY}</html>".encode(), "Content-Type: text/html; charset=utf-8"),
    "a text": http(CANARY.encode()),
    "half a JSON": http(GOOD[:-1]),
    "two JSONs": http(GOOD + GOOD),
    "not a number": http(GOOD.replace(b"1", b"NaN")),
    "infinity": http(GOOD.replace(b"1", b"-Infinity")),
    "a number of 10,000 digits": http(GOOD.replace(b"1", b"1" * 10_000)),
    "half a character": http(GOOD.replace(b"c4n", b"\\ud800")),
    "bytes that are not UTF-8": http(GOOD.replace(b"c4n", b"\xff\xfe")),
    "UTF-16": http(GOOD.decode().encode("utf-16")),
    "a JSON 100,000 deep": http(b"[" * 100_000 + b"]" * 100_000),
    "objects 100,000 deep": http(b'{"a":' * 100_000),
    "null": http(b"null"),
    "a JSON text": http(f'"{CANARY}"'.encode()),
    "a list": http(b"[" + GOOD + b"]"),
    "no members": http(b"{}"),
    "a member missing": http(f'{{"Name": "{CANARY}"}}'.encode()),
    "a member that is null": http(b'{"Id": null, "Name": null}'),
    "a member of another type": http(f'{{"Id": "{CANARY}", "Name": 7}}'.encode()),
    "a member that is too deep": http(f'{{"Id": 1, "Name": {{"x": ["{CANARY}"]}}}}'.encode()),
    "odd names inside a member": http(f'{{"Id": 1, "Name": "x", "Inputs": {{"{CANARY}": "{CANARY}"}}}}'.encode()),
    "an error in HTML": http(f"<b>{CANARY}</b>".encode(), "Content-Type: text/html", status=502),
    "an error in half a JSON": http(f'{{"message": "{CANARY}'.encode(), status=400),
    "an error that is deep": http(b"[" * 100_000, status=500),
    "an unknown error": http(CANARY.encode(), status=499),
    "a status beyond 599": http(CANARY.encode(), status=799),
}


async def outcome(serve: Serve, connect: Connect, answer: bytes) -> None:
    """Asks once for a Thing, from a server that answers this and hangs up."""

    async def tell(exchange: Exchange) -> None:
        await exchange.raw(answer)
        exchange.fin()

    server = await serve(tell)
    traced = Trace(connect(server.url), "test", SystemClock())
    transport = Classify(traced, lambda request, response, body: None, SystemClock())
    request = Request("GET", "/", effect=Effect.READ, operation="things.get", headers={"Authorization": CANARY})
    decode(Thing, request, await transport.send(request))


@pytest.mark.parametrize("answer", [*BROKEN.values(), *ODD.values()], ids=[*BROKEN, *ODD])
async def test_a_senseless_answer_ends_in_a_typed_error_that_repeats_nothing_of_it(
    serve: Serve,
    connect: Connect,
    shown: Callable[[BaseException], str],
    answer: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RemoteError) as caught:
        await outcome(serve, connect, answer)
    assert CANARY not in shown(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.operation == "things.get"
    assert CANARY not in caplog.text


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_after_a_broken_answer_the_request_may_have_been_carried_out(
    serve: Serve, connect: Connect, answer: bytes
) -> None:
    with pytest.raises((ProtocolError, UnavailableError)) as caught:
        await outcome(serve, connect, answer)
    assert caught.value.delivery is Delivery.MAYBE


async def test_control_a_sensible_answer_is_decoded(serve: Serve, connect: Connect) -> None:
    await outcome(serve, connect, http(GOOD))
    await outcome(serve, connect, http(gzip.compress(GOOD), GZIP))
    await outcome(serve, connect, chunks(f"{len(GOOD):x}\r\n".encode() + GOOD + b"\r\n0\r\n\r\n"))


def library_exceptions(kind: type[BaseException] = aiohttp.ClientError) -> Iterator[type[BaseException]]:
    yield kind
    for narrower in kind.__subclasses__():
        if narrower.__module__.startswith("aiohttp."):
            yield from library_exceptions(narrower)


def deciding_entry(kind: type[BaseException]) -> type[BaseException] | None:
    return next((entry for entry in mapped_exceptions() if issubclass(kind, entry)), None)


NEVER_RAISED_AT_US = {"ClientError", "UploadAbortedError"}
"""The base itself, and what only an upload with a tracker raises."""


@pytest.mark.parametrize("kind", [*dict.fromkeys(library_exceptions()), OSError, TimeoutError, ValueError])
def test_every_exception_of_the_library_has_an_entry_of_its_own(kind: type[BaseException]) -> None:
    entry = deciding_entry(kind)
    assert entry is not None
    assert entry is not aiohttp.ClientError or kind.__name__ in NEVER_RAISED_AT_US


def test_the_walk_over_the_library_misses_no_public_exception() -> None:
    public = {getattr(client_exceptions, name) for name in client_exceptions.__all__}
    walked = set(library_exceptions())
    assert {kind for kind in public if issubclass(kind, aiohttp.ClientError)} <= walked
    assert len(walked) > 20


def test_control_a_class_that_the_library_grows_is_noticed() -> None:
    class GrownError(aiohttp.ClientError):
        pass

    assert deciding_entry(GrownError) is aiohttp.ClientError


@pytest.mark.parametrize(
    ("error", "kind", "delivery"),
    [
        (aiohttp.ServerDisconnectedError(CANARY), UnavailableError, Delivery.MAYBE),
        (aiohttp.ClientOSError(104, CANARY), UnavailableError, Delivery.MAYBE),
        (aiohttp.ClientPayloadError(CANARY), UnavailableError, Delivery.MAYBE),
        (aiohttp.SocketTimeoutError(CANARY), UnavailableError, Delivery.MAYBE),
        (aiohttp.ConnectionTimeoutError(CANARY), UnavailableError, Delivery.NOT_SENT),
        (aiohttp.ClientConnectionError(CANARY), UnavailableError, Delivery.MAYBE),
        (aiohttp.UploadAbortedError(CANARY), ProtocolError, Delivery.MAYBE),
        (aiohttp.InvalidURL(f"http://{CANARY}"), ConfigError, None),
        (TimeoutError(CANARY), UnavailableError, Delivery.MAYBE),
        (OSError(5, CANARY), UnavailableError, Delivery.MAYBE),
        (ValueError(CANARY), ProtocolError, Delivery.MAYBE),
        (LookupError(CANARY), UnavailableError, Delivery.MAYBE),
    ],
)
def test_what_a_failure_of_the_library_means(
    error: Exception, kind: type[BridgeError], delivery: Delivery | None, shown: Callable[[BaseException], str]
) -> None:
    ours = translate(error, 3.0)
    assert type(ours) is kind
    assert getattr(ours, "delivery", None) is delivery
    assert CANARY not in shown(ours)
