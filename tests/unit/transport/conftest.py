"""Servers on loopback that answer as a test wants, and count what reached them; clients that are closed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.http import Http
from rpa_bridge.transport.options import HttpOptions


@dataclass
class Exchange:
    """One request that arrived whole, and the connection to answer it on."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    connection: int
    """Which of the server's connections it came on, from 1."""

    async def reply(self, body: bytes = b"{}", status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answers properly, and keeps the connection open."""
        await self.raw(plain_answer(body, status, headers))

    async def raw(self, data: bytes) -> None:
        """Writes these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    def fin(self) -> None:
        """Closes the connection in good order."""
        self.writer.close()

    def rst(self) -> None:
        """Tears the connection down."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def plain_answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    told = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    return f"HTTP/1.1 {status} Told\r\n".encode() + fields(told) + b"\r\n" + body


def fields(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


Answer = Callable[[Exchange], Awaitable[None]]


class Loopback:
    """A server on 127.0.0.1. `answer` says what it does with each request; `seen` is what reached it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.seen: list[Exchange] = []
        self.connections = 0
        self.bytes_received = 0
        self.url = ""
        self._server: asyncio.Server
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self, context: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{port}"

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # lets the aborted transports finish

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        self.connections += 1
        number = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                await self._one(reader, writer, number)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.bytes_received += len(head)
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.bytes_received += len(body)
        exchange = Exchange(method, target, headers, body, writer, number)
        self.seen.append(exchange)
        await self.answer(exchange)


Serve = Callable[..., Awaitable[Loopback]]
Connect = Callable[..., Http]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server: `await serve(answer)`."""
    running: list[Loopback] = []

    async def start(answer: Answer, context: ssl.SSLContext | None = None) -> Loopback:
        server = Loopback(answer)
        await server.start(context)
        running.append(server)
        return server

    yield start
    for server in running:
        await server.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes a client: `connect(url, timeout=0.3)`; the rest are `HttpOptions`."""
    opened: list[Http] = []

    def make(base_url: str, **options: Any) -> Http:
        http = Http(base_url, HttpOptions(**options))
        opened.append(http)
        return http

    yield make
    for http in opened:
        await http.aclose()


class Script:
    """A transport that plays back answers and failures, and remembers what it was asked."""

    def __init__(self, *steps: Response | Exception) -> None:
        self.steps = list(steps)
        self.sent: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def script() -> type[Script]:
    """The class of a played-back transport; its last step repeats."""
    return Script


def everything_shown(error: BaseException) -> str:
    """All that a log, a debugger or an error tracker could take from an exception and from those it hangs on."""
    told: list[str] = []
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        told += [str(one), repr(one), repr(one.args), repr(vars(one)), *getattr(one, "__notes__", ())]
        todo += [one.__cause__, one.__context__]
    return "\n".join(told)


@pytest.fixture
def shown() -> Callable[[BaseException], str]:
    """Tells all that an exception and its chain would show."""
    return everything_shown
