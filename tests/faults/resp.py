"""A small Redis on loopback: the four commands that the token store sends, over real sockets. docs: redis.io, RESP2"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from rpa_bridge.auth.redis_store import RELEASE

Answer = bytes | int | str | None


class RespServer:
    """Keeps values until they end, by a clock that can be handed in; it can be told to fail."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.values: dict[str, tuple[bytes, int | None]] = {}
        """Each value, and the millisecond at which it ends."""
        self.commands: list[list[str]] = []
        self.fails: Literal["", "cut", "hang", "error"] = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._serving: set[asyncio.Task[None] | None] = set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for one in self._serving:
            if one is not None:
                one.cancel()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        try:
            while words := await _words(reader):
                self.commands.append([word.decode("latin-1") for word in words])
                if self.fails == "hang":
                    await asyncio.Event().wait()
                if self.fails == "cut":
                    break
                writer.write(b"-ERR not now\r\n" if self.fails else _encoded(self._answer(words)))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            self.commands.append(["GONE"])
        finally:
            self._serving.discard(asyncio.current_task())
            writer.close()

    def _answer(self, words: list[bytes]) -> Answer | Exception:
        command, name, *rest = words[0].upper(), words[1].decode("latin-1"), *words[2:]
        if command == b"GET":
            return self._get(name)
        if command == b"DEL":
            return int(self.values.pop(name, None) is not None)
        if command == b"SET":
            return self._set(name, rest[0], [word.decode().upper() for word in rest[1:]])
        if command == b"EVAL" and words[1].decode() == RELEASE:
            name = words[3].decode()
            return int(self._get(name) == words[4] and self.values.pop(name, None) is not None)
        return ValueError(f"unknown command {command!r}")

    def _get(self, name: str) -> bytes | None:
        value, end = self.values.get(name, (None, None))
        if end is not None and self._now() * 1000 >= end:
            del self.values[name]
            return None
        return value

    def _set(self, name: str, value: bytes, options: list[str]) -> str | None:
        if "NX" in options and self._get(name) is not None:
            return None
        end = None
        if "PX" in options:
            end = int(self._now() * 1000) + int(options[options.index("PX") + 1])
        if "PXAT" in options:
            end = int(options[options.index("PXAT") + 1])
        self.values[name] = (value, end)
        return "OK"


class RespClient:
    """What the token store wants of a client; a connection for each command."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.closed = False

    async def get(self, name: str) -> bytes | None:
        answer = await self._ask("GET", name)
        assert answer is None or isinstance(answer, bytes)
        return answer

    async def set(
        self, name: str, value: str | bytes, *, nx: bool = False, px: int | None = None, pxat: int | None = None
    ) -> object:
        options = ["NX"] if nx else []
        options += [] if px is None else ["PX", str(px)]
        options += [] if pxat is None else ["PXAT", str(pxat)]
        return await self._ask("SET", name, value, *options)

    async def delete(self, name: str) -> object:
        return await self._ask("DEL", name)

    async def execute_command(self, *words: str) -> object:
        return await self._ask(*words)

    async def aclose(self) -> None:
        self.closed = True

    async def _ask(self, *words: str | bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            raw = [word if isinstance(word, bytes) else word.encode() for word in words]
            writer.write(b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in raw))
            return await _read(reader)
        finally:
            writer.close()


async def _words(reader: asyncio.StreamReader) -> list[bytes]:
    head = await reader.readline()
    if not head:
        return []
    words = [await _read(reader) for _ in range(int(head[1:]))]
    return [word for word in words if isinstance(word, bytes)]


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readline()
    kind, rest = head[:1], head[1:].strip()
    if kind == b"$":
        return None if rest == b"-1" else (await reader.readexactly(int(rest) + 2))[:-2]
    if kind == b":":
        return int(rest)
    if kind == b"+":
        return rest.decode()
    raise ConnectionError(head.decode("latin-1") or "cut off")


def _encoded(answer: Answer | Exception) -> bytes:
    if isinstance(answer, Exception):
        return f"-ERR {answer}\r\n".encode()
    if answer is None:
        return b"$-1\r\n"
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    return f"+{answer}\r\n".encode() if isinstance(answer, str) else b"$%d\r\n%b\r\n" % (len(answer), answer)
