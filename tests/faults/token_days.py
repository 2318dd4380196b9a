"""Rows 9 to 11 of the reliability targets: damaged files, clocks that are set, and lifetimes of all lengths.

As in `tokens`: each harness takes its size, and with `guard=False` it must fail.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from pydantic import SecretStr

from rpa_bridge.auth.file_store import FileStore
from rpa_bridge.auth.records import Record
from rpa_bridge.auth.stores import MemoryStore
from rpa_bridge.auth.token import Phases, Token, token_from
from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.clock import Clock
from rpa_bridge.testing import ManualClock

from .token_platform import GOOD
from .token_worker import key_of

KEY = key_of("https://example.test", GOOD)


class _Platform:
    """Gives tokens one after the other, and remembers when it gave each, by the one clock that nobody can set."""

    def __init__(self, real: ManualClock, clock: Clock, lifetime: float, owner: str = "own") -> None:
        self._real, self._clock, self._lifetime, self._owner = real, clock, lifetime, owner
        self.asked: list[float] = []

    async def fetch(self) -> Token:
        sent_at, sent_monotonic = self._clock.now(), self._clock.monotonic()
        self.asked.append(self._real.monotonic())
        return token_from(
            f"token-of-{self._owner}-{len(self.asked)}",
            lifetime=None,
            default_lifetime=self._lifetime,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
        )

    def born(self, token: Token) -> float:
        return self.asked[int(token.value.get_secret_value().rpartition("-")[2]) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What came of damaged files and of files under another's name."""

    exceptions: int
    foreign: int
    """Tokens handed out that belong to somebody else, or to nobody."""
    looked_at: int


class _Credulous(FileStore):
    """A control: believes what it reads, as long as it can be read."""

    def _read(self, name: str) -> Record:
        line = json.loads(self._path(name).read_bytes())["token"]
        obtained, expires = (datetime.fromisoformat(line[at]) for at in ("obtained_at", "expires_at"))
        return Record(token=Token(SecretStr(line["value"]), obtained, expires, line["obtained_monotonic"]))


def damaged_files(files: int = 300, swaps: int = 40, *, seed: int = 1, guard: bool = True) -> Damage:
    """Row 9: damaged cache files, and files swapped between tenants. 0 exceptions, 0 foreign tokens."""
    warned = logging.getLogger("rpa_bridge.auth")
    with tempfile.TemporaryDirectory() as folder, patch.object(warned, "disabled", new=True):
        return asyncio.run(_damage(Path(folder) / "tokens", files, swaps, seed, guard=guard))


