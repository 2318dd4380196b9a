"""A platform that gives tokens, and a cache in front of it; time is moved by hand."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.caching import CacheOptions, open_store
from rpa_bridge.auth.stores import MemoryStore, TokenStore
from rpa_bridge.auth.tokens import Token, TokenCache, TokenKey, token_from
from rpa_bridge.errors import AuthError, Delivery
from rpa_bridge.testing import ManualClock


class Platform:
    """A token endpoint: gives token-number-1, -2, -3, remembers when it was asked, and fails as it is told."""

    def __init__(self, clock: ManualClock, lifetime: float = 3600.0) -> None:
        self.clock, self.lifetime = clock, lifetime
        self.asked: list[float] = []
        """When each request came, on the monotonic clock."""
        self.failures: list[Exception] = []
        """Raised by the next requests, one each."""
        self.stubborn = False
        """True: it gives the first token again and again."""
        self.open = asyncio.Event()
        """Cleared: requests wait until it is set."""
        self.open.set()

    async def fetch(self) -> Token:
        sent_at, sent_monotonic = self.clock.now(), self.clock.monotonic()
        self.asked.append(sent_monotonic)
        number = 1 if self.stubborn else len(self.asked)
        await self.open.wait()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return token_from(
            f"token-number-{number}",
            lifetime=None,
            default_lifetime=self.lifetime,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            scopes=("read",),
        )


class Rotating(Platform):
    """A platform where a person logs in once: each refresh token, refresh-number-1, -2, -3, is good for one renewal.

    Without one nobody gets a token. `failures` come before a refresh token is looked at, `lost` after it is spent.
    """

    def __init__(self, clock: ManualClock, lifetime: float = 3600.0) -> None:
        super().__init__(clock, lifetime)
        self.good: set[str] = set()
        self.sent: list[str] = []
        """The refresh token of each renewal."""
        self.lost: list[Exception] = []
        """Raised by the next renewals in place of their answers, one each."""
        self.rotates = True
        self.given = 0

    async def fetch(self) -> Token:
        raise AuthError("nobody is logged in; run `rpa-bridge auth login erp`", delivery=Delivery.NOT_SENT)

    def log_in(self) -> Token:
        """What a person's log-in gives."""
        return self._token(self.clock.now(), self.clock.monotonic(), rotates=True)

    async def renew(self, refresh: SecretStr) -> Token:
        sent_at, sent_monotonic = self.clock.now(), self.clock.monotonic()
        self.sent.append(refresh.get_secret_value())
        await self.open.wait()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        if refresh.get_secret_value() not in self.good:
            raise AuthError("the log-in has ended", status=400, code="invalid_grant")
        if self.rotates:
            self.good.clear()
        token = self._token(sent_at, sent_monotonic, rotates=self.rotates)
        if self.lost:
            raise self.lost.pop(0)
        return token

    def _token(self, sent_at: datetime, sent_monotonic: float, *, rotates: bool) -> Token:
        self.given += 1
        refresh = f"refresh-number-{self.given}" if rotates else None
        self.good |= {refresh} if refresh else set()
        return token_from(
            f"token-number-{self.given}",
            lifetime=None,
            default_lifetime=self.lifetime,
            sent_at=sent_at,
            sent_monotonic=sent_monotonic,
            refresh=refresh,
            refresh_lifetime=60 * 86_400.0,
        )


NewCache = Callable[..., TokenCache]
"""Makes one more cache, as another process would have it; `store` is its own unless given."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


NewPlatform = Callable[[ManualClock, float], Platform]
"""Makes a platform whose tokens live so many seconds."""


@pytest.fixture(scope="session")
def new_platform() -> NewPlatform:
    return Platform


NewRotating = Callable[[ManualClock], Rotating]
"""Makes a platform with refresh tokens."""


@pytest.fixture(scope="session")
def new_rotating() -> NewRotating:
    return Rotating


@pytest.fixture
def platform(clock: ManualClock) -> Platform:
    return Platform(clock)


@pytest.fixture
def rotating(clock: ManualClock) -> Rotating:
    return Rotating(clock)


@pytest.fixture
def key() -> TokenKey:
    return TokenKey(
        adapter="test", token_url="https://example.test/token", client_id="me", secret=SecretStr("client-secret-4711")
    )


@pytest.fixture
def file_store(tmp_path: Path, clock: ManualClock) -> Callable[[], TokenStore]:
    """Opens the store in one folder once more, as another process would."""
    return lambda: open_store(tmp_path / "cache", clock, CacheOptions(encryption="off"))


@pytest.fixture
def new_cache(platform: Platform, key: TokenKey, clock: ManualClock) -> NewCache:
    def make(
        store: TokenStore | None = None,
        *,
        source: Platform = platform,
        key: TokenKey = key,
        clock: ManualClock = clock,
    ) -> TokenCache:
        return TokenCache(source, key, clock, store or MemoryStore(), random.Random(7))  # noqa: S311 - jitter that repeats

    return make
