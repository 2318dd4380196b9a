"""The whole stack on a server of a harness's own, with tokens that are always good."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from rpa_bridge.auth.tokens import Token
from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.transport.authorise import Tokens
from rpa_bridge.transport.base import Transport
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.stack import Wiring, exchange, signed

_BORN = datetime(2030, 1, 1, tzinfo=UTC)
_ENDS = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, asyncio.CancelledError)
"""How reading requests ends; the second is a large body, which nobody reads."""
_TOKEN = Token(SecretStr("a-good-token"), _BORN, _BORN + timedelta(hours=1), 0.0)


class GoodTokens:
    """The same token for everyone."""

    async def get(self) -> Token:
        return _TOKEN

    async def reject(self, token: Token) -> None:
        raise AssertionError("no harness refuses the token")

    bar = reject

    async def aclose(self) -> None:
        """Nothing runs."""


class Hasty(SystemClock):
    """The machine's clock, on which nobody sleeps for long."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))


def whole_stack(
    clock: Clock,
    rng: random.Random,
    *,
    url: str = "http://127.0.0.1:1",
    network: Transport | None = None,
    tokens: Tokens | None = None,
    rate: float | None = None,
    **options: Any,
) -> Transport:
    """What an adapter would send through: to the address, or into a network of the harness's own."""
    wiring = Wiring(
        connection="harness",
        base_url=url,
        options=HttpOptions(**options),
        explain=lambda _request, _response, _body: None,
        clock=clock,
        random=rng,
        rate=rate,
        cache_dir=None,
        token_store=None,
    )
    return signed(network or exchange(wiring), wiring, tokens or GoodTokens(), lambda _: {"Authorization": "Bearer t"})


@dataclass(frozen=True)
class Asked:
    """A request that arrived, and what to answer it with."""

    target: str
    writer: asyncio.StreamWriter

    def reply(self, status: int = 200, headers: str = "") -> None:
        """Answers properly. `headers` are whole lines."""
        head = f"HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\nContent-Length: 2\r\n{headers}\r\n"
        self.writer.write(head.encode() + b"{}")


class Server:
    """HTTP on loopback, answered by a function: `async with Server(answer) as server`. It counts what is open."""

    def __init__(self, answer: Callable[[Asked], Awaitable[None]]) -> None:
        self._answer = answer
        self._serving: dict[asyncio.Task[None], tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self.url = ""

    @property
    def connections(self) -> int:
        """Those that no side has closed."""
        return sum(not (reader.at_eof() or writer.is_closing()) for reader, writer in self._serving.values())

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *how_it_ended: object) -> None:
        self._server.close()
        for task, (_, writer) in self._serving.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # lets the aborted connections go

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = reader, writer
        try:
            with suppress(*_ENDS):
                while not writer.is_closing():
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    await self._answer(Asked(head.split(" ", 2)[1], writer))
        finally:
            writer.close()
            del self._serving[task]
