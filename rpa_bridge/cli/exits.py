"""What the exit codes of `rpa-bridge` mean: the one table that errors, the help and the page go by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rpa_bridge.errors import (
    AuthError,
    BridgeError,
    ConfigError,
    DeniedError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    UnavailableError,
    UnsupportedError,
    WaitTimeoutError,
)


class Exit(IntEnum):
    """The codes by name."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    JOB_FAILED = 3
    DIFFERS = 4
    OUTCOME_UNKNOWN = 5
    TIMED_OUT = 6
    AUTH = 7
    NOT_FOUND = 8
    UNSUPPORTED = 9
    RATE_LIMITED = 10
    UNAVAILABLE = 11
    PAUSED = 75
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table; `errors` are the types that end in it."""

    code: Exit
    text: str
    errors: tuple[type[BridgeError], ...] = ()


MEANINGS = (
    Meaning(Exit.OK, "done"),
    Meaning(Exit.FAILURE, "failed, or a finding of `check` is not well", (BridgeError,)),
    Meaning(Exit.USAGE, "the command line or the settings are wrong; nothing was sent", (ConfigError,)),
    Meaning(
        Exit.JOB_FAILED, "the job that was waited for failed or was stopped; a migration is done, but for dead letters"
    ),
    Meaning(Exit.DIFFERS, "a migration's verification found differences"),
    Meaning(Exit.OUTCOME_UNKNOWN, "it may have happened; look before you repeat it", (OutcomeUnknownError,)),
    Meaning(Exit.TIMED_OUT, "what was waited for did not happen in time", (WaitTimeoutError,)),
    Meaning(Exit.AUTH, "the login was refused, or a permission is missing", (AuthError, DeniedError)),
    Meaning(Exit.NOT_FOUND, "there is no such thing", (NotFoundError,)),
    Meaning(Exit.UNSUPPORTED, "the platform cannot do that; nothing was sent", (UnsupportedError,)),
    Meaning(Exit.RATE_LIMITED, "the platform asks to slow down", (RateLimitedError,)),
    Meaning(Exit.UNAVAILABLE, "the platform is down, or the connection was cut", (UnavailableError,)),
    Meaning(Exit.PAUSED, "a migration was asked to stop; `migrate resume` goes on"),
    Meaning(Exit.INTERRUPTED, "interrupted by Ctrl-C"),
)

_CODE_OF = {error: meaning.code for meaning in MEANINGS for error in meaning.errors}


def exit_code(error: BridgeError) -> Exit:
    """The code of an error: that of the nearest type above it in the table."""
    return next(_CODE_OF[one] for one in type(error).__mro__ if one in _CODE_OF)


def exit_code_help() -> str:
    """The table as the help shows it, kept from being wrapped by click."""
    lines = (f"  {meaning.code:>3}  {meaning.text}" for meaning in MEANINGS)
    return "\b\nExit codes:\n" + "\n".join(lines)
