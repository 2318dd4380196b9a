"""Files on the wire: sent whole or not at all, and never taken for whole when they broke off."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.tokens import Token
from rpa_bridge.clock import SystemClock
from rpa_bridge.errors import (
    ConfigError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnavailableError,
)
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.authorise import Authorise
from rpa_bridge.transport.base import Effect, Request, Response, Transport, opened
from rpa_bridge.transport.classify import Classify
from rpa_bridge.transport.content import Content, FileOnDisk, form_with_file
from rpa_bridge.transport.retry import Retry

if TYPE_CHECKING:
    from tests.unit.transport.conftest import Connect, Exchange, Script, Serve

LARGE = bytes(range(256)) * 4096


class File:
    """Content that can be read again and again; counts how often it was."""

    def __init__(self, *pieces: bytes, failure: Exception | None = None) -> None:
        self.pieces, self.failure = pieces, failure
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.read += 1
        for piece in self.pieces:
            yield piece
        if self.failure is not None:
            raise self.failure


def upload(content: Content, *, effect: Effect = Effect.SET) -> Request:
    return Request("PUT", "/file", effect=effect, operation="test.upload", content=content, signed=False)


def download(path: str = "/file") -> Request:
    return Request("GET", path, effect=Effect.READ, operation="test.open", signed=False)


async def accept(exchange: Exchange) -> None:
    await exchange.reply()


async def read(transport: Transport, request: Request) -> bytes:
    async with opened(transport, request) as pieces:
        return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize(
    "pieces", [LARGE, File(LARGE[:10], b"", LARGE[10:]), b"", File()], ids=["bytes", "pieces", "nothing", "no pieces"]
)
async def test_content_arrives_whole_with_its_length(serve: Serve, connect: Connect, pieces: File | bytes) -> None:
    whole = pieces if isinstance(pieces, bytes) else b"".join(pieces.pieces)
    server = await serve(accept)

    await connect(server.url).send(upload(Content(pieces, len(whole), "text/plain")))

    (seen,) = server.seen
    assert seen.body == whole
    assert seen.headers["content-length"] == str(len(whole))
    assert seen.headers["content-type"] == "text/plain"
    assert "transfer-encoding" not in seen.headers


@pytest.mark.parametrize("size", [3, 5])
async def test_content_of_another_size_never_arrives_whole(serve: Serve, connect: Connect, size: int) -> None:
    server = await serve(accept)

    with pytest.raises(InvalidError, match=r"^test\.upload: the content (ended after|has more than)"):
        await connect(server.url).send(upload(Content(File(b"ab", b"cd"), size)))

    assert server.seen == []


@pytest.mark.parametrize("announced", [0, 2])
async def test_more_pieces_than_announced_do_not_arrive_as_a_whole_content(
    serve: Serve, connect: Connect, announced: int
) -> None:
    async def late() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"ab"
            await asyncio.sleep(0.05)  # real time: a server that has what was announced answers meanwhile

    server = await serve(accept)

    with pytest.raises(InvalidError, match=f"^test\\.upload: the content has more than the {announced} bytes"):
        await connect(server.url).send(upload(Content(late(), announced)))

    assert server.seen == []


async def test_what_reading_the_end_raises_comes_before_the_last_piece_leaves(serve: Serve, connect: Connect) -> None:
    broken = OSError(5, "the disk is broken")
    server = await serve(accept)

    with pytest.raises(OSError, match="the disk is broken"):
        await connect(server.url).send(upload(Content(File(b"ab", b"cd", failure=broken), 4)))

    assert server.seen == []


@pytest.mark.parametrize("status", [200, 401])
async def test_a_success_that_is_told_before_the_content_was_read_is_not_believed(
    serve: Serve, connect: Connect, status: int
) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(0.05)  # real time: the answer must be there first
        yield b"y"
        await asyncio.Event().wait()

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nx")
        writer.write(f"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n\r\n".encode())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hasty, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        sending = connect(url).send(upload(Content(slowly(), 10)))
        if status == 401:  # a refusal may well come before all has been sent
            assert (await sending).status == status
            return
        with pytest.raises(OutcomeUnknownError, match="reported success before it had the whole content") as caught:
            await sending
        assert caught.value.maybe_applied


@pytest.mark.parametrize("failure", [OSError(5, "the disk is broken"), KeyError("mine")], ids=repr)
async def test_what_reading_the_content_raises_is_raised_as_it_is(
    serve: Serve, connect: Connect, failure: Exception
) -> None:
    server = await serve(accept)
    sender = Retry(connect(server.url), ManualClock(), random.Random(1))  # noqa: S311 - pauses are no secret

    with pytest.raises(type(failure)) as caught:
        await sender.send(upload(Content(File(b"ab", failure=failure), 4)))

    assert caught.value is failure
    assert server.seen == []


async def test_a_size_is_needed_and_must_be_the_contents() -> None:
    with pytest.raises(InvalidError, match="give `size`"):
        Content.of(File(b"a"), None, "test.upload")
    with pytest.raises(InvalidError, match="has 2 bytes, and not 3"):
        Content.of(b"ab", 3, "test.upload")
    assert Content.of(b"ab", None, "test.upload").size == 2


async def test_content_that_can_be_read_again_is_sent_again_and_an_iterator_is_not(script: type[Script]) -> None:
    class Reading(script):  # type: ignore[misc, valid-type]  # a class that a fixture hands out
        """Reads what it is to send, as the network would."""

        async def send(self, request: Request) -> Response:
            assert request.content is not None
            self.got = b"".join([piece async for piece in request.content.read("test.upload", lambda: None)])
            response: Response = await super().send(request)
            return response

    async def once() -> AsyncIterator[bytes]:
        yield b"abc"

    down, fine = UnavailableError("down"), Response(200, {}, b"")
    for pieces, sends in ((File(b"abc"), 2), (once(), 1)):
        inner = Reading(down, fine)
        sender = Retry(inner, ManualClock(), random.Random(1))  # noqa: S311 - pauses are no secret
        if sends == 2:
            await sender.send(upload(Content(pieces, 3)))
        else:
            with pytest.raises(UnavailableError):
                await sender.send(upload(Content(pieces, 3)))
        assert inner.got == b"abc"
        assert len(inner.sent) == sends


async def test_a_slow_upload_has_its_time_for_each_piece(serve: Serve, connect: Connect) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(8):
            await asyncio.sleep(0.05)  # real time: the limit under test is the event loop's own
            yield b"x"

    server = await serve(accept)
    await connect(server.url, timeout=0.2).send(upload(Content(slowly(), 8)))

    assert server.seen[0].body == b"x" * 8


async def test_an_upload_that_stalls_ends(serve: Serve, connect: Connect) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    server = await serve(accept)
    with pytest.raises(UnavailableError, match=r"0\.1 seconds"):
        await connect(server.url, timeout=0.1).send(upload(Content(never(), 8)))

    assert server.seen == []


async def test_a_file_comes_in_pieces_even_if_it_is_a_web_page(serve: Serve, connect: Connect) -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.reply(LARGE, headers={"Content-Type": "text/html"})

    server = await serve(page)
    transport = Classify(connect(server.url, max_body=10), lambda *_: None, SystemClock())

    async with opened(transport, download()) as pieces:
        sizes = [len(piece) async for piece in pieces]

    assert sum(sizes) == len(LARGE)
    assert len(sizes) > 1
    assert server.seen[0].headers["accept-encoding"] == "identity"


async def test_a_file_that_breaks_off_is_an_error_and_not_a_short_file(serve: Serve, connect: Connect) -> None:
    async def half(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        exchange.fin()

    server = await serve(half)

    with pytest.raises(
        (UnavailableError, ProtocolError), match=r"cut the connection before its answer was complete"
    ) as caught:
        await read(connect(server.url), download())
    assert caught.value.operation == "test.open"


async def test_a_file_that_stalls_ends(serve: Serve, connect: Connect) -> None:
    async def stall(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    server = await serve(stall)

    with pytest.raises(UnavailableError):
        await read(connect(server.url, first_byte_timeout=0.1), download())


async def test_a_failed_download_is_its_error_on_entry(serve: Serve, connect: Connect) -> None:
    async def missing(exchange: Exchange) -> None:
        await exchange.reply(b'{"message": "no such file"}', status=404)

    server = await serve(missing)
    transport = Classify(connect(server.url), lambda *_: None, SystemClock())

    with pytest.raises(NotFoundError):
        async with opened(transport, download()):
            raise AssertionError("the block of a file that is not there was entered")


async def test_a_download_that_is_left_early_closes_its_connection(serve: Serve, connect: Connect) -> None:
    closed = asyncio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + LARGE)
        try:
            while True:
                await exchange.raw(LARGE)
        except ConnectionError:
            closed.set()

    server = await serve(endless)
    async with opened(connect(server.url), download()) as pieces:
        assert LARGE.startswith(await anext(pieces))

    await asyncio.wait_for(closed.wait(), 5)


async def test_a_signed_request_to_an_absolute_address_stays_on_its_own_origin(serve: Serve, connect: Connect) -> None:
    server = await serve(accept)
    ours = Request("GET", f"{server.url}/blob", effect=Effect.READ, operation="test.open")
    elsewhere = Request("GET", "http://127.0.0.1:9/blob", effect=Effect.READ, operation="test.open")

    await connect(f"{server.url}/base").send(ours)
    with pytest.raises(ConfigError, match="only to the connection's own address"):
        await connect(f"{server.url}/base").send(elsewhere)

    assert [one.target for one in server.seen] == ["/blob"]


async def test_a_file_in_a_form_keeps_its_name_and_content(serve: Serve, connect: Connect) -> None:
    server = await serve(accept)
    form = form_with_file(
        "file", 'Größe "1".txt', Content(File(b"one\r\n", b"two"), 8, "text/plain"), "b0undary", "test.upload"
    )

    await connect(server.url).send(upload(form))

    (seen,) = server.seen
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    (part,) = message_from_bytes(head + seen.body, policy=HTTP).iter_parts()
    assert part.get_payload(decode=True) == b"one\r\ntwo"
    assert b'name="file"; filename="Gr\xc3\xb6\xc3\x9fe %221%22.txt"' in seen.body
    assert int(seen.headers["content-length"]) == len(seen.body)


async def test_a_file_in_a_form_that_ends_early_is_named_by_its_own_size(serve: Serve, connect: Connect) -> None:
    server = await serve(accept)
    form = form_with_file("file", "a.txt", Content(File(b"four"), 5), "b0undary", "test.upload")

    with pytest.raises(InvalidError, match=r"^test\.upload: the content ended after 4 of the 5 bytes"):
        await connect(server.url).send(upload(form))

    assert server.seen == []


async def test_a_file_on_disk_is_read_in_pieces_and_again(
    serve: Serve, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.transport.content.FROM_DISK", 1000)
    path = tmp_path / "report.txt"
    path.write_bytes(LARGE[:2500])
    server = await serve(accept)
    file = FileOnDisk(path)

    assert [len(piece) async for piece in file] == [1000, 1000, 500]
    await connect(server.url).send(upload(file.content))

    assert server.seen[0].body == LARGE[:2500]
    assert server.seen[0].headers["content-type"] == "text/plain"


async def test_a_file_that_changes_while_it_is_sent_does_not_arrive_whole(
    serve: Serve, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rpa_bridge.transport.content.FROM_DISK", 1000)
    path = tmp_path / "report.txt"
    path.write_bytes(b"a" * 2500)
    server = await serve(accept)
    content = FileOnDisk(path).content
    other = tmp_path / "other"
    other.write_bytes(b"b" * 2500)

    class Changing:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in FileOnDisk(path):
                yield piece
                if other.exists():
                    other.replace(path)

    with pytest.raises(OSError, match="changed while it was read"):
        await connect(server.url).send(upload(Content(Changing(), content.size)))

    assert server.seen == []


async def test_a_refused_token_does_not_send_half_of_a_stream_again(script: type[Script]) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"abc"

    content = Content(once(), 3)
    async for _ in content.read("test.upload", lambda: None):
        assert content.spent
    inner = script(Response(401, {}, b""))
    request = Request("PUT", "/file", effect=Effect.SET, operation="test.upload", content=content)

    response = await Authorise(inner, _Tokens(), lambda _token: {}).send(request)

    assert response.status == 401
    assert len(inner.sent) == 1


class _Tokens:
    """Another token each time."""

    def __init__(self) -> None:
        self._number = 0

    async def get(self) -> Token:
        self._number += 1
        born = datetime(2030, 1, 1, tzinfo=UTC)
        return Token(SecretStr(f"token-number-{self._number}"), born, born + timedelta(hours=1), 0.0)

    async def reject(self, token: Token) -> None:
        assert token.value.get_secret_value() == "token-number-1"

    async def bar(self, token: Token) -> None:
        raise AssertionError("a second token is taken")

    async def aclose(self) -> None:
        raise AssertionError("nobody closes this one")
