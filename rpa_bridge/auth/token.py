"""A token, how long it is good for, and how one is read from a log-in's answer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NoReturn, Protocol, TypeGuard, runtime_checkable

from pydantic import SecretStr
from pydantic_core import from_json

from rpa_bridge.errors import ProtocolError
from rpa_bridge.redaction import REDACTOR

LONGEST_LIFE = 7 * 86_400
"""Seconds; no platform we know gives tokens for longer."""
LONGEST_VALUE = 16_384
NEVER = datetime.max.replace(tzinfo=UTC)
"""The end of what has no end that we know of."""
CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far the clocks of two machines, or of one before and after it is set, may differ without doubt."""

_VALUE = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_VALUE}}}")
_SECONDS = re.compile(r"[0-9]{1,7}", re.ASCII)


class Freshness(Enum):
    """What may still be done with a token."""

    FRESH = "fresh"
    """Serve it."""
    AGING = "aging"
    """Serve it at once, and renew it in the background."""
    STALE = "stale"
    """Renew it and wait; serve it only when the platform cannot be reached."""
    DEAD = "expired"
    """Never serve it."""


@dataclass(frozen=True, slots=True)
class Phases:
    """The ages, in seconds, at which a token stops being fresh, aging and stale."""

    fresh: float
    aging: float
    stale: float

    @classmethod
    def of(cls, lifetime: float, ahead: float) -> Phases:
        """The phases of a lifetime; `ahead`, 0.5 to 1, is this process's share of the time to renew in.

        The margins are fractions of the lifetime: a fixed hour would make a token of one hour stale at birth.
        """
        aging = lifetime - min(300.0, lifetime / 4)
        return cls(
            fresh=aging - min(lifetime / 5, 900.0) * ahead,
            aging=aging,
            stale=lifetime - min(10.0, lifetime / 10),
        )


class NeverPickled:
    """What holds a secret: pickling it would write the secret in clear, so that raises TypeError."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled: its secret would be written in clear")


@dataclass(frozen=True, slots=True, repr=False)
class Token(NeverPickled):
    """Proof of who we are, with an end. Its repr shows a fingerprint, never the value."""

    value: SecretStr
    obtained_at: datetime
    """The time of day just before it was asked for."""
    expires_at: datetime
    obtained_monotonic: float
    """The same moment on `Clock.monotonic`, which nobody can set."""
    scopes: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What else the log-in told and requests need; nothing secret."""
    refresh: SecretStr | None = None
    """What gets the next token without its owner. Many platforms take it once only, and give another."""
    refresh_until: datetime | None = None
    """When that ends; None where nobody knows."""

    def __post_init__(self) -> None:
        for secret in filter(None, (self.value, self.refresh)):
            REDACTOR.add(secret.get_secret_value())

    def __repr__(self) -> str:
        return f"Token(fp={self.fingerprint}, expires_at={self.expires_at:%Y-%m-%dT%H:%M:%SZ})"

    @property
    def fingerprint(self) -> str:
        """Eight characters that tell this token from others in a log."""
        return hashlib.sha256(self.value.get_secret_value().encode()).hexdigest()[:8]

    @property
    def lifetime(self) -> float:
        """Seconds from its birth to its end."""
        return (self.expires_at - self.obtained_at).total_seconds()

    def freshness(self, now: datetime, monotonic: float, ahead: float = 1.0) -> Freshness:
        """Its phase by the time of day and by the monotonic clock: whichever says it is older counts."""
        by_day = now - self.obtained_at
        if by_day < -CLOCK_TOLERANCE:
            return Freshness.DEAD
        age = max(by_day.total_seconds(), monotonic - self.obtained_monotonic)
        phases = Phases.of(self.lifetime, ahead)
        if age < phases.fresh:
            return Freshness.FRESH
        if age < phases.aging:
            return Freshness.AGING
        return Freshness.STALE if age < phases.stale else Freshness.DEAD


class TokenSource(Protocol):
    """The one thing an adapter must supply: how to log in."""

    async def fetch(self) -> Token:
        """A new token, by one request.

        Raises AuthError when the platform refuses for good, UnavailableError or RateLimitedError when it may give one
        later, ProtocolError when its answer holds no usable token.
        """


@runtime_checkable
class RenewingSource(TokenSource, Protocol):
    """A source whose tokens come with a refresh token. `fetch` is for those who have none, or one that is spent."""

    async def renew(self, refresh: SecretStr) -> Token:
        """A new token, by one request, which may spend the refresh token.

        Raises what `fetch` raises; AuthError with OAuth's code "invalid_grant" when the refresh token is spent.
        """


def token_from(
    value: object,
    *,
    lifetime: object,
    default_lifetime: float,
    sent_at: datetime,
    sent_monotonic: float,
    scopes: tuple[str, ...] = (),
    details: Mapping[str, str] | None = None,
    refresh: object = None,
    refresh_lifetime: float | None = None,
) -> Token:
    """The token of a log-in's answer; its life is counted from the moment the request was sent.

    `lifetime` is what the answer says: seconds, 1 to 7 days, as a number or as digits. None takes what the token itself
    says if it is a JWT, else `default_lifetime`. Raises ProtocolError for a lifetime or a value that cannot be.
    A `refresh` token that cannot be sent is none; `refresh_lifetime` is in seconds, None where nobody knows.
    """
    if not is_usable(value):
        raise ProtocolError(
            "the log-in was answered without a usable token; check the log-in's address in the settings, and whether "
            "a proxy answers in the platform's place"
        )
    seconds = (_jwt_lifetime(value) or default_lifetime) if lifetime is None else _told_lifetime(lifetime)
    renewable = is_usable(refresh)
    return Token(
        SecretStr(value),
        sent_at,
        sent_at + timedelta(seconds=seconds),
        sent_monotonic,
        scopes,
        details or {},
        refresh=SecretStr(str(refresh)) if renewable else None,
        refresh_until=sent_at + timedelta(seconds=refresh_lifetime) if renewable and refresh_lifetime else None,
    )


def is_usable(value: object) -> TypeGuard[str]:
    """Whether this can be sent as a token: 1 to 16,384 visible ASCII characters."""
    return isinstance(value, str) and _VALUE.fullmatch(value) is not None


def _told_lifetime(told: object) -> int:
    seconds = int(told) if isinstance(told, str) and _SECONDS.fullmatch(told) else told
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 1 <= seconds <= LONGEST_LIFE:
        return seconds
    raise ProtocolError(
        "the log-in's answer names a lifetime (expires_in) that is not between one second and seven days; check the "
        "token settings on the platform"
    )


def _jwt_lifetime(value: str) -> float | None:
    """What a JWT says of its own life. It is not verified: nothing but the time of renewal hangs on it."""
    parts = value.split(".")
    if len(parts) != 3:
        return None
    try:
        claims: Any = from_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), allow_inf_nan=False)
        seconds = float(claims["exp"] - claims["iat"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return seconds if 1 <= seconds <= LONGEST_LIFE else None
