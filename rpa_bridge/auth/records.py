"""What processes tell each other about one log-in: its token, and when the platform may be asked again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_serializer

from rpa_bridge.clock import boot_id

from .private_files import DoubtfulFileError
from .token import CLOCK_TOLERANCE, LONGEST_LIFE, NEVER, Token, is_usable

LARGEST = 65_536
"""Bytes of a record's file."""
LONGEST_REFUSAL = timedelta(seconds=900)
LONGEST_PAUSE = timedelta(hours=1)
"""A platform's Retry-After beyond this is not believed."""
RENEWALS_WITHIN = timedelta(minutes=5)
BARRED = "token_refused"
"""Code of a refusal: the log-in goes well, but its tokens are not taken."""

_FIRST_REFUSAL = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The platform's word that these credentials are wrong, remembered so that nobody asks again at once."""

    count: int
    """How often it said so in a row."""
    until: datetime
    status: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept for one key. Moments that a wrong clock put too far ahead do not count."""

    token: Token | None = None
    refusal: Refusal | None = None
    not_before: datetime | None = None
    """When the platform may be asked again, by its own Retry-After."""
    renewals: tuple[datetime, ...] = ()
    """When tokens were renewed because the platform refused them, of late."""
    refresh: SecretStr | None = None
    """What gets the next token. It outlives the token that it came with, and is kept here alone."""
    refresh_until: datetime | None = None

    def with_token(self, token: Token) -> Record:
        """The record after a log-in that went well; a refresh token that was not replaced stays good."""
        record = replace(self, token=token, refusal=None, not_before=None)
        if token.refresh is None:
            return record
        bare = replace(token, refresh=None, refresh_until=None)
        return replace(record, token=bare, refresh=token.refresh, refresh_until=token.refresh_until)

    def without_refresh(self) -> Record:
        """The record without its refresh token, which is spent."""
        return replace(self, refresh=None, refresh_until=None)

    def with_refusal(self, now: datetime, status: int | None, code: str | None) -> Record:
        """The record after the platform refused for good: a minute of quiet, doubling to a quarter of an hour."""
        count = 1 if self.refusal is None else min(self.refusal.count + 1, 10)
        until = now + min(_FIRST_REFUSAL * 2 ** (count - 1), LONGEST_REFUSAL)
        return replace(self, refusal=Refusal(count, until, status, code))

    def with_pause(self, now: datetime, seconds: float) -> Record:
        """The record after the platform asked everybody to wait."""
        return replace(self, not_before=now + timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds())))

    def with_renewal(self, now: datetime) -> Record:
        """The record without its token, which the platform no longer takes."""
        return replace(self, token=None, renewals=(*self.recent_renewals(now), now))

    def with_bar(self, now: datetime) -> Record:
        """The record after the platform refused a token that had just replaced a refused one: a minute of quiet."""
        return replace(self, token=None, refusal=Refusal(1, now + _FIRST_REFUSAL, 401, BARRED))

    def refusal_now(self, now: datetime) -> Refusal | None:
        """The refusal that is still in force."""
        return self.refusal if self.refusal and now < self.refusal.until <= now + LONGEST_REFUSAL else None

    def pause_now(self, now: datetime) -> float:
        """Seconds for which the platform wants to be left alone."""
        if self.not_before is None or self.not_before > now + LONGEST_PAUSE:
            return 0.0
        return max(0.0, (self.not_before - now).total_seconds())

    def recent_renewals(self, now: datetime) -> tuple[datetime, ...]:
        """The forced renewals of the last five minutes."""
        return tuple(one for one in self.renewals if now - RENEWALS_WITHIN < one <= now)

    def is_over(self, moment: datetime) -> bool:
        """Whether nothing in it mattered any more at this moment."""
        end = self.end
        return end is None or end <= moment

    @property
    def end(self) -> datetime | None:
        """When the last of it ceases to matter; None when it is empty."""
        ends = [*self.renewals]
        if self.token is not None:
            ends.append(self.token.expires_at)
        if self.refusal is not None:
            ends.append(self.refusal.until)
        if self.not_before is not None:
            ends.append(self.not_before)
        if self.refresh is not None:
            ends.append(self.refresh_until or NEVER)
        return max(ends, default=None)


EMPTY = Record()


class _Line(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        defer_build=True,  # what is part of another is then built with it alone
    )


class _TokenLine(_Line):
    value: SecretStr
    obtained_at: AwareDatetime
    expires_at: AwareDatetime
    obtained_monotonic: float
    boot: str
    """Which start of which machine the monotonic clock counted from."""
    scopes: tuple[str, ...]
    details: dict[str, str]

    @field_serializer("value")
    def _reveal(self, value: SecretStr) -> str:
        return value.get_secret_value()


class _RefusalLine(_Line):
    count: Annotated[int, Field(ge=1, le=10)]
    until: AwareDatetime
    status: int | None
    code: str | None


class _RecordLine(_Line):
    version: Literal[2]
    key: str
    token: _TokenLine | None
    refusal: _RefusalLine | None
    not_before: AwareDatetime | None
    renewals: tuple[AwareDatetime, ...]
    refresh: SecretStr | None
    refresh_until: AwareDatetime | None
    checksum: str = ""

    @field_serializer("refresh")
    def _reveal(self, refresh: SecretStr | None) -> str | None:
        return None if refresh is None else refresh.get_secret_value()

    def computed_checksum(self) -> str:
        """What `checksum` must be: a flipped bit in a token would else make another token."""
        return hashlib.sha256(self.model_dump_json(exclude={"checksum"}).encode()).hexdigest()


def encode(record: Record, key: str) -> bytes:
    """The record as its file holds it: the one place where tokens are written in clear."""
    token, refusal = record.token, record.refusal
    line = _RecordLine(
        version=2,
        key=key,
        token=None
        if token is None
        else _TokenLine(
            value=token.value,
            obtained_at=token.obtained_at,
            expires_at=token.expires_at,
            obtained_monotonic=token.obtained_monotonic,
            boot=boot_id(),
            scopes=token.scopes,
            details=dict(token.details),
        ),
        refusal=None
        if refusal is None
        else _RefusalLine(count=refusal.count, until=refusal.until, status=refusal.status, code=refusal.code),
        not_before=record.not_before,
        renewals=record.renewals,
        refresh=record.refresh,
        refresh_until=record.refresh_until,
    )
    return line.model_copy(update={"checksum": line.computed_checksum()}).model_dump_json().encode()


def decode(content: bytes, key: str, now: datetime, monotonic: float) -> Record:
    """The record that a file holds. Raises DoubtfulFileError unless it is whole, of this key, and possible."""
    try:
        line = _RecordLine.model_validate_json(content)
    except ValidationError:
        raise DoubtfulFileError("it is damaged") from None
    if line.checksum != line.computed_checksum():
        raise DoubtfulFileError("it is damaged")
    if line.key != key:
        raise DoubtfulFileError("it belongs to another log-in")
    if line.refresh is not None and not is_usable(line.refresh.get_secret_value()):
        raise DoubtfulFileError("it is damaged")
    refusal = line.refusal
    return Record(
        token=None if line.token is None else _token(line.token, now, monotonic),
        refusal=None if refusal is None else Refusal(refusal.count, refusal.until, refusal.status, refusal.code),
        not_before=line.not_before,
        renewals=line.renewals,
        refresh=line.refresh,
        refresh_until=line.refresh_until,
    )


def _token(line: _TokenLine, now: datetime, monotonic: float) -> Token:
    if not is_usable(line.value.get_secret_value()):
        raise DoubtfulFileError("it is damaged")
    if line.obtained_at > now + CLOCK_TOLERANCE:
        raise DoubtfulFileError("it is from the future; is this machine's clock right?")
    if not 0 < (line.expires_at - line.obtained_at).total_seconds() <= LONGEST_LIFE:
        raise DoubtfulFileError("its token would live too long")
    obtained_monotonic = _monotonic_here(line, now, monotonic)
    return Token(line.value, line.obtained_at, line.expires_at, obtained_monotonic, line.scopes, line.details)


def _monotonic_here(line: _TokenLine, now: datetime, monotonic: float) -> float:
    """When the token was obtained by our monotonic clock; after a restart only the time of day can tell."""
    if line.boot == boot_id() and line.obtained_monotonic <= monotonic:
        return line.obtained_monotonic
    return monotonic - max(0.0, (now - line.obtained_at).total_seconds())
