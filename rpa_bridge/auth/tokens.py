"""Tokens: asked for once, shared by all callers and processes, renewed before they end."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from rpa_bridge.clock import Clock
from rpa_bridge.errors import BridgeError, RemoteError, UnavailableError
from rpa_bridge.transport.call import in_time

from .flight import OPERATION, Flight, Reason, TokenCounters, is_final
from .keys import TokenKey
from .records import EMPTY
from .stores import Place, TokenStore
from .token import CLOCK_TOLERANCE, Freshness, Phases, Token, TokenSource, token_from

__all__ = ["Freshness", "Token", "TokenCache", "TokenCounters", "TokenKey", "TokenSource", "TokenStatus", "token_from"]

LOG = logging.getLogger("rpa_bridge.auth")
TOO_YOUNG_TO_REJECT = 5.0
"""Seconds: a platform that refuses a token this new will refuse the next one as well."""
BACKGROUND = 30.0
"""Seconds that a renewal ahead of time may take; also the first quiet time after one that failed."""
LONGEST_QUIET = 300.0
CLOSING = 2.0
"""Seconds that closing waits for a renewal ahead of time."""
MOST_REJECTED = 16
_RENEWED_IN: dict[Reason, Freshness] = {"aging": Freshness.AGING, "stale": Freshness.STALE}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatus:
    """What is known of a token without asking the platform; never its value."""

    state: str
    """"absent", "fresh", "aging", "stale", "expired", or "fixed": good until somebody withdraws it."""
    obtained_at: datetime | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    stored: Place | Literal["settings"] = "memory"
    refresh_kept: bool = False
    """Whether a refresh token is kept, which gets the next token."""
    refresh_until: datetime | None = None
    """When that ends, if it is known."""


class TokenCache:
    """Hands out one token to many callers; at most one log-in is under way, in this process and beside it."""

    def __init__(self, source: TokenSource, key: TokenKey, clock: Clock, store: TokenStore, rng: random.Random) -> None:
        self._source, self._key, self._clock, self._store, self._random = source, key, clock, store, rng
        self._ahead = rng.uniform(0.5, 1.0)
        self._name: str | None = None
        self._token: Token | None = None
        self._fresh_from = self._fresh_until = clock.now()
        self._fresh_until_monotonic = 0.0
        self._rejected: deque[str] = deque(maxlen=MOST_REJECTED)
        self._flight: asyncio.Task[Token] | None = None
        self._quiet = _Quiet()
        self.counters = TokenCounters()

    async def get(self) -> Token:
        """A token that is good for now. Raises RemoteError when there is none to be had."""
        token = self._token
        if (
            token is not None
            and self._clock.monotonic() < self._fresh_until_monotonic
            and self._fresh_from <= self._clock.now() < self._fresh_until
        ):
            self.counters.cache_hits["memory"] += 1
            return token
        return await self._get_with_care()

    async def reject(self, token: Token) -> None:
        """The platform refused this token: forgets it, unless it has been replaced or is only just born.

        The store's record loses it with the next `get`, under the lock, and only if it still holds this very token.
        """
        if self._clock.monotonic() - token.obtained_monotonic < TOO_YOUNG_TO_REJECT:
            return
        self._drop(token)

    async def bar(self, token: Token) -> None:
        """The platform refused this token too, which had just replaced a refused one: gives out none for a minute.

        That holds for all who share the store, unless one of them has a newer token or is just asking for one, and
        ends with a changed secret.
        """
        self._drop(token)
        name = await self._called()
        lock = self._store.lock(name)
        if not await lock.acquire():
            return
        try:
            record = await self._store.load(name, locked=True)
            if record.token is not None and record.token.value == token.value:
                await self._store.save(name, record.with_bar(self._clock.now()))
        finally:
            await lock.release()

    async def status(self) -> TokenStatus:
        """What is known; nothing is sent."""
        name = await self._called()
        token, record = self._token, await self._store.load(name)
        if token is None or self._freshness(token) is Freshness.DEAD:
            kept = record.token
            token = token if kept is None or self._is_rejected(kept) else kept
        status = TokenStatus(
            state="absent",
            stored=self._store.place(name),
            refresh_kept=record.refresh is not None,
            refresh_until=record.refresh_until,
        )
        if token is None:
            return status
        return replace(
            status,
            state=self._freshness(token).value,
            obtained_at=token.obtained_at,
            expires_at=token.expires_at,
            scopes=token.scopes,
        )

    async def adopt(self, token: Token) -> None:
        """Keeps a token that a person logged in for, in place of all that was known, for all who share the store."""
        record = EMPTY.with_token(token)
        async with self._locked() as name:
            await self._store.save(name, record)
        self._rejected.clear()
        self._keep(record.token or token)

    async def fetch_anew(self) -> None:
        """Logs in at once, whatever was known. Raises RemoteError when the platform gives no token."""
        await self.forget()
        await self._renewed("forced")

    async def forget(self) -> None:
        """Forgets the token, here and for all who share the store, and that the platform refused these credentials."""
        async with self._locked() as name:
            await self._store.remove(name)
        self._token = None
        self._rejected.clear()
        self._quiet = _Quiet()

    async def aclose(self) -> None:
        """Ends the log-in that is under way. A caller who still waits for it gets UnavailableError.

        A renewal ahead of time may end by itself first, for a moment: else each of many short processes would ask for
        the next token, and none would stay to keep it.
        """
        if self._flight is not None and not self._flight.done():
            await asyncio.wait({self._flight}, timeout=CLOSING if self._token is not None else 0.0)
            self._flight.cancel()
            await asyncio.wait({self._flight})

    async def _get_with_care(self) -> Token:
        token, place = self._token, "memory"
        if token is None or self._freshness(token) is Freshness.DEAD:
            token, place = await self._kept(), self._store.place(await self._called())
        if token is None:
            return await self._renewed("absent")
        freshness = self._freshness(token)
        if freshness is Freshness.FRESH or self._quiet.holds(freshness, self._clock.monotonic()):
            self.counters.cache_hits[place] += 1
            return token
        if freshness is Freshness.AGING:
            self._under_way("aging")
            self.counters.cache_hits[place] += 1
            return token
        return await self._renewed_or(token)

    async def _renewed_or(self, token: Token) -> Token:
        """A new token, or this stale one when the platform cannot give one now."""
        try:
            return await self._renewed("stale")
        except RemoteError as error:
            if is_final(error) or self._is_rejected(token) or self._freshness(token) is Freshness.DEAD:
                raise
            return token

    async def _renewed(self, reason: Reason) -> Token:
        """What the one log-in under way gives. A caller that is cancelled does not cancel it for the others."""
        started = self._clock.monotonic()
        flight = self._under_way(reason)
        try:
            async with in_time(OPERATION, "the log-in was under way"):
                return await asyncio.shield(flight)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not flight.cancelled() or (caller is not None and caller.cancelling()):
                raise
        finally:
            self.counters.wait_seconds += self._clock.monotonic() - started
        raise UnavailableError(f"{OPERATION}: the connection was closed during the log-in", operation=OPERATION)

    def _under_way(self, reason: Reason) -> asyncio.Task[Token]:
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self._fly(reason))
            self._flight.add_done_callback(partial(self._landed, reason))
        return self._flight

    async def _fly(self, reason: Reason) -> Token:
        enough = (Freshness.FRESH,) if reason == "aging" else (Freshness.FRESH, Freshness.AGING)
        flight = Flight(
            source=self._source,
            name=await self._called(),
            clock=self._clock,
            store=self._store,
            random=self._random,
            counters=self.counters,
            accepts=lambda token: self._freshness(token) in enough,
            rejected=self._is_rejected,
        )
        try:
            async with asyncio.timeout(BACKGROUND if reason == "aging" else None):
                token = await flight.land(reason)
        except TimeoutError:
            raise UnavailableError(
                f"{OPERATION}: the token was not renewed within {BACKGROUND:.0f} seconds", operation=OPERATION
            ) from None
        self._keep(token)
        return token

    def _landed(self, reason: Reason, flight: asyncio.Task[Token]) -> None:
        """After a failure that callers need not hear of, the old token is served in quiet for a while."""
        error = None if flight.cancelled() else flight.exception()
        if error is None or reason not in _RENEWED_IN:
            return
        if reason == "stale" and (is_final(error) or not isinstance(error, RemoteError)):
            return
        self._quiet.begin(_RENEWED_IN[reason], self._clock.monotonic(), self._random)
        told = error if isinstance(error, BridgeError) else type(error).__name__
        LOG.warning("the token could not be renewed yet, the old one is used while it lasts: %s", told)

    def _keep(self, token: Token) -> None:
        fresh = Phases.of(token.lifetime, self._ahead).fresh
        self._token = token
        self._fresh_from = token.obtained_at - CLOCK_TOLERANCE
        self._fresh_until = token.obtained_at + timedelta(seconds=fresh)
        self._fresh_until_monotonic = token.obtained_monotonic + fresh
        self._quiet = _Quiet()
        if self._is_rejected(token):  # the platform gave the same one again, so it stands by it
            self._rejected.remove(token.fingerprint)

    async def _kept(self) -> Token | None:
        """The store's token, if it may still be served."""
        token = (await self._store.load(await self._called())).token
        if token is None or self._is_rejected(token) or self._freshness(token) is Freshness.DEAD:
            return None
        self._keep(token)
        return token

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[str]:
        """The record's name, for a word that shall stand: what is under way may end first."""
        name = await self._called()
        lock = self._store.lock(name)
        deadline = self._clock.monotonic() + lock.waits.patience
        while not (held := await lock.acquire()) and self._clock.monotonic() < deadline:
            await self._clock.sleep(lock.waits.longest)
        try:
            yield name
        finally:
            if held:
                await lock.release()

    def _drop(self, token: Token) -> None:
        if not self._is_rejected(token):
            self._rejected.append(token.fingerprint)
        if self._token is not None and self._token.value == token.value:
            self._token = None

    def _freshness(self, token: Token) -> Freshness:
        return token.freshness(self._clock.now(), self._clock.monotonic(), self._ahead)

    def _is_rejected(self, token: Token) -> bool:
        return token.fingerprint in self._rejected

    async def _called(self) -> str:
        if self._name is None:
            self._name = await self._store.name(self._key)
        return self._name


@dataclass(slots=True)
class _Quiet:
    """A time in which a token is not renewed, because that has just failed; growing with each failure."""

    failures: int = 0
    phase: Freshness | None = None
    """A token that has passed on to the next phase is tried again at once."""
    until: float = 0.0

    def begin(self, phase: Freshness, monotonic: float, rng: random.Random) -> None:
        seconds = min(BACKGROUND * 2**self.failures, LONGEST_QUIET)
        self.failures += 1
        self.phase = phase
        self.until = monotonic + seconds * rng.uniform(0.8, 1.2)

    def holds(self, phase: Freshness, monotonic: float) -> bool:
        return self.phase is phase and monotonic < self.until
