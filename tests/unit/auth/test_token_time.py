"""Whole lives of tokens, with clocks that jump: nothing dead is served, nothing is renewed more often than it must."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from rpa_bridge.auth.stores import MemoryStore
from rpa_bridge.auth.tokens import Freshness, Token, TokenCache, TokenKey
from rpa_bridge.testing import ManualClock

if TYPE_CHECKING:
    from tests.unit.auth.conftest import NewPlatform, Platform

KEY = TokenKey(adapter="test", token_url="https://example.test/token", secret=SecretStr("client-secret-4711"))
YEARS = 10 * 365 * 86_400.0
LIFETIMES = st.one_of(st.sampled_from([1.0, 60.0, 1800.0, 3600.0, 86_400.0]), st.floats(1.0, 30 * 86_400.0))


async def served(cache: TokenCache, clock: ManualClock) -> Token:
    """A token that is good now; whatever runs behind it has run."""
    token = await cache.get()
    assert token.freshness(clock.now(), clock.monotonic()) is not Freshness.DEAD
    for _ in range(10):
        await asyncio.sleep(0)
    return token


def cache_of(platform: Platform, seed: int) -> TokenCache:
    return TokenCache(platform, KEY, platform.clock, MemoryStore(), random.Random(seed))  # noqa: S311 - jitter


@settings(deadline=None, max_examples=150)
@given(
    lifetime=LIFETIMES,
    seed=st.integers(0, 2**32),
    steps=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=60),
)
def test_a_token_of_any_lifetime_is_renewed_at_most_once_in_its_life(
    new_platform: NewPlatform, lifetime: float, seed: int, steps: list[float]
) -> None:
    async def live() -> list[float]:
        clock = ManualClock()
        platform = new_platform(clock, lifetime)
        cache = cache_of(platform, seed)
        for step in steps:
            await served(cache, clock)
            clock.advance(lifetime * step)
        await cache.aclose()
        return platform.asked

    asked = asyncio.run(live())

    assert all(later - earlier >= 0.549 * lifetime for earlier, later in pairwise(asked))
    assert all(after - born > lifetime for born, after in zip(asked, asked[2:], strict=False))


@settings(deadline=None, max_examples=150)
@given(
    lifetime=LIFETIMES,
    seed=st.integers(0, 2**32),
    jumps=st.lists(
        st.tuples(
            st.floats(0.001, 0.3),
            st.one_of(
                st.just(0.0), st.floats(-YEARS, YEARS), st.sampled_from([-3600.0, -61.0, -1.0, 1.0, 61.0, 3600.0])
            ),
        ),
        min_size=1,
        max_size=40,
    ),
)
def test_jumps_of_the_clock_serve_nothing_dead_and_start_no_storm(
    new_platform: NewPlatform, lifetime: float, seed: int, jumps: list[tuple[float, float]]
) -> None:
    async def live() -> int:
        clock = ManualClock()
        platform = new_platform(clock, lifetime)
        cache = cache_of(platform, seed)
        for step, jump in jumps:
            clock.advance(lifetime * step)
            clock.jump(jump)
            for _ in range(5):
                token = await served(cache, clock)
                number = int(token.value.get_secret_value().rpartition("-")[2])
                assert clock.monotonic() - platform.asked[number - 1] < lifetime, "the platform knows no other clock"
        await cache.aclose()
        return len(platform.asked)

    lives = sum(step for step, _ in jumps)
    times_jumped = sum(jump != 0.0 for _, jump in jumps)

    assert asyncio.run(live()) <= 1 + lives / 0.549 + times_jumped


def test_a_clock_set_back_does_not_lengthen_a_life(new_platform: NewPlatform) -> None:
    async def live() -> list[float]:
        clock = ManualClock()
        platform = new_platform(clock, 3600.0)
        cache = cache_of(platform, 1)
        for _ in range(120):
            await served(cache, clock)
            clock.advance(60.0)
            clock.jump(-60.0)
        await cache.aclose()
        return platform.asked

    asked = asyncio.run(live())

    assert 3 <= len(asked) <= 4
