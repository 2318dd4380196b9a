"""A proxy between our whole stack and a sandbox that answers effects twice, the second time when it does most harm."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Doubling:
    """Forwards each request. The answer to an effect comes once more, when the next one on its connection has left."""

    def __init__(self, origin: str, *effects: str) -> None:
        """`effects` are ends of the paths whose answers are doubled."""
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname, parts.port
        self._effects = tuple(effect.encode() for effect in effects)
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.doubled = 0
        """Answers that came in place of another request's own."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Doubling]:
        """Serves for the length of a block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        last = b""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            upstream = await asyncio.open_connection(self._host, self._port)
            try:
                while True:
                    request = await _message(reader)
                    upstream[1].write(request)
                    answer = await _message(upstream[0])
                    self.doubled += bool(last)
                    writer.write(last + answer)
                    last = answer if self._is_effect(request) else b""
            finally:
                upstream[1].close()
                writer.close()

    def _is_effect(self, request: bytes) -> bool:
        return request.split(b" ", 2)[1].endswith(self._effects)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request or an answer, whole. The sandbox always says how long it is."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)
