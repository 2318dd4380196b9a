"""One renewal of one token: who may ask the platform, when, and how often. Nobody else may ask meanwhile."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

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

from .records import BARRED, Record, Refusal
from .stores import TokenStore
from .token import Freshness, RenewingSource, Token, TokenSource

LOG = logging.getLogger("rpa_bridge.auth")

SPREAD = 1.2
"""Patience differs by so much: when a holder hangs, the first who gives up on it gets the token for the others."""
HOLD = 20.0
"""Seconds that one process may take to get a token, all its attempts together."""
ATTEMPTS = 3
MOST_LOST = 2
"""Answers to a renewal that may be lost: after the first, the same refresh token is tried once more."""
LEAST_TIME = 1.0
"""Seconds that must remain for an attempt to be worth it."""
FIRST_PAUSE = 0.5
MOST_RENEWALS = 3
"""Tokens that the platform may refuse in five minutes before it is left alone."""
WINDING_UP = 2.0
"""Seconds that a renewal may go on after it is cancelled: its answer may hold the only good refresh token."""
OPERATION = "auth.login"
SPENT = "invalid_grant"
"""OAuth's word for a refresh token that is no longer good. docs: RFC 6749, 5.2"""

REFUSALS = (AuthError, DeniedError, InvalidError)
"""Answers that asking again cannot mend: they are remembered."""
PASSING = (RateLimitedError, UnavailableError)
"""Failures after which the next attempt may do better: a token request spends nothing, unless it is a renewal."""

Reason = Literal["absent", "aging", "stale", "rejected", "forced"]
T = TypeVar("T")
_CODE = re.compile(r"[\w.:/-]{1,64}", re.ASCII)


