"""What every store does, whatever it keeps its records in: memory, files, sealed files, Redis."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.file_store import FileStore
from rpa_bridge.auth.records import EMPTY, Record, Refusal
from rpa_bridge.auth.redis_store import RECORD, RedisStore
from rpa_bridge.auth.sealing import Seal
from rpa_bridge.auth.stores import MemoryStore, Place, TokenStore
from rpa_bridge.auth.tokens import Token, TokenCache, TokenKey
from rpa_bridge.errors import AuthError
from rpa_bridge.testing import ManualClock
from tests.faults.resp import RespClient, RespServer

if TYPE_CHECKING:
    from tests.unit.auth.conftest import NewCache, Platform

KEY = b"k" * 32


class Shared:
    """One place for records: opened once more as another process would, and its raw content."""

    place: Place

    def open(self) -> TokenStore:
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        raise NotImplementedError

    def write(self, name: str, content: bytes) -> None:
        raise NotImplementedError


class InMemory(Shared):
    place = "memory"

    def __init__(self) -> None:
        self._store = MemoryStore()

    def open(self) -> TokenStore:
        return self._store


class InFiles(Shared):
    place = "file"

    def __init__(self, directory: Path, clock: ManualClock, *, sealed: bool) -> None:
        self._directory, self._clock, self._sealed = directory, clock, sealed

    def open(self) -> TokenStore:
        async def unlock(_: Path) -> Seal:
            return Seal(KEY)

        return FileStore(self._directory, self._clock, unlock if self._sealed else None, sealed_only=self._sealed)

    def read(self, name: str) -> bytes:
        return (self._directory / f"{name}.json").read_bytes()

    def write(self, name: str, content: bytes) -> None:
        path = self._directory / f"{name}.json"
        path.touch(mode=0o600)
        path.write_bytes(content)


class InRedis(Shared):
    place = "redis"

    def __init__(self, server: RespServer, clock: ManualClock) -> None:
        self._server, self._clock = server, clock

    def open(self) -> TokenStore:
        return RedisStore(RespClient(self._server.port), KEY, MemoryStore(), self._clock)

    def read(self, name: str) -> bytes:
        return self._server.values[RECORD + name][0]

    def write(self, name: str, content: bytes) -> None:
        self._server.values[RECORD + name] = (content, None)


class Unhurried(ManualClock):
    """Ten who wait pass 25 seconds in as many rounds; a busy disk is given time to write in them."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01)
        await super().sleep(seconds)


@pytest.fixture
def clock() -> ManualClock:
    return Unhurried()


ON_DISK = ["file", "sealed", "redis"]
ALL = ["memory", *ON_DISK]


@pytest.fixture
async def shared(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Shared]:
    async with RespServer(lambda: clock.now().timestamp()) as server:
        kinds: dict[str, Callable[[], Shared]] = {
            "memory": InMemory,
            "file": lambda: InFiles(tmp_path / "tokens", clock, sealed=False),
            "sealed": lambda: InFiles(tmp_path / "tokens", clock, sealed=True),
            "redis": lambda: InRedis(server, clock),
        }
        yield kinds[request.param]()


@pytest.fixture
def record(clock: ManualClock) -> Record:
    now = clock.now()
    value = SecretStr("token-of-the-record")
    return Record(
        token=Token(value, now, now + timedelta(hours=1), clock.monotonic(), ("read",), {"organization": "acme"}),
        refusal=Refusal(2, now + timedelta(seconds=120), 400, "invalid_client"),
        not_before=now + timedelta(seconds=30),
        renewals=(now - timedelta(seconds=10), now),
        refresh=SecretStr("refresh-of-the-record"),
    )


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_a_record_comes_back_whole_in_another_process(shared: Shared, key: TokenKey, record: Record) -> None:
    store, other = shared.open(), shared.open()
    name = await store.name(key)
    await store.save(name, record)

    assert await other.name(key) == name
    assert await other.load(name) == record
    assert other.place(name) == shared.place
    assert await other.load(await other.name(replace(key, secret=SecretStr("a-changed-secret")))) == EMPTY


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_a_removed_record_is_gone_for_all(shared: Shared, key: TokenKey, record: Record) -> None:
    store, other = shared.open(), shared.open()
    name = await store.name(key)
    await store.save(name, record)

    await other.remove(await other.name(key))
    await other.remove(name)

    assert await store.load(name) == EMPTY


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_a_lock_has_one_holder_and_goes_to_the_next(shared: Shared, key: TokenKey) -> None:
    store, other = shared.open(), shared.open()
    mine, theirs = store.lock(await store.name(key)), other.lock(await other.name(key))
    elsewhere = other.lock(await other.name(replace(key, tenant="another")))

    assert await mine.acquire()
    assert not await theirs.acquire()
    assert await elsewhere.acquire(), "every key has its own"
    await mine.release()
    assert await theirs.acquire()
    assert not await mine.acquire()
    await theirs.release()
    await elsewhere.release()


@pytest.mark.parametrize(
    ("shared", "shows"), [("file", True), ("sealed", False), ("redis", False)], indirect=["shared"]
)
async def test_what_is_sealed_shows_nothing(shared: Shared, key: TokenKey, record: Record, shows: bool) -> None:
    store = shared.open()
    name = await store.name(key)
    await store.save(name, record)
    raw = shared.read(name)

    assert all((text in raw) is shows for text in (b"token-of-the-record", b"refresh-of", b"acme"))
    assert b"client-secret" not in raw


