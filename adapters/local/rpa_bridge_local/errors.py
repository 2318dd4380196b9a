"""What SQLite's failures mean to a caller: one typed error each, with a sentence that names the mend."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterable
from difflib import get_close_matches

from rpa_bridge.errors import (
    BridgeError,
    ConfigError,
    ConflictError,
    Delivery,
    DeniedError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    UnavailableError,
)

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked; try again, or end that process",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked; try again, or end that process",
    sqlite3.SQLITE_FULL: "there is no space left; free some space on its disk, nothing was changed",
    sqlite3.SQLITE_IOERR: "its disk fails to read or write; look at the disk and its free space",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; see that it and its folder exist and can be written by this user",
    sqlite3.SQLITE_NOMEM: "there is no memory left; end other programs",
    sqlite3.SQLITE_PROTOCOL: "too many processes use it at once; try again",
}
_DENIED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_TOO_BIG = {sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE}


def classify(error: Exception, path: str) -> BridgeError:
    """Our error for a failure below. The transaction was rolled back: nothing is ever half done."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None  # extended codes keep the primary one in the low byte
    if primary in _UNAVAILABLE:
        return UnavailableError(f"the local file {path}: {_UNAVAILABLE[primary]}", delivery=Delivery.REFUSED)
    if primary in _DENIED:
        return DeniedError(f"the local file {path} may not be written by this user; change its owner or its rights")
    if primary in _DAMAGED:
        return ProtocolError(f"the local file {path} is damaged or not ours; restore it from a backup")
    if primary in _TOO_BIG or isinstance(error, sqlite3.DataError | OverflowError | UnicodeError):
        return InvalidError("a value is too large, or is no text that can be stored; shorten or clean it")
    if isinstance(error, sqlite3.IntegrityError):
        return ConflictError("it stands against what is already stored; look at the names and references in use")
    return ProtocolError(
        f"the local file {path} was used in a way that SQLite refuses ({type(error).__name__}); report this as a bug",
        delivery=Delivery.REFUSED,
    )


def cannot_make(error: OSError, path: str) -> ConfigError:
    """The error for a file that cannot be made where the settings want it."""
    reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return ConfigError(f"the local file {path} cannot be made ({reason}); name a folder that you may write in `path`")


def not_found(kind: str, name: str, known: Iterable[str] = ()) -> NotFoundError:
    """The error for a thing that is not there, with the nearest name that is."""
    near = get_close_matches(name, list(known), n=1)
    return NotFoundError(f"there is no {kind} {name!r} here" + (f"; did you mean {near[0]!r}?" if near else ""))