async def _damage(directory: Path, files: int, swaps: int, seed: int, *, guard: bool) -> Damage:
    clock, rng = ManualClock(), random.Random(seed)  # noqa: S311 - damage that repeats
    store = (FileStore if guard else _Credulous)(directory, clock)
    keys = [replace(KEY, tenant=f"tenant-{number}") for number in range(max(2, swaps // 20))]
    paths, contents = [], []
    for number, key in enumerate(keys):
        name = await store.name(key)
        await store.save(name, Record(token=await _Platform(clock, clock, 3600.0, f"tenant-{number}").fetch()))
        paths.append(directory / f"{name}.json")
        contents.append(paths[-1].read_bytes())
    exceptions = foreign = 0
    for turn in range(files + swaps):
        mine = rng.randrange(len(keys))
        other = rng.choice([number for number in range(len(keys)) if number != mine])
        paths[mine].touch(mode=0o600)
        paths[mine].write_bytes(_damaged(contents[mine], rng) if turn < files else contents[other])
        platform = _Platform(clock, clock, 3600.0, f"tenant-{mine}")
        try:
            token = await TokenCache(platform, keys[mine], clock, store, rng).get()
        except Exception:  # noqa: BLE001 - whatever it is, it is what we count
            exceptions += 1
        else:
            foreign += token.value.get_secret_value() != f"token-of-tenant-{mine}-1"
    return Damage(exceptions=exceptions, foreign=foreign, looked_at=files + swaps)


def _damaged(whole: bytes, rng: random.Random) -> bytes:
    """The content cut, with a bit turned, with a piece doubled or lost, or replaced by noise."""
    start, end = sorted(rng.sample(range(1, len(whole)), 2))
    turned = bytes([whole[start] ^ (1 << rng.randrange(8))])
    turned_whole = whole[:start] + turned + whole[start + 1 :]
    pieces = [whole[:start], whole[start:], whole[:end] + whole[start:], whole[:start] + whole[end:]]
    return rng.choice([*pieces, turned_whole, turned_whole, rng.randbytes(end), b"[" * end, b""])


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumps:
    """What came of clocks that were set."""

    expired_sent: int
    storms: int
    """Sequences with more than two requests for each life of a token, beyond one for each jump."""
    served: int


class _OneClock:
    """A control: the time of day alone, as most programs have it."""

    def __init__(self, real: ManualClock) -> None:
        self._real = real

    def now(self) -> datetime:
        return self._real.now()

    def monotonic(self) -> float:
        return self._real.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


LIFETIMES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0, 86_400.0, 7 * 86_400.0, 30 * 86_400.0)
JUMPS = (1.0, 59.0, 61.0, 300.0, 3600.0, 86_400.0, 365 * 86_400.0, 3650 * 86_400.0)


def clock_jumps(sequences: int = 200, *, seed: int = 1, guard: bool = True) -> Jumps:
    """Row 10: clocks that are set by a second to ten years, both ways. 0 expired tokens sent, 0 storms."""
    rng = random.Random(seed)  # noqa: S311 - days that repeat
    each = [asyncio.run(_jumping(rng, guard=guard)) for _ in range(sequences)]
    return Jumps(
        expired_sent=sum(one.expired_sent for one in each),
        storms=sum(one.storms for one in each),
        served=sum(one.served for one in each),
    )


async def _jumping(rng: random.Random, *, guard: bool) -> Jumps:
    real, lifetime = ManualClock(), rng.choice(LIFETIMES)
    clock: Clock = real if guard else _OneClock(real)
    platform = _Platform(real, clock, lifetime)
    expired = served = jumps = 0
    lives = 0.0
    async with _cache(platform, clock, rng) as cache:
        for _ in range(30):
            step = rng.uniform(0.001, 0.3)
            lives += step
            real.advance(lifetime * step)
            if rng.random() < 0.5:
                jumps += 1
                real.jump(rng.choice([1, -1]) * rng.choice(JUMPS))
            for _ in range(3):
                token = await cache.get()
                served += 1
                expired += real.monotonic() - platform.born(token) >= lifetime
                await _settle()
    storm = len(platform.asked) > 1 + 2 * lives + jumps
    return Jumps(expired_sent=expired, storms=int(storm), served=served)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """How often tokens of one lifetime were renewed."""

    lifetime: float
    most_in_a_life: int
    """Renewals within one token's life."""
    tokens: int
    expired_sent: int


def renewals_per_life(lives: int = 5, *, seed: int = 1, guard: bool = True) -> list[Lives]:
    """Row 11: lifetimes of a second to 30 days. At most 1 renewal in each life; a fixed hour of leeway fails."""
    rng = random.Random(seed)  # noqa: S311 - lives that repeat
    if guard:
        return [asyncio.run(_living(lifetime, lives, rng)) for lifetime in LIFETIMES]
    with patch.object(Phases, "of", lambda lifetime, _ahead: Phases(lifetime - 3600.0, lifetime - 3600.0, lifetime)):
        return [asyncio.run(_living(lifetime, lives, rng)) for lifetime in LIFETIMES]


async def _living(lifetime: float, lives: int, rng: random.Random) -> Lives:
    clock = ManualClock()
    platform = _Platform(clock, clock, lifetime)
    expired = 0
    async with _cache(platform, clock, rng) as cache:
        for _ in range(200 * lives):
            token = await cache.get()
            expired += clock.monotonic() - platform.born(token) >= lifetime
            await _settle()
            clock.advance(lifetime / 200)
    asked = platform.asked
    most = max(sum(born < later <= born + lifetime for later in asked) for born in asked)
    return Lives(lifetime=lifetime, most_in_a_life=most, tokens=len(asked), expired_sent=expired)


@asynccontextmanager
async def _cache(platform: _Platform, clock: Clock, rng: random.Random) -> AsyncIterator[TokenCache]:
    cache = TokenCache(platform, KEY, clock, MemoryStore(), rng)
    yield cache
    await cache.aclose()


async def _settle() -> None:
    """Lets a renewal behind the caller's back end."""
    for _ in range(6):
        await asyncio.sleep(0)
