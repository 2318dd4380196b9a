"""TLS of row 30 of the reliability targets: what servers hear that cannot prove who they are."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from rpa_bridge.errors import BridgeError
from rpa_bridge.transport.http import Http
from rpa_bridge.transport.options import HttpOptions
from tests.unit.transport.conftest import Loopback
from tests.unit.transport.test_http_tls import AUTHORITY, REQUEST, SECRET, UNTRUSTED, Identity, issue, served_with

OLD = "TLS 1.1"


@dataclass(slots=True)
class Heard:
    """What came of speaking to all of them."""

    servers: int = 0
    refused: int = 0
    bytes_received: int = 0
    """After the handshake."""


async def speak(folder: Path, *, guard: bool = True) -> Heard:
    """Sends a secret to each bad server. Without the guard it is aiohttp that sends, and takes any certificate."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # handshakes are meant to fail
    heard = Heard()
    for name in (*UNTRUSTED, OLD):
        own = folder / name
        own.mkdir()
        server = Loopback(lambda exchange: exchange.reply())
        await server.start(_bad(name, own))
        try:
            await (_ours if guard else _naive)(server.url, own)
        except (BridgeError, aiohttp.ClientError):
            heard.refused += 1
        finally:
            await server.stop()
        heard.servers += 1
        heard.bytes_received += server.bytes_received
    return heard


def _bad(name: str, folder: Path) -> ssl.SSLContext:
    make: Callable[[], Identity] = UNTRUSTED.get(name, lambda: issue("127.0.0.1", by=AUTHORITY))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is meant to be old
        return served_with(make(), folder, ssl.TLSVersion.TLSv1_1 if name == OLD else None)


async def _ours(url: str, folder: Path) -> None:
    http = Http(url, HttpOptions(ca_file=AUTHORITY.files(folder, "authority")[0]))
    try:
        await http.send(REQUEST)
    finally:
        await http.aclose()


async def _naive(url: str, _folder: Path) -> None:
    context = ssl._create_unverified_context()  # noqa: S323 - it is the control
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.post(url, data={"key": SECRET}) as answer,
    ):
        await answer.read()
