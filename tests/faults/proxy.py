"""A gateway on a bad day: HTTP through real sockets, with what can go wrong between a client and a platform."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Fate(StrEnum):
    """What becomes of one request."""

    FAIR = "fair"
    REFUSED = "refused"
    """Cut off, and not forwarded."""
    ERROR = "error"
    """Answered 503, and not forwarded."""
    AMBIGUOUS = "ambiguous"
    """Forwarded, and the answer dropped."""
    GATEWAY = "gateway"
    """Forwarded, and answered 504."""
    TORN = "torn"
    """Forwarded, and half of the answer given."""
    LATE = "late"
    """Cut off at once, and forwarded later."""
    DOUBLED = "doubled"
    """Forwarded, and the answer given twice."""


BAD = tuple(fate for fate in Fate if fate is not Fate.FAIR)
Share = Callable[[str, str], float]
"""The share of requests that fail, by their method and path."""


class Proxy:
    """`async with Proxy(port, ...) as proxy`: what reaches `proxy.port` is forwarded to a port of this machine."""

    def __init__(self, port: int, rng: random.Random, share: Share, *, longest_delay: float) -> None:
        """`longest_delay` is that of late ones, in seconds."""
        self._upstream, self._random, self._share, self._longest_delay = port, rng, share, longest_delay
        self._tasks: set[asyncio.Task[None]] = set()
        self.fates: Counter[Fate] = Counter()
        self.port = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.drain()

    async def drain(self) -> None:
        """Returns when nothing is on its way any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                head, body = await _message(reader)
                method, path, _ = head.split(b" ", 2)
                fate = self._fate(method.decode(), path.decode())
                self.fates[fate] += 1
                await self._suffer(fate, head, body, writer)
                await writer.drain()
        writer.close()

    def _fate(self, method: str, path: str) -> Fate:
        return self._random.choice(BAD) if self._random.random() < self._share(method, path) else Fate.FAIR

    async def _suffer(self, fate: Fate, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        match fate:
            case Fate.REFUSED:
                writer.transport.abort()
                return
            case Fate.ERROR:
                writer.write(_plain(503))
                return
            case Fate.LATE:
                writer.transport.abort()
                task = asyncio.create_task(self._later(head, body))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return
        answer = await self._forward(head, body)
        match fate:
            case Fate.AMBIGUOUS:
                writer.transport.abort()
            case Fate.GATEWAY:
                writer.write(_plain(504))
            case Fate.TORN:
                writer.write(answer[: len(answer) // 2])
                writer.close()
            case Fate.DOUBLED:
                writer.write(answer + answer)
            case _:
                writer.write(answer)

    async def _later(self, head: bytes, body: bytes) -> None:
        await asyncio.sleep(self._random.uniform(0, self._longest_delay))
        await self._forward(head, body)

    async def _forward(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(head + body)
        answer = b"".join(await _message(reader))
        writer.close()
        return answer


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body. Raises IncompleteReadError at the connection's end."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def _plain(status: int) -> bytes:
    return f"HTTP/1.1 {status} Bad Day\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n".encode()
