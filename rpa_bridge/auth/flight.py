"""One renewal of one token: who may ask the platform, when, and how often. Nobody else may ask meanwhile."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from rpa_bridge.clock import Clock
from rpa_bridge.errors import (
    AuthError,
    Delivery,
    DeniedError,
    InvalidError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)

from .records import Record
from .stores import TokenStore
from .token import Freshness, Token, TokenSource

LOG = logging.getLogger("rpa_bridge.auth")

LOCK_PATIENCE = 25.0
"""Seconds to wait for the lock; after that the platform is asked without it."""
HOLD = 20.0
"""Seconds that one process may take to get a token, all its attempts together."""
ATTEMPTS = 3
LEAST_TIME = 1.0
"""Seconds that must remain for an attempt to be worth it."""
FIRST_PAUSE = 0.5
SHORTEST_POLL, LONGEST_POLL = 0.005, 0.1
MOST_RENEWALS = 3
"""Tokens that the platform may refuse in five minutes before it is left alone."""
OPERATION = "auth.login"

REFUSALS = (AuthError, DeniedError, InvalidError)
"""Answers that asking again cannot mend: they are remembered."""
PASSING = (RateLimitedError, UnavailableError)
"""Failures after which the next attempt may do better. A token request may be repeated: it spends nothing."""

Reason = Literal["absent", "aging", "stale", "rejected"]
_CODE = re.compile(r"[\w.:/-]{1,64}", re.ASCII)


@dataclass(slots=True)
class TokenCounters:
    """What a cache did so far."""

    token_requests: Counter[str] = field(default_factory=Counter)
    """Requests to the platform: absent, aging, stale, rejected."""
    cache_hits: Counter[str] = field(default_factory=Counter)
    """Tokens that were there already: memory, file."""
    lock_bypassed: int = 0
    """Renewals without the lock, because its holder took too long."""
    wait_seconds: float = 0.0
    """Time that callers spent waiting for a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """Gets a better token for one key: from the store if somebody was faster, else from the platform."""

    source: TokenSource
    name: str
    clock: Clock
    store: TokenStore
    random: random.Random
    counters: TokenCounters
    accepts: Callable[[Token], bool]
    """Whether a kept token will do."""
    rejected: Callable[[Token], bool]
    """Whether the platform refused this token."""

    async def land(self, reason: Reason) -> Token:
        """The better token. Raises RemoteError when the platform gives none, or may not be asked now."""
        lock = self.store.lock(self.name)
        deadline = self.clock.monotonic() + LOCK_PATIENCE
        poll = SHORTEST_POLL
        while not lock.acquire():
            record = self.store.load(self.name)
            if (found := self._found(record)) is not None:
                return found
            if self.clock.monotonic() >= deadline:
                self.counters.lock_bypassed += 1
                LOG.warning("another process takes too long to log in; this one logs in beside it")
                return await self._renew(record, reason)
            await self.clock.sleep(poll * self.random.uniform(0.5, 1.0))
            poll = min(poll * 1.5, LONGEST_POLL)
        try:
            record = self.store.load(self.name, locked=True)
            return self._found(record) or await self._renew(record, reason)
        finally:
            lock.release()

    def _found(self, record: Record) -> Token | None:
        """A kept token that will do. Raises the remembered refusal when there is none and it is in force."""
        token = record.token
        if token is not None and self.accepts(token) and not self.rejected(token):
            self.counters.cache_hits[self.store.place(self.name)] += 1
            return token
        if (refusal := record.refusal_now(self.clock.now())) is None:
            return None
        code = f" ({refusal.code})" if refusal.code else ""
        raise AuthError(
            f"{OPERATION}: the platform refused this log-in{code} and is not asked again until "
            f"{refusal.until:%H:%M:%S} UTC; correct the credentials in the settings, or run `rpa-bridge auth clear` "
            f"to ask at once",
            status=refusal.status,
            code=refusal.code,
            operation=OPERATION,
            delivery=Delivery.NOT_SENT,
        )

    async def _renew(self, record: Record, reason: Reason) -> Token:
        deadline = self.clock.monotonic() + HOLD
        if record.token is not None and self.rejected(record.token):
            reason, record = "rejected", self._without_token(record)
            await self.store.save(self.name, record)
        await self._wait_as_told(record, deadline)
        return await self._ask(record, reason, deadline)

    def _without_token(self, record: Record) -> Record:
        """The record without the refused token. Raises AuthError when too many were refused of late."""
        now = self.clock.now()
        if len(record.recent_renewals(now)) >= MOST_RENEWALS:
            raise AuthError(
                f"{OPERATION}: the platform refused {MOST_RENEWALS} renewed tokens within five minutes, so no more are "
                f"asked for; check that this identity may use the platform, and this machine's clock",
                operation=OPERATION,
                delivery=Delivery.NOT_SENT,
            )
        return record.with_renewal(now)

    async def _wait_as_told(self, record: Record, deadline: float) -> None:
        """Obeys the platform's Retry-After, whichever process heard it. Raises RateLimitedError when it is too long."""
        pause = record.pause_now(self.clock.now())
        if not self._is_time_for(pause, deadline):
            raise RateLimitedError(
                f"{OPERATION}: the platform wants no log-in for another {pause:.0f} seconds; try again then",
                operation=OPERATION,
                retry_after=pause,
                delivery=Delivery.NOT_SENT,
            )
        if pause > 0:
            await self.clock.sleep(pause)

    async def _ask(self, record: Record, reason: Reason, deadline: float) -> Token:
        """What the platform gives, in up to three attempts; what it says is saved for all."""
        attempt = 1
        while True:
            self.counters.token_requests[reason] += 1
            try:
                token = await self._fetch(deadline)
            except REFUSALS as error:
                refused = record.with_refusal(self.clock.now(), error.status, _code_of(error))
                await self.store.save(self.name, refused)
                raise
            except PASSING as error:
                error.attempts = attempt
                if error.retry_after is not None:
                    record = record.with_pause(self.clock.now(), error.retry_after)
                    await self.store.save(self.name, record)
                pause = self._pause_after(attempt, error)
                if attempt == ATTEMPTS or not self._is_time_for(pause, deadline):
                    raise
                LOG.info("log-in attempt %d failed (%s), trying again in %.1f s", attempt, type(error).__name__, pause)
                await self.clock.sleep(pause)
                attempt += 1
            else:
                await self.store.save(self.name, record.with_token(token))
                return token

    async def _fetch(self, deadline: float) -> Token:
        try:
            async with asyncio.timeout(deadline - self.clock.monotonic()):
                token = await self.source.fetch()
        except TimeoutError:
            raise UnavailableError(
                f"{OPERATION}: the platform did not answer the log-in in time; is it reachable?", operation=OPERATION
            ) from None
        if token.freshness(self.clock.now(), self.clock.monotonic()) is Freshness.DEAD:
            raise UnavailableError(
                f"{OPERATION}: the token had ended when it arrived; is this machine's clock right?",
                operation=OPERATION,
            )
        return token

    def _is_time_for(self, pause: float, deadline: float) -> bool:
        return pause <= deadline - LEAST_TIME - self.clock.monotonic()

    def _pause_after(self, attempt: int, error: RemoteError) -> float:
        """Seconds until the next attempt: what the platform asked for and a little more, else growing."""
        if error.retry_after is not None:
            return error.retry_after * self.random.uniform(1.0, 1.1)
        return FIRST_PAUSE * 2.0**attempt * self.random.uniform(0.5, 1.0)


def _code_of(error: RemoteError) -> str | None:
    """The vendor's code, if it is one: the record is no place for texts."""
    return error.code if error.code and _CODE.fullmatch(error.code) else None
