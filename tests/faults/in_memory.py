"""The sandbox without sockets or real time: our whole stack at one end, aiohttp's own server at the other.

Everything is carried out in one thread, in an order that only the seed decides: a run is repeated by its seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from io import BytesIO
from typing import Any
from unittest.mock import patch

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import http
from rpa_bridge.transport.call import CURRENT
from rpa_bridge.transport.connections import USER_AGENT

FIRST_PORT = 8001
PATIENCE = 60.0
"""Seconds until a client gives up."""
MOST_TURNS = 4
"""Of the event loop, which a request may take on its way: so that those sent together overtake one another."""


class CommonClock(ManualClock):
    """One time for the client and the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox
        sandbox.world.clock.freeze(self.now())

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._sandbox.world.clock.advance(seconds)


@dataclass(slots=True)
class Network:
    """What goes wrong between the client and the sandbox, by its probability."""

    refused: float = 0.0
    """Connections that are not accepted."""
    hanging: float = 0.0
    """Answers that are not heard until the client gives up."""


class Lab:
    """A sandbox that clients of this process reach."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.connections: dict[str, dict[str, Any]] = {}
        self.servers: dict[int, web.AppRunner] = {}
        self.begin(random.Random(0))  # noqa: S311 - nothing is secret here

    def begin(self, rng: random.Random) -> None:
        """Makes everything as it was born, and a good day."""
        self.sandbox.reset()
        self.clock, self.random, self.network = CommonClock(self.sandbox), rng, Network()

    async def serve(self, app: web.Application) -> str:
        """Where the application can be reached from now on."""
        port = FIRST_PORT + len(self.servers)
        self.servers[port] = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self.servers[port].setup()
        return f"http://127.0.0.1:{port}"


@asynccontextmanager
async def laboratory(faces: Sequence[str]) -> AsyncIterator[Lab]:
    """A sandbox, and in the block no other server for whatever is opened there."""
    lab = Lab(Sandbox(faces))
    for face in lab.sandbox.faces.values():
        lab.connections |= face.connections(await lab.serve(lab.sandbox._app(face, face.routes())))
        if sides := face.side_routes():
            face.side_origin = await lab.serve(lab.sandbox._app(face, sides))
    try:
        with patch.object(http, "open_session", lambda _kind, _platform: _Session(lab)):
            yield lab
    finally:
        for runner in lab.servers.values():
            await runner.cleanup()


class _Session:
    """Stands for aiohttp's: one connection for each request."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def request(self, method: str, url: URL, *, data: Any, headers: dict[str, str], **_: object) -> _Answer:
        draw, network = self._lab.random, self._lab.network
        for _turn in range(draw.randrange(MOST_TURNS)):
            await asyncio.sleep(0)
        if draw.random() < network.refused:
            raise aiohttp.ConnectionTimeoutError
        if (call := CURRENT.get()) is not None:
            call.departed = True
        body = await _whole(data)
        said = await _exchange(self._lab.servers[url.port or 0], _request(method, url, headers, body))
        if draw.random() < network.hanging:
            await self._lab.clock.sleep(PATIENCE)
            raise TimeoutError
        return _Answer(said)

    async def close(self) -> None:
        """Nothing is open."""


async def _whole(data: bytes | BytesIO | aiohttp.BytesPayload | AsyncIterator[bytes] | None) -> bytes:
    if isinstance(data, bytes | None):
        return data or b""
    if isinstance(data, aiohttp.BytesPayload):
        return data.decode().encode()
    if isinstance(data, BytesIO):
        return data.getvalue()
    return b"".join([piece async for piece in data])


def _request(method: str, url: URL, headers: dict[str, str], body: bytes) -> bytes:
    lines = {
        "Host": f"{url.host}:{url.port}",
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
        "Connection": "close",
        "Content-Length": str(len(body)),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {url.raw_path_qs} HTTP/1.1\r\n{head}\r\n".encode() + body


async def _exchange(runner: web.AppRunner, sent: bytes) -> bytes:
    """All that the server says before it closes the connection."""
    assert runner.server is not None
    protocol = runner.server()
    line = _Line(protocol)
    protocol.connection_made(line)
    protocol.data_received(sent)
    return await line.said


class _Line(asyncio.Transport):
    """The server's end of a connection."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._written = bytearray()
        self._closed = False
        self.said: asyncio.Future[bytes] = self._loop.create_future()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._written += data

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._hang_up)

    def is_closing(self) -> bool:
        return self._closed

    def pause_reading(self) -> None:
        """Everything has arrived at once."""

    def resume_reading(self) -> None:
        """Everything has arrived at once."""

    def _hang_up(self) -> None:
        self._protocol.connection_lost(None)
        if not self.said.done():
            self.said.set_result(bytes(self._written))


class _Answer:
    """Stands for aiohttp's. Raises what that raises where the server said nothing, or only a part."""

    def __init__(self, said: bytes) -> None:
        head, ended, self._body = said.partition(b"\r\n\r\n")
        if not ended:
            raise aiohttp.ServerDisconnectedError
        status, _, lines = head.partition(b"\r\n")
        self.status = int(status.split()[1])
        self.headers = CIMultiDict(BytesHeaderParser().parsebytes(lines).items())
        self.headers.popall("Date", None)  # the machine's own
        self.content = self

    def is_eof(self) -> bool:
        """As if it were still on its way."""
        return False

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._body
        if len(self._body) != int(self.headers.get("Content-Length", 0)):
            raise aiohttp.ClientPayloadError

    async def __aenter__(self) -> _Answer:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""