@dataclass(slots=True)
class TokenCounters:
    """What a cache did so far."""

    token_requests: Counter[str] = field(default_factory=Counter)
    """How often the source was asked for a token: absent, aging, stale, rejected, forced."""
    cache_hits: Counter[str] = field(default_factory=Counter)
    """Tokens that were there already: memory, file, redis."""
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
        pause, longest = lock.waits.first, lock.waits.longest
        deadline = self.clock.monotonic() + lock.waits.patience * self.random.uniform(1.0, SPREAD)
        while not await lock.acquire():
            record = await self.store.load(self.name)
            if (found := self._found(record)) is not None:
                return found
            if self.clock.monotonic() >= deadline:
                self._check_may_be_asked_twice(record)
                self.counters.lock_bypassed += 1
                LOG.warning("another process takes too long to log in; this one logs in beside it")
                return await self._renew(record, reason)
            await self.clock.sleep(pause * self.random.uniform(0.5, 1.0))
            pause = min(pause * 1.5, longest)
        try:
            record = await self.store.load(self.name, locked=True)
            return self._found(record) or await self._renew(record, reason)
        finally:
            await lock.release()

    def _found(self, record: Record) -> Token | None:
        """A kept token that will do. Raises the remembered refusal when there is none and it is in force."""
        token = record.token
        if token is not None and self.accepts(token) and not self.rejected(token):
            self.counters.cache_hits[self.store.place(self.name)] += 1
            return token
        if (refusal := record.refusal_now(self.clock.now())) is None:
            return None
        raise AuthError(
            f"{OPERATION}: {_told(refusal)}",
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
        attempt, lost = 1, 0
        while True:
            self.counters.token_requests[reason] += 1
            renews = self._renews(record)
            failure: RemoteError
            try:
                record = await self._next(record, deadline)
            except REFUSALS as error:
                record = await self._refused(record, error)
                continue
            except RemoteError as error:
                in_doubt = renews and error.delivery is Delivery.MAYBE
                lost += in_doubt
                if lost == MOST_LOST:
                    raise _doubtful(error) from None
                if not in_doubt and not isinstance(error, PASSING):
                    raise
                failure = error
            else:
                if record.token is not None and self._is_alive(record.token):
                    return record.token
                sentence = f"{OPERATION}: the token had ended when it arrived; is this machine's clock right?"
                failure = UnavailableError(sentence, operation=OPERATION)
            record = await self._pause(record, failure, attempt, deadline)
            attempt += 1

    async def _refused(self, record: Record, error: RemoteError) -> Record:
        """The record without the refresh token, if it was only that which is no longer good; else raises the error."""
        if self._renews(record) and error.code == SPENT:
            return await self._saved(record.without_refresh())
        if error.delivery is not Delivery.NOT_SENT:
            await self._saved(record.with_refusal(self.clock.now(), error.status, _code_of(error)))
        raise error

    async def _pause(self, record: Record, failure: RemoteError, attempt: int, deadline: float) -> Record:
        """The record after the wait for the next attempt. Raises the failure when that is not worth it."""
        failure.attempts = attempt
        if failure.retry_after is not None:
            record = await self._saved(record.with_pause(self.clock.now(), failure.retry_after))
        pause = self._pause_after(attempt, failure)
        if attempt == ATTEMPTS or not self._is_time_for(pause, deadline):
            raise failure
        LOG.info("log-in attempt %d failed (%s), trying again in %.1f s", attempt, type(failure).__name__, pause)
        await self.clock.sleep(pause)
        return record

    async def _next(self, record: Record, deadline: float) -> Record:
        """The record after an attempt that went well; it is saved before anybody uses what is in it."""
        if isinstance(self.source, RenewingSource) and record.refresh is not None:
            return await _seen_out(self._gained(record, self.source.renew(record.refresh), deadline))
        return await self._gained(record, self.source.fetch(), deadline)

    async def _gained(self, record: Record, answer: Awaitable[Token], deadline: float) -> Record:
        try:
            async with asyncio.timeout(deadline - self.clock.monotonic()):
                token = await answer
        except TimeoutError:
            raise UnavailableError(
                f"{OPERATION}: the platform did not answer the log-in in time; is it reachable?", operation=OPERATION
            ) from None
        return await self._saved(record.with_token(token))

    async def _saved(self, record: Record) -> Record:
        await self.store.save(self.name, record)
        return record

    def _renews(self, record: Record) -> bool:
        """Whether the next token is got with a refresh token."""
        return record.refresh is not None and isinstance(self.source, RenewingSource)

    def _check_may_be_asked_twice(self, record: Record) -> None:
        """Raises UnavailableError when asking beside another process could spend a refresh token twice."""
        if self._renews(record):
            raise UnavailableError(
                f"{OPERATION}: another process takes too long to renew the log-in; try again later, or end that one",
                operation=OPERATION,
                delivery=Delivery.NOT_SENT,
            )

    def _is_alive(self, token: Token) -> bool:
        return token.freshness(self.clock.now(), self.clock.monotonic()) is not Freshness.DEAD

    def _is_time_for(self, pause: float, deadline: float) -> bool:
        return pause <= deadline - LEAST_TIME - self.clock.monotonic()

    def _pause_after(self, attempt: int, error: RemoteError) -> float:
        """Seconds until the next attempt: what the platform asked for and a little more, else growing."""
        if error.retry_after is not None:
            return error.retry_after * self.random.uniform(1.0, 1.1)
        return FIRST_PAUSE * 2.0**attempt * self.random.uniform(0.5, 1.0)


def is_final(error: BaseException) -> bool:
    """Whether the platform refused for good, so that not even an old token should be used."""
    return isinstance(error, REFUSALS) and not error.retryable


def _doubtful(lost: RemoteError) -> AuthError:
    """The word that nobody may be logged in any more. The refresh token is kept: it may be good all the same."""
    error = AuthError(
        f"{OPERATION}: no usable answer came to the renewal of the log-in, twice, so that it may have ended; try again "
        f"when the platform answers, or log in anew with `rpa-bridge auth login`",
        status=lost.status,
        operation=OPERATION,
        request_id=lost.request_id,
        delivery=Delivery.MAYBE,
        attempts=MOST_LOST,
    )
    error.retryable = True
    return error


async def _seen_out(work: Coroutine[Any, Any, T]) -> T:
    """The work's result. Whoever is cancelled meanwhile waits a moment more for its end, and the lock with him."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            try:
                await asyncio.wait({task}, timeout=WINDING_UP)
            finally:
                task.cancel()
                await asyncio.wait({task})


def _told(refusal: Refusal) -> str:
    """The sentence on a refusal in force."""
    until = f"{refusal.until:%H:%M:%S} UTC"
    if refusal.code == BARRED:
        return (
            f"the platform gives tokens and then refuses them, so that nothing is sent until {until}; check that this "
            f"identity may use the platform, or run `rpa-bridge auth clear` to try at once"
        )
    code = f" ({refusal.code})" if refusal.code else ""
    return (
        f"the platform refused this log-in{code} and is not asked again until {until}; correct the credentials in the "
        f"settings, or run `rpa-bridge auth clear` to ask at once"
    )


def _code_of(error: RemoteError) -> str | None:
    """The vendor's code, if it is one: the record is no place for texts."""
    return error.code if error.code and _CODE.fullmatch(error.code) else None
