"""Row 14 of the reliability targets: no credential leaves for another origin, wherever the platform points.

A server answers log-ins, and points with everything else at a canary: by redirects, by links to the next page, and by
addresses of files. What arrives at the canary is looked through for what only the platform may see.
"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from rpa_bridge import Adapter, Bridge, BridgeError
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.http import Http
from rpa_bridge.transport.options import HttpOptions
from tests.unit.transport.conftest import Exchange, Loopback

from .connections import serving

SECRET, TOKEN = "canary-client-secret", "canary-access-token"
CREDENTIALS = ("authorization", "cookie", "proxy-authorization", "token")
REDIRECTS = (301, 302, 303, 307, 308)
FILE = "attachment:11111111-2222-4333-8444-555555555555"
BETWEEN = 400.0
"""Seconds by the clock between two calls, so that what the last one left behind does not stand in the way."""

SPELLINGS = (
    *(
        "http://{canary}/x",
        "HTTP://{canary}/x",
        "//{canary}/x",
        r"http:\\{canary}\x",
        "http:/{canary}/x",
        "@{canary}/x",
    ),
    *("http://{own}@{canary}/", "http://{own}:@{canary}/", "http://{own}%2f@{canary}/", "http://{own}%00@{canary}/"),
    *("http://{canary}#@{own}/", "http://{canary}?@{own}/", r"http://{canary}\@{own}/", "http://{own}/..//{canary}/x"),
    *(
        "http://localhost:{port}/x",
        "http://127.1:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        ":{port}/x",
        "@{canary}/x",
    ),
    *(
        "http://2130706433:{port}/x",
        "http://0x7f.0.0.1:{port}/x",
        "http://127.0.0.1.:{port}/x",
        "http://{own}.{canary}/x",
    ),
)
"""The canary's address in ways that have fooled somebody."""


@dataclass(slots=True)
class Seen:
    """What the canary saw."""

    pointed: int = 0
    """How often somebody was pointed to it."""
    requests: int = 0
    with_credentials: int = 0


async def away(rounds: int = 300, *, seed: int = 14, guard: bool = True) -> Seen:
    """Points to the canary so often. Without the guard it is aiohttp alone that asks, and follows."""
    rng = random.Random(seed)  # noqa: S311 - to be played again
    async with serving(lambda exchange: exchange.reply()) as canary:
        pointer = _Pointer(canary.url, rng)
        async with serving(pointer.answer) as server:
            pointer.own = server.url
            await (_ours if guard else _naive)(server, pointer, rounds, rng)
        seen = Seen(pointed=pointer.pointed, requests=len(canary.seen))
        seen.with_credentials = sum(_has_credential(one) for one in canary.seen)
    return seen


async def _ours(server: Loopback, pointer: _Pointer, rounds: int, rng: random.Random) -> None:
    clock = ManualClock()
    auth = {"type": "client_credentials", "client_id": "id", "client_secret": SECRET, "scope": "OR.Jobs"}
    connections = {
        "uipath": {"adapter": "uipath", "url": f"{server.url}/acme/default/orchestrator_", "auth": auth},
        "botmaestro": {"adapter": "botmaestro", "server": server.url, "login": "acme", "key": SECRET},
    }
    http = Http(server.url, HttpOptions())
    async with Bridge({"connections": connections}, clock=clock, cache_dir=None) as bridge:
        while pointer.pointed < rounds:
            clock.advance(BETWEEN)
            pointer.login_too = rng.random() < 0.1
            try:
                await rng.choice(_CALLS)(rng.choice([bridge["uipath"], bridge["botmaestro"]]))
                await _directly(http, pointer)
            except BridgeError:
                continue
    await http.aclose()


async def _directly(http: Http, pointer: _Pointer) -> None:
    """A signed request to an evil address, as a careless adapter would send it."""
    headers = {"Authorization": f"Bearer {TOKEN}", "token": TOKEN}
    address = pointer.address()
    pointer.pointed += 1
    await http.send(Request("GET", address, effect=Effect.READ, operation="test", headers=headers))


async def _naive(server: Loopback, pointer: _Pointer, rounds: int, _rng: random.Random) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}", "token": TOKEN}) as session:
        while pointer.pointed < rounds:
            try:
                async with session.get(f"{server.url}/odata/Jobs(1)"):
                    continue
            except (aiohttp.ClientError, ValueError):
                continue


async def _first(rows: Any) -> Any:
    return [row async for row in rows]


async def _content(opened: Any) -> bytes:
    async with opened as pieces:
        return b"".join([piece async for piece in pieces])


_CALLS: tuple[Callable[[Adapter], Awaitable[Any]], ...] = (
    lambda rpa: rpa.jobs.get("1"),
    lambda rpa: rpa.jobs.start("Invoices"),
    lambda rpa: _first(rpa.queues.find()),
    lambda rpa: rpa.queues.take("Invoices"),
    lambda rpa: rpa.fetch_login(),
    *[lambda rpa: _content(rpa.artifacts.open(FILE))] * 5,
)


class _Pointer:
    """The platform that points away. `own` is where it listens itself."""

    def __init__(self, canary: str, rng: random.Random) -> None:
        self.own, self.login_too, self.pointed = "", False, 0
        self._canary, self._rng = canary, rng

    async def answer(self, exchange: Exchange) -> None:
        path = exchange.target.partition("?")[0]
        is_login = path.endswith(("/connect/token", "/workspace/login", "/maestro/version"))
        if is_login and not self.login_too:
            token = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer", "accessToken": TOKEN}
            await exchange.reply(json.dumps(token | {"organizationLabel": "acme", "version": "3.1.0"}).encode())
            return
        self.pointed += 1
        if "/odata/" in path and self._rng.random() < 0.8:
            await exchange.reply(json.dumps(self._document(path)).encode())
        else:
            await exchange.reply(status=self._rng.choice(REDIRECTS), headers={"Location": _in_header(self.address())})

    def _document(self, path: str) -> dict[str, Any]:
        """An entity whose content is elsewhere, or a page whose next one is."""
        access = {
            "Uri": self.address(),
            "Verb": "GET",
            "RequiresAuth": self._rng.random() < 0.3,
            "Headers": {"Keys": ["Authorization", "token", "x-kept"], "Values": ["Bearer from-the-platform", "t", "1"]},
        }
        if path.endswith(")"):
            return {"Id": FILE.partition(":")[2], "Name": "a.txt", "BlobFileAccess": access}
        return {"value": [{"Id": 1, "Name": "Invoices"}], "@odata.nextLink": self.address()}

    def address(self) -> str:
        """The canary's, in one of the spellings that have fooled somebody, sometimes with a stray character in it."""
        canary, own = urlsplit(self._canary).netloc, urlsplit(self.own).netloc
        form = self._rng.choice(SPELLINGS)
        found = form.format(canary=canary, own=own, port=canary.partition(":")[2])
        if self._rng.random() < 0.3:
            at = self._rng.randrange(len(found) + 1)
            found = found[:at] + self._rng.choice("\t\r\n \\/@:#?%\x00\u2044\uff0f") + found[at:]
        return found


def _in_header(address: str) -> str:
    return "".join(one for one in address if one not in "\r\n\0").encode("utf-8").decode("latin-1")


def _has_credential(exchange: Exchange) -> bool:
    values = [value for name, value in exchange.headers.items() if name in CREDENTIALS]
    everything = f"{exchange.target} {exchange.headers} {exchange.body!r}"
    return bool(values) or SECRET in everything or TOKEN in everything
