"""Random days of three processes that share a store: whatever happens, nothing dead is served and no word is broken.

Each sequence is told by its seed: refusals, outages, Retry-After, clocks that are set, rejects, killed processes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rpa_bridge.auth.stores import MemoryStore
from rpa_bridge.auth.tokens import Freshness, Token, TokenCache, TokenKey
from rpa_bridge.errors import AuthError, ProtocolError, RateLimitedError, RemoteError, UnavailableError
from rpa_bridge.testing import ManualClock

if TYPE_CHECKING:
    from tests.unit.auth.conftest import NewPlatform, Platform

SEQUENCES, STEPS = 600, 50
LIFETIMES = (1.0, 60.0, 1800.0, 3600.0, 86_400.0, 604_800.0)
JUMPS = (1.0, -1.0, 59.0, -59.0, 61.0, -61.0, 3600.0, -3600.0, 3.15e8, -3.15e8)


class Strict:
    """A platform that keeps watch: who was told to wait, and asks all the same, is found out."""

    def __init__(self, inner: Platform) -> None:
        self._inner, self._clock = inner, inner.clock
        self.born: dict[str, float] = {}
        self.broken: list[float] = []
        """When somebody asked too early; raised here, it might be taken for one more failure in the background."""
        self._closed_until = 0.0

    async def fetch(self) -> Token:
        asked = self._clock.monotonic()
        if asked < self._closed_until - 0.001:
            self.broken.append(asked)
        try:
            token = await self._inner.fetch()
        except AuthError:
            self._closed_until = self._clock.monotonic() + 60.0
            raise
        except RemoteError as error:
            self._closed_until = self._clock.monotonic() + (error.retry_after or 0.0)
            raise
        self.born[token.value.get_secret_value()] = asked
        return token

    def forgive(self) -> None:
        """What was said counts no more: it was forgotten on purpose, or said by another time of day."""
        self._closed_until = 0.0


class Day:
    """Three caches on one store, and what may befall them."""

    def __init__(self, inner: Platform, key: TokenKey, rng: random.Random) -> None:
        self._inner, self._key, self._rng = inner, key, rng
        self._clock, self._platform, self._store = inner.clock, Strict(inner), MemoryStore()
        self._caches = [self._new() for _ in range(3)]
        self._served: list[Token] = []
        self._events: list[Callable[[], object]] = [*[self.get] * 6, *[self.time_passes] * 3, *[self.it_will_fail] * 2]
        self._events += [self.many_get, self.reject, self.forget, self.the_clock_is_set, self.restart, self.give_up]

    async def pass_by(self) -> int:
        for _ in range(STEPS):
            done = self._rng.choice(self._events)()
            if asyncio.iscoroutine(done):
                await done
            for _ in range(self._rng.choice([0, 8])):
                await asyncio.sleep(0)
        for cache in self._caches:
            await cache.aclose()
        assert not self._platform.broken
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return len(self._served)

    async def get(self, cache: TokenCache | None = None) -> None:
        try:
            token = await (cache or self._any()).get()
        except RemoteError:
            return
        assert self._clock.monotonic() - self._platform.born[token.value.get_secret_value()] < self._inner.lifetime
        assert token.freshness(self._clock.now(), self._clock.monotonic()) is not Freshness.DEAD
        self._served.append(token)

    async def many_get(self) -> None:
        await asyncio.gather(*(self.get(cache) for cache in self._caches for _ in range(5)))

    async def give_up(self) -> None:
        caller = asyncio.create_task(self.get())
        for _ in range(self._rng.randrange(4)):
            await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait({caller})
        assert caller.cancelled() or caller.exception() is None

    async def reject(self) -> None:
        if self._served:
            await self._any().reject(self._rng.choice(self._served[-5:]))

    async def forget(self) -> None:
        await self._any().forget()
        self._platform.forgive()

    async def restart(self) -> None:
        await self._caches.pop(0).aclose()
        self._caches.append(self._new())

    def time_passes(self) -> None:
        part = self._inner.lifetime * self._rng.choice([0.001, 0.05, 0.3, 0.6, 1.1])
        self._clock.advance(self._rng.choice([part, part, 1.0, 6.0, 61.0, 301.0]))

    def the_clock_is_set(self) -> None:
        self._clock.jump(self._rng.choice(JUMPS))
        self._platform.forgive()

    def it_will_fail(self) -> None:
        pause = self._rng.choice([None, 1.0, 30.0, 400.0])
        failures = (UnavailableError("down"), RateLimitedError("slow", retry_after=pause), AuthError("no"))
        self._inner.failures = self._rng.choices([*failures, ProtocolError("odd")], k=self._rng.randint(1, 4))

    def _new(self) -> TokenCache:
        return TokenCache(self._platform, self._key, self._clock, self._store, self._rng)

    def _any(self) -> TokenCache:
        return self._rng.choice(self._caches)


@pytest.mark.parametrize("lifetime", LIFETIMES)
def test_nothing_dead_is_served_and_no_word_is_broken_on_any_day(
    new_platform: NewPlatform, key: TokenKey, lifetime: float
) -> None:
    served = 0
    for seed in range(SEQUENCES // len(LIFETIMES)):
        inner = new_platform(ManualClock(), lifetime)
        day = Day(inner, key, random.Random(seed))  # noqa: S311 - days that repeat
        try:
            served += asyncio.run(day.pass_by())
        except AssertionError as broken:
            broken.add_note(f"seed {seed}")
            raise

    assert served > 1000
