"""The order of the layers, written here and nowhere else.

A signed call:   Retry > Classify > Pace > Authorise > Trace > Http
A log-in call:   Classify > Trace > Http   (its attempts are the token cache's)
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rpa_bridge.auth.stores import open_store
from rpa_bridge.auth.tokens import TokenCache, TokenKey, TokenSource
from rpa_bridge.clock import Clock

from .authorise import Authorise, Sign, Tokens
from .base import Transport
from .classify import Classify, Explain
from .http import Http
from .options import HttpOptions
from .pace import Pace
from .retry import Retry
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
    cache_dir: Path | None
    """Where tokens are shared with other processes; None keeps them in memory."""


def connect(
    wiring: Wiring, source: Callable[[Transport], TokenSource], key: TokenKey, sign: Sign
) -> tuple[TokenCache, Transport]:
    """The tokens of one connection, and what all its services send through. Closing the transport closes everything.

    `source` makes what logs in, from the transport that log-in calls go through.
    """
    shared = exchange(wiring)
    store = open_store(wiring.cache_dir, wiring.clock)
    tokens = TokenCache(source(login(shared, wiring)), key, wiring.clock, store, wiring.random)
    return tokens, signed(shared, wiring, tokens, sign)


def exchange(wiring: Wiring) -> Transport:
    """The network with a line in the log for each exchange."""
    return Trace(Http(wiring.base_url, wiring.options), wiring.connection, wiring.clock)


def login(shared: Transport, wiring: Wiring) -> Transport:
    """What a token source logs in through: unsigned, one attempt a call."""
    return Classify(shared, wiring.explain, wiring.clock)


def signed(shared: Transport, wiring: Wiring, tokens: Tokens, sign: Sign) -> Transport:
    """What all services of one connection send through."""
    rate = wiring.options.rate or wiring.rate
    authorised = Authorise(shared, tokens, sign)
    paced = Pace(authorised, wiring.clock, wiring.random, rate=rate, in_flight=wiring.options.in_flight)
    return Retry(Classify(paced, wiring.explain, wiring.clock), wiring.clock, wiring.random)
