"""Many processes that log in and work: forks of one interpreter, each with a connection, a loop and locks of its own.

`python -m tests.faults.token_worker` reads one JSON object, forks, lets all go at once, and writes a line for each.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from pydantic import SecretStr

from rpa_bridge.auth.caching import CacheOptions, open_store
from rpa_bridge.auth.file_store import FileStore
from rpa_bridge.auth.redis_store import RedisStore
from rpa_bridge.auth.sealing import Seal
from rpa_bridge.auth.stores import KeyLock, MemoryStore, TokenStore, Waits
from rpa_bridge.auth.tokens import Token, TokenKey, token_from
from rpa_bridge.clock import SystemClock
from rpa_bridge.errors import AuthError
from rpa_bridge.transport.base import Effect, Request, Response, Transport
from rpa_bridge.transport.classify import Explanation
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.stack import Wiring, connect

from .resp import RespClient

CLOCK = SystemClock()
SEALING_KEY = b"a key for tests, of 32 bytes ..."


class Source:
    """Logs in with the secret; with `renews` only a refresh token does."""

    def __init__(self, login: Transport, secret: str) -> None:
        self._login, self._secret = login, secret

    async def fetch(self) -> Token:
        return await self._token(self._secret)

    async def _token(self, secret: str) -> Token:
        sent_at, sent_monotonic = CLOCK.now(), CLOCK.monotonic()
        headers = {"X-Process": str(os.getpid())}
        request = Request(
            "POST",
            "/token",
            effect=Effect.READ,
            operation="auth.login",
            json={"secret": secret},
            headers=headers,
            signed=False,
        )
        answer = json.loads((await self._login.send(request)).body)
        return token_from(
            answer["access_token"],
            lifetime=answer["expires_in"],
            default_lifetime=1800.0,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            refresh=answer.get("refresh_token"),
        )


class RenewingSource(Source):
    async def fetch(self) -> Token:
        raise AuthError("nobody is logged in")

    async def renew(self, refresh: SecretStr) -> Token:
        return await self._token(refresh.get_secret_value())


class NoLock:
    waits = Waits(0.005, 0.1, 25.0)

    async def acquire(self) -> bool:
        return True

    async def release(self) -> None:
        """Nobody is kept out."""


class _LeftLock:
    """A lock that stays when its holder dies; who waits for it gives up after a second."""

    waits = Waits(0.005, 0.1, 1.0)

    def __init__(self, path: Path) -> None:
        self._path = path

    async def acquire(self) -> bool:
        try:
            self._path.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    async def release(self) -> None:
        self._path.unlink()


class WithoutLocks(FileStore):
    """A control: files alone."""

    def lock(self, name: str) -> KeyLock:
        return NoLock()


class WithLocksThatStay(FileStore):
    """A control: what many programs do instead of asking the kernel."""

    def lock(self, name: str) -> KeyLock:
        return _LeftLock(self._directory / f"{name}.left")


def store_of(kind: str, folder: Path, redis_port: int) -> TokenStore:
    """One of the stores, or of the controls, that the harness names."""

    async def unlock(_: Path) -> Seal:
        return Seal(SEALING_KEY)

    if kind == "redis":
        return RedisStore(RespClient(redis_port), SEALING_KEY, MemoryStore(), CLOCK)
    stores: dict[str, TokenStore] = {
        "file": open_store(folder, CLOCK, CacheOptions(encryption="off")),
        "sealed": FileStore(folder / "tokens", CLOCK, unlock, sealed_only=True),
        "memory": MemoryStore(),
        "no locks": WithoutLocks(folder / "tokens", CLOCK),
        "locks that stay": WithLocksThatStay(folder / "tokens", CLOCK),
    }
    return stores[kind]


def key_of(url: str, secret: str) -> TokenKey:
    return TokenKey(adapter="test", token_url=f"{url}/token", secret=SecretStr(secret))


def explain(_request: Request, _answer: Response, body: Any) -> Explanation | None:
    """An unusable secret is answered with 400, as by OAuth. docs: RFC 6749, 5.2"""
    return Explanation("wrong secret", code=body["error"], kind=AuthError) if body and "error" in body else None


async def work(told: dict[str, Any]) -> dict[str, Any]:
    store = store_of(told["store"], Path(told["folder"]), told["redis_port"])
    wiring = Wiring(
        connection="test",
        base_url=told["url"],
        options=HttpOptions(),
        explain=explain,
        clock=CLOCK,
        random=random.Random(),  # noqa: S311 - jitter
        rate=None,
        cache_dir=None,
        token_store=store,
    )
    source = RenewingSource if told["renews"] else Source
    tokens, transport = connect(
        wiring, lambda login: source(login, told["secret"]), key_of(told["url"], told["secret"]), sign
    )
    served = refused = 0
    for _ in range(told["calls"]):
        try:
            await transport.send(Request("GET", "/work", effect=Effect.READ, operation="work"))
            served += 1
        except AuthError:
            refused += 1
    await transport.aclose()
    await store.aclose()
    return {"served": served, "refused": refused, "bypassed": tokens.counters.lock_bypassed}


def sign(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value.get_secret_value()}"}


def main() -> int:
    told = json.loads(sys.stdin.readline())
    gate, opened = os.pipe()
    children = [_fork(told, gate, opened) for _ in range(told["processes"])]
    os.close(gate)
    os.close(opened)
    return max(0 if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in {0, -9} else 1 for child in children)


def _fork(told: dict[str, Any], gate: int, opened: int) -> int:
    child = os.fork()
    return child or _be_a_child(told, gate, opened)


def _be_a_child(told: dict[str, Any], gate: int, opened: int) -> NoReturn:
    status = 1
    try:
        os.close(opened)
        os.read(gate, 1)  # ends when nobody holds the other end any more
        os.write(1, json.dumps(asyncio.run(work(told))).encode() + b"\n")
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it must be heard of
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
