"""Tokens in Redis: how long they lie there, who may release a lock, and what happens when Redis does not answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import SecretStr

from rpa_bridge.auth import redis_store
from rpa_bridge.auth.file_store import FileStore
from rpa_bridge.auth.records import EMPTY, Record
from rpa_bridge.auth.redis_store import LOCK, RECORD, Redis, RedisStore, connect
from rpa_bridge.auth.stores import TokenStore
from rpa_bridge.auth.tokens import Token, TokenKey
from rpa_bridge.testing import ManualClock
from tests.faults.resp import RespClient, RespServer

if TYPE_CHECKING:
    from tests.unit.auth.conftest import NewCache, Platform

KEY, OTHER_KEY = b"k" * 32, b"o" * 32

Open = Callable[..., RedisStore]
"""Opens the store as one more process of this machine would; `key` is the key for sealing."""


@pytest.fixture
async def server(clock: ManualClock) -> AsyncIterator[RespServer]:
    async with RespServer(lambda: clock.now().timestamp()) as running:
        yield running


@pytest.fixture
def spare(tmp_path: Path, clock: ManualClock) -> Callable[[], TokenStore]:
    return lambda: FileStore(tmp_path / "tokens", clock)


@pytest.fixture(params=["the package", "a connection for each command"])
async def open_redis(
    request: pytest.FixtureRequest, server: RespServer, clock: ManualClock, spare: Callable[[], TokenStore]
) -> AsyncIterator[Open]:
    clients: list[Redis] = []

    def open_one(key: bytes = KEY) -> RedisStore:
        of_package = request.param == "the package"
        clients.append(connect("127.0.0.1", server.port, 0, tls=False) if of_package else RespClient(server.port))
        return RedisStore(clients[-1], key, spare(), clock)

    yield open_one
    for client in clients:
        await client.aclose()


@pytest.fixture
def record(clock: ManualClock) -> Record:
    now = clock.now()
    return Record(token=Token(SecretStr("token-in-redis"), now, now + timedelta(hours=1), clock.monotonic()))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


async def test_a_record_lies_there_until_the_last_of_it_ends(
    open_redis: Open, server: RespServer, key: TokenKey, record: Record, clock: ManualClock
) -> None:
    store = open_redis()
    name = await store.name(key)

    await store.save(name, record)
    assert server.values[RECORD + name][1] == int((clock.now() + timedelta(hours=1)).timestamp() * 1000)
    await store.save(name, replace(record, refresh=SecretStr("good-for-longer"), refresh_until=None))
    assert (await store.load(name)).refresh is not None
    await store.save(name, EMPTY)
    assert not server.values


async def test_a_lock_ends_by_itself_and_its_old_holder_cannot_release_the_next_ones(
    open_redis: Open, server: RespServer, key: TokenKey, clock: ManualClock
) -> None:
    store, other = open_redis(), open_redis()
    name = await store.name(key)
    await other.name(key)
    dead, heir = store.lock(name), other.lock(name)
    assert await dead.acquire()
    clock.advance(29.9)
    assert not await heir.acquire()

    clock.advance(0.1)
    assert await heir.acquire()
    await dead.release()

    assert LOCK + name in server.values, "the heir still holds it"
    await heir.release()
    assert LOCK + name not in server.values


async def test_who_waits_for_a_lock_looks_every_50_to_250_milliseconds_and_outlives_the_dead(
    open_redis: Open, new_cache: NewCache, key: TokenKey, platform: Platform, clock: ManualClock
) -> None:
    store, follower = open_redis(), new_cache(open_redis())
    dead = store.lock(await store.name(key))
    assert await dead.acquire()

    await follower.get()

    assert all(0.05 <= pause <= 0.25 for pause in clock.slept)
    assert 29.0 < sum(clock.slept) < 31.0
    assert follower.counters.lock_bypassed == 0
    assert len(platform.asked) == 1


async def test_who_is_cancelled_while_he_asks_for_a_lock_does_not_keep_it(
    open_redis: Open, server: RespServer, key: TokenKey
) -> None:
    store = open_redis()
    lock = store.lock(await store.name(key))
    asking = asyncio.create_task(lock.acquire())
    while not server.values:  # noqa: ASYNC110 - the server is another party
        await asyncio.sleep(0)

    asking.cancel()
    await asyncio.wait({asking})

    assert asking.cancelled()
    assert not server.values


async def test_a_record_sealed_with_another_key_is_a_miss(
    open_redis: Open, server: RespServer, key: TokenKey, record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    store, stranger = open_redis(), open_redis(OTHER_KEY)
    name = await store.name(key)
    await store.save(name, record)
    foreign = await stranger.name(key)
    server.values[RECORD + foreign] = server.values[RECORD + name]

    assert foreign != name
    assert await stranger.load(foreign) == EMPTY
    assert await stranger.load(foreign) == EMPTY
    assert len(warnings(caplog)) == 1
    assert await store.load(name) == record


@pytest.mark.parametrize("fails", ["cut", "hang", "error"])
async def test_while_redis_fails_the_files_of_this_machine_are_shared(
    open_redis: Open,
    spare: Callable[[], TokenStore],
    server: RespServer,
    new_cache: NewCache,
    key: TokenKey,
    platform: Platform,
    fails: Literal["cut", "hang", "error"],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_store, "PATIENCE", 0.2)
    server.fails = fails
    stores = [open_redis() for _ in range(3)]

    tokens = await asyncio.gather(*(new_cache(store).get() for store in stores for _ in range(4)))

    assert len({token.fingerprint for token in tokens}) == 1
    assert len(platform.asked) == 1
    assert {store.place(await store.name(key)) for store in stores} == {"file"}
    assert sum("Redis cannot be used" in one for one in warnings(caplog)) == 3, "one for each process"
    assert (await spare().load(await spare().name(key))).token == tokens[0]
    asked = len(server.commands)
    await new_cache(stores[0]).get()
    assert len(server.commands) == asked, "it is left alone for a while"


async def test_without_redis_and_without_a_disk_there_is_memory(
    open_redis: Open, server: RespServer, new_cache: NewCache, key: TokenKey, platform: Platform, tmp_path: Path
) -> None:
    server.fails = "cut"
    (tmp_path / "tokens").write_text("a file where the folder should be")
    store = open_redis()

    for _ in range(3):
        await new_cache(store).get()

    assert store.place(await store.name(key)) == "memory"
    assert len(platform.asked) == 1


async def test_what_redis_missed_it_is_told_when_it_is_back(
    open_redis: Open,
    spare: Callable[[], TokenStore],
    server: RespServer,
    key: TokenKey,
    record: Record,
    clock: ManualClock,
) -> None:
    store, elsewhere = open_redis(), open_redis()
    name = await store.name(key)
    await elsewhere.name(key)
    await store.save(name, replace(record, refresh=SecretStr("refresh-that-is-spent")))
    renewed = replace(record, refresh=SecretStr("refresh-that-is-good"))
    server.fails = "error"
    await store.save(name, renewed)
    server.fails = ""
    assert (await store.load(name)).refresh == renewed.refresh, "from the file"

    clock.advance(31.0)

    assert (await store.load(name)).refresh == renewed.refresh
    assert (await elsewhere.load(name)).refresh == renewed.refresh
    assert await spare().load(await spare().name(key)) == EMPTY
    assert store.place(name) == "redis"


async def test_a_store_that_is_closed_closes_its_client(clock: ManualClock, spare: Callable[[], TokenStore]) -> None:
    client = RespClient(1)

    await RedisStore(client, KEY, spare(), clock).aclose()

    assert client.closed
