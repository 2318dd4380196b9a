"""The order of the layers, written here and nowhere else.

A signed call:   Retry > Breaker > Classify > Pace > Authorise > SeeOut > Trace > Http
A log-in call:   Classify > ClockCheck > Unhurried > Trace > Http   (its attempts are the token cache's)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rpa_bridge.auth.stores import MemoryStore, TokenStore
from rpa_bridge.auth.tokens import TokenCache, TokenKey, TokenSource
from rpa_bridge.clock import Clock

from .authorise import Authorise, Sign, Tokens
from .base import Transport
from .breaker import Breaker
from .budgets import Budget, Rate, shared_or_own
from .call import Unhurried
from .classify import Classify, Explain
from .clock_check import ClockCheck
from .http import Http
from .options import HttpOptions
from .pace import Pace
from .retry import Retry
from .see_out import SeeOut
from .trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What all layers of one connection share."""

    connection: str
    base_url: str
    options: HttpOptions
    explain: Explain
    clock: Clock
    random: random.Random
    rate: float | None
    """Requests a second where the settings name none; None is unlimited."""
    classes: Mapping[str, Rate] = field(default_factory=dict)
    """Rates of requests that the platform counts by themselves, by their `budget`."""
    cache_dir: Path | None
    """Where budgets are shared with other processes; None keeps them in memory."""
    token_store: TokenStore | None
    """Where tokens are shared; None keeps them in memory."""


def connect(
    wiring: Wiring, source: Callable[[Transport], TokenSource], key: TokenKey, sign: Sign
) -> tuple[TokenCache, Transport]:
    """The tokens of one connection, and what all its services send through. Closing the transport closes everything.

    `source` makes what logs in, from the transport that log-in calls go through.
    """
    shared = exchange(wiring)
    tokens = cached(wiring, source(login(shared, wiring)), key)
    return tokens, signed(shared, wiring, tokens, sign)


def cached(wiring: Wiring, source: TokenSource, key: TokenKey) -> TokenCache:
    """The tokens of a source, where this connection keeps them."""
    return TokenCache(source, key, wiring.clock, wiring.token_store or MemoryStore(), wiring.random)


def exchange(wiring: Wiring) -> Transport:
    """The network with a line in the log for each exchange."""
    return Trace(Http(wiring.base_url, wiring.options), wiring.connection, wiring.clock)


def login(shared: Transport, wiring: Wiring) -> Transport:
    """What a token source logs in through: unsigned, one attempt a call."""
    checked = ClockCheck(Unhurried(shared), wiring.connection, wiring.clock)
    return Classify(checked, wiring.explain, wiring.clock)


def signed(shared: Transport, wiring: Wiring, tokens: Tokens, sign: Sign) -> Transport:
    """What all services of one connection send through."""
    authorised = Authorise(SeeOut(shared, wiring.clock), tokens, sign)
    paced = Pace(authorised, wiring.clock, budgets(wiring), in_flight=wiring.options.in_flight)
    classified = Classify(paced, wiring.explain, wiring.clock)
    guarded = Breaker(classified, wiring.connection, wiring.clock, wiring.random)
    return Retry(guarded, wiring.clock, wiring.random, wiring.options)


def budgets(wiring: Wiring) -> dict[str, Budget]:
    """The budgets of a connection: shared by all processes that speak to the same address through the same folder."""
    usual = wiring.options.rate or wiring.rate
    rates: dict[str, Rate | None] = {"": Rate(usual) if usual else None, **wiring.classes}

    def budget(name: str, rate: Rate | None) -> Budget:
        folder = wiring.cache_dir if rate is not None else None
        keeper = shared_or_own(folder, f"{wiring.base_url} {name}", wiring.clock, wiring.random)
        return Budget(rate, keeper, wiring.clock, wiring.random)

    return {name: budget(name, rate) for name, rate in rates.items()}
