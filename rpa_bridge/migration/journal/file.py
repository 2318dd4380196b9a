"""The file of a journal: ours alone, on a disk of this machine, whole. Its failures as sentences with the mend."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

from rpa_bridge.errors import MigrationError
from rpa_bridge.redaction import REDACTOR

APPLICATION_ID = 0x52504A31
""""RPJ1": how the file command, and we, know the file as ours."""
VERSION = 1
BUSY_TIMEOUT = 5000
"""Milliseconds to wait for another process."""
CHECKPOINT = 4000
"""Pages of the write-ahead log before it is carried over: 16 MB."""
OLDEST_SQLITE = (3, 35)
"""The first that knows ON CONFLICT without a target, and UPDATE FROM."""
SCHEMA = Path(__file__).with_name("sqlite_journal.sql")
MOUNTS = Path("/proc/self/mounts")
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre"})
"""Types of file systems whose locks and shared memory SQLite cannot rely on."""
_MENDS = {
    sqlite3.SQLITE_BUSY: "another process is in the middle of a change and does not go on; end it, and try again",
    sqlite3.SQLITE_LOCKED: "another process is in the middle of a change and does not go on; end it, and try again",
    sqlite3.SQLITE_FULL: "there is no space left on its disk; free some, and go on",
    sqlite3.SQLITE_IOERR: "its disk fails to read or write; look at its free space and its health, and go on",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; see that this user may write to it and to its folder, and go on",
    sqlite3.SQLITE_READONLY: "this user may not write to it or to its folder; change that, and go on",
    sqlite3.SQLITE_PERM: "this user may not write to it or to its folder; change that, and go on",
    sqlite3.SQLITE_NOMEM: "there is no memory left; end other programs, and go on",
    sqlite3.SQLITE_CONSTRAINT: "two things of one step have the same id, or a value is missing; plan again",
    sqlite3.SQLITE_TOOBIG: "a text in it is too long to be stored",
}


def high_water_path(path: Path) -> Path:
    """Where the journal's last change is kept."""
    return path.with_name(path.name + ".seq")


def damaged(path: Path, reason: str) -> MigrationError:
    """The error for a journal that cannot be relied on."""
    return MigrationError(
        f"the journal {path} is damaged ({REDACTOR.line(reason)}); move it and {path.name}-wal away, leave "
        f"{high_water_path(path).name} where it is, and apply again: all is then looked up at the target by its mark "
        f"before it is sent"
    )


@contextmanager
def failing_as_ours(path: Path) -> Iterator[None]:
    """Turns what goes wrong below into MigrationError. The transaction was rolled back: nothing is ever half done."""
    try:
        yield
    except (UnicodeEncodeError, OverflowError):
        raise MigrationError(
            f"the journal {path} cannot hold a name or an id that is no text; rename it at the source"
        ) from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        mend = _MENDS.get(code & 0xFF) if isinstance(code, int) else None  # extended codes keep the primary one there
        raise (damaged(path, str(error)) if mend is None else MigrationError(f"the journal {path}: {mend}")) from None
    except OSError as error:
        raise MigrationError(
            f"the journal {path} cannot be used ({error.strerror}); name a place where this user may write, on a disk "
            f"with room"
        ) from None


def open_file(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is made when it is not there. Raises MigrationError, OSError, sqlite3.Error."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise MigrationError(f"this Python has SQLite {sqlite3.sqlite_version}; use one with 3.35 or later")
    _make(path)
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        _check_ours(connection, path)
        if os.name == "posix":
            path.chmod(0o600)  # before SQLite makes others of the same mode
        for pragma in (
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "temp_store = MEMORY",
            "foreign_keys = ON",
            "synchronous = FULL",
            f"wal_autocheckpoint = {CHECKPOINT}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise MigrationError(f"the journal {path} is on a disk without shared memory; put it on a local disk")
        connection.create_function("seal", -1, lambda *values: seal(values), deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, to a journal that another process may have. Raises as `open_file` does."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
    try:
        for pragma in (f"busy_timeout = {BUSY_TIMEOUT}", "trusted_schema = OFF", "query_only = ON"):
            connection.execute(f"PRAGMA {pragma}")
        _check_ours(connection, path)
        if _is_empty(connection):
            raise MigrationError(f"nothing was begun yet that the journal {path} would know of; apply the plan first")
    except BaseException:
        connection.close()
        raise
    return connection


def make_schema(connection: sqlite3.Connection) -> None:
    """Fills an empty file, within a transaction."""
    if _is_empty(connection):
        for statement in _statements(SCHEMA.read_text(encoding="utf-8")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def seal(values: object) -> int:
    """A checksum of a row's values, which are texts, whole numbers and None."""
    return crc32(repr(values).encode())


@contextmanager
def transaction(connection: sqlite3.Connection, abandoned: threading.Event) -> Iterator[None]:
    """All of it or nothing, and nothing once it is abandoned; whoever else writes waits."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        if abandoned.is_set():
            raise MigrationError("nobody waits for this change any more; nothing was written")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def network_type(folder: Path, mounts: str) -> str | None:
    """The type of the network file system that holds the folder, by the list of mounts; None on a local one."""
    best, found = -1, None
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) < 3:
            continue
        point = Path(words[1].encode().decode("unicode_escape"))  # a blank is \040
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), words[2]
    return found if found in NETWORK or str(found).startswith("fuse.sshfs") else None


def check_local(path: Path) -> None:
    """Raises MigrationError for a file on a network drive, where that can be told."""
    with suppress(OSError, UnicodeError):
        found = network_type(path.parent.resolve(), MOUNTS.read_text(encoding="utf-8"))
        if found is not None:
            raise MigrationError(
                f"the journal {path} is on a network drive ({found}), which cannot be relied on to lock it; put it on "
                f"a local disk"
            )


def make_folder(path: Path) -> None:
    """Makes the folder and those above it where they are missing, for us alone; one that is there stays as it is."""
    for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def _make(path: Path) -> None:
    """Makes an empty file where there is none. One that is there is never opened here: SQLite would lose its locks."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _sync_folder(path.parent)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise MigrationError(f"the journal {path} is no file; name another one")


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything in it is changed."""
    [owner] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID and not _is_empty(connection):
        raise MigrationError(f"{path} is no journal of a migration; name another file, or move that one away")
    if owner == APPLICATION_ID and version != VERSION:
        raise MigrationError(
            f"the journal {path} has format {version}, this rpa-bridge knows {VERSION}; go on with the version that "
            f"made it, or a later one"
        )


def _is_empty(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]


def _sync_folder(folder: Path) -> None:
    """Makes new files in it outlast a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
