"""A server that is never the bottleneck: canned answers from a bare protocol, in a process of its own.

python -m benchmarks.server FOLDER   # prints its addresses, and serves until its standard input ends

FOLDER has `server.pem` and `server.key`, for the address that speaks TLS.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Any

from .answers import Answers

SLOW = 0.02
"""Seconds that the slow address takes for an answer."""
_PHRASES = {200: b"OK", 201: b"Created", 404: b"Not Found"}


class Responder(asyncio.Protocol):
    """HTTP/1.1, as far as the clients of the benchmarks need it: bodies with a length, connections kept or closed."""

    def __init__(self, answers: Answers, delay: float) -> None:
        self._answers, self._delay, self._held = answers, delay, b""

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            size = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._held) < end + 4 + size:
                return
            target = self._held.split(b" ", 2)[1].decode()
            body, self._held = self._held[end + 4 : end + 4 + size], self._held[end + 4 + size :]
            self._answer(target, body, closes=b"\r\nconnection: close" in head)

    def _answer(self, target: str, body: bytes, *, closes: bool) -> None:
        status, content = self._answers.to(target, body)
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
        answer = head % (status, _PHRASES[status], len(content), b"Connection: close\r\n" if closes else b"") + content
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._write, answer, closes)
        else:
            self._write(answer, closes)

    def _write(self, answer: bytes, closes: bool) -> None:
        self._transport.write(answer)
        if closes:
            self._transport.close()


async def serve(folder: Path) -> None:
    """Serves on three free ports of 127.0.0.1: at once, slowly, and over TLS."""
    loop, answers = asyncio.get_running_loop(), Answers()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")

    async def listen(delay: float = 0.0, context: ssl.SSLContext | None = None) -> str:
        server = await loop.create_server(lambda: Responder(answers, delay), "127.0.0.1", 0, ssl=context, backlog=512)
        port = server.sockets[0].getsockname()[1]
        return f"http{'s' if context else ''}://127.0.0.1:{port}"

    print(json.dumps({"plain": await listen(), "slow": await listen(SLOW), "tls": await listen(context=tls)}))
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