@pytest.mark.parametrize("shared", ON_DISK, indirect=True)
async def test_hundreds_of_damaged_records_never_give_anything_but_the_truth(
    shared: Shared, key: TokenKey, record: Record
) -> None:
    store = shared.open()
    name = await store.name(key)
    await store.save(name, record)
    whole = shared.read(name)
    rng = random.Random(20301)  # noqa: S311 - damage that repeats

    misses = 0
    for _ in range(500):
        shared.write(name, damaged(whole, rng))
        loaded = await store.load(name, locked=True)
        assert loaded in {EMPTY, record}
        misses += loaded == EMPTY
    shared.write(name, whole)

    assert misses > 450, "a piece that stands there twice does no harm"
    assert await store.load(name) == record, "undamaged it would have been read"


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """The content cut, with a bit turned, with a piece doubled or lost, or replaced by noise."""
    start, end = sorted(rng.sample(range(1, len(whole)), 2))
    turned = bytes([whole[start] ^ (1 << rng.randrange(8))])
    return rng.choice(
        [
            whole[:start],
            whole[start:],
            whole[:start] + turned + whole[start + 1 :],
            whole[:end] + whole[start:],
            whole[:start] + whole[end:],
            whole + whole,
            rng.randbytes(end),
            b"[" * end,
            b"",
        ]
    )


@pytest.mark.parametrize("shared", ON_DISK, indirect=True)
async def test_a_record_under_another_name_is_never_taken_for_ones_own(
    shared: Shared, key: TokenKey, record: Record
) -> None:
    store = shared.open()
    names = [await store.name(replace(key, tenant=f"tenant-{number}")) for number in range(40)]
    for name in names:
        await store.save(name, record)
    contents = [shared.read(name) for name in names]

    for name, foreign in zip(names, [*contents[1:], contents[0]], strict=True):
        shared.write(name, foreign)
        assert await store.load(name) == EMPTY
    for name, own in zip(names, contents, strict=True):
        shared.write(name, own)
        assert await store.load(name) == record


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_ten_processes_with_ten_callers_each_make_one_request(
    shared: Shared, new_cache: NewCache, platform: Platform, clock: ManualClock
) -> None:
    caches = [new_cache(shared.open()) for _ in range(10)]

    tokens = await asyncio.gather(*(cache.get() for cache in caches for _ in range(10)))
    assert len({token.fingerprint for token in tokens}) == 1
    assert len(platform.asked) == 1

    clock.advance(10.0)
    await asyncio.gather(*(cache.reject(tokens[0]) for cache in caches))
    renewed = await asyncio.gather(*(cache.get() for cache in caches for _ in range(10)))
    assert len({token.fingerprint for token in renewed} | {tokens[0].fingerprint}) == 2
    assert len(platform.asked) == 2


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_a_bad_secret_is_remembered_by_all(shared: Shared, new_cache: NewCache, platform: Platform) -> None:
    platform.failures = [AuthError("wrong secret", status=400, code="invalid_client")]
    caches = [new_cache(shared.open()) for _ in range(10)]

    refused = await asyncio.gather(*(cache.get() for cache in caches), return_exceptions=True)

    assert {type(one) for one in refused} == {AuthError}
    assert len(platform.asked) == 1


async def second_refusal(cache: TokenCache, clock: ManualClock) -> None:
    """What happens when the platform refuses a token, and the one that replaces it."""
    clock.advance(10.0)
    await cache.reject(await cache.get())
    await cache.bar(await cache.get())


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_after_a_second_refusal_no_token_is_given_out_for_a_minute(
    shared: Shared, new_cache: NewCache, key: TokenKey, platform: Platform, clock: ManualClock
) -> None:
    cache, other = new_cache(shared.open()), new_cache(shared.open())
    await cache.get()
    await second_refusal(cache, clock)

    for one in (cache, other):
        with pytest.raises(AuthError, match="gives tokens and then refuses them"):
            await one.get()
    assert len(platform.asked) == 2
    changed = new_cache(shared.open(), key=replace(key, secret=SecretStr("a-changed-secret")))
    assert (await changed.get()).value.get_secret_value() == "token-number-3", "another secret is another log-in"

    clock.advance(61.0)
    assert (await cache.get()).value.get_secret_value() == "token-number-4"


async def test_a_second_refusal_waits_for_nobody(
    new_cache: NewCache, key: TokenKey, platform: Platform, clock: ManualClock
) -> None:
    store = MemoryStore()
    cache = new_cache(store)
    token = await cache.get()
    assert await store.lock(await store.name(key)).acquire()

    await cache.bar(token)

    assert not clock.slept
    assert (await cache.status()).state == "absent"


@pytest.mark.parametrize("shared", ALL, indirect=True)
async def test_a_second_refusal_does_not_stop_those_who_have_a_newer_token(
    shared: Shared, new_cache: NewCache, platform: Platform, clock: ManualClock
) -> None:
    cache, other = new_cache(shared.open()), new_cache(shared.open())
    old = await cache.get()
    await other.fetch_anew()

    await cache.bar(old)

    assert (await cache.get()).value == (await other.get()).value
    assert len(platform.asked) == 2
    assert other.counters.token_requests == {"forced": 1}
