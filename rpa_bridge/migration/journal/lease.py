"""Who works on a migration: one process at a time, by a lock on a file; and the last to take it over, by a number.

A lock alone cannot tell a process that hangs from one that works, and a process that was stopped does not know that
another went on in its place. So each that takes the migration raises the epoch, and each change checks that it is still
its own.
"""

from __future__ import annotations

import os
import platform
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from rpa_bridge.errors import MigrationError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Holder:
    """What stands in the journal about who works on it."""

    owner: str
    host: str
    boot_id: str
    pid: int
    epoch: int
    locked: int
    since: str
    beat: str

    @property
    def may_be_at_work(self) -> bool:
        """Whether it may still work without the lock file, which is free now."""
        return not self.locked and self.may_live

    @property
    def may_live(self) -> bool:
        """Whether there is one that has not ended, as far as can be told from here."""
        if not self.owner or self.host != platform.node():
            return bool(self.owner)
        return self.boot_id == _boot_id() and _is_alive(self.pid)


class Lease:
    """This process's hold on one journal."""

    def __init__(self, path: Path) -> None:
        self.epoch = 0
        self.pid = os.getpid()
        self._path = path
        self._owner = secrets.token_hex(8)
        self._take_over = False
        self._lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600, thread_local=False)
        """Its file is never removed: that would let in two who wait for it."""

    def lock(self, *, take_over: bool) -> None:
        """Locks the file; with `take_over` it goes on without. Raises MigrationError when another holds it."""
        self._take_over = take_over
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            if not take_over:
                raise self._at_work(_read_holder(self._path)) from None
        except NotImplementedError:
            raise MigrationError(
                f"the journal {self._path} is on a disk that knows no locks; put it on a local disk"
            ) from None

    def take(self, db: sqlite3.Connection, at: str) -> None:
        """Raises the epoch, within a transaction. Raises MigrationError when another process may be at work."""
        last = Holder(*db.execute(_HOLDER).fetchone())
        if last.may_be_at_work and not self._take_over:
            raise self._at_work(last)
        self.epoch = last.epoch + 1
        mine = (self._owner, platform.node(), _boot_id(), self.pid, self.epoch, self._lock.is_locked, at, at)
        db.execute(_TAKE, mine)

    def renew(self, db: sqlite3.Connection, at: str) -> None:
        """Writes down that this process is alive. Raises MigrationError when another one has taken over."""
        if db.execute(_RENEW, (at, self._owner, self.epoch)).rowcount != 1:
            raise self._taken_over(db)

    def check(self, db: sqlite3.Connection) -> None:
        """Raises MigrationError when another process has taken over."""
        if db.execute(_IS_OURS, (self._owner, self.epoch)).fetchone() is None:
            raise self._taken_over(db)

    def give_back(self, db: sqlite3.Connection) -> None:
        """Takes our name out, unless another one stands there."""
        db.execute(_GIVE_BACK, (self._owner, self.epoch))

    def unlock(self) -> None:
        """Lets go of the file."""
        self._lock.release()

    def _taken_over(self, db: sqlite3.Connection) -> MigrationError:
        now = Holder(*db.execute(_HOLDER).fetchone())
        return MigrationError(
            f"another process has taken this migration over: {_told(now)}; this one has stopped, leave the rest to it"
        )

    def _at_work(self, holder: Holder | None) -> MigrationError:
        who = "another process" if holder is None or not holder.owner else _told(holder)
        return MigrationError(
            f"{who} is at work on the journal {self._path}; wait until it ends, or end it; if it hangs and cannot be "
            f"ended, take the migration over (--take-over)"
        )


def who_is_at_work(db: sqlite3.Connection) -> str:
    """Who has the journal and when it was heard of last; empty when nobody has, or it has ended."""
    holder = Holder(*db.execute(_HOLDER).fetchone())
    return _told(holder) if holder.may_live else ""


def _read_holder(path: Path) -> Holder | None:
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
        try:
            return Holder(*connection.execute(_HOLDER).fetchone())
        finally:
            connection.close()
    return None


def _told(holder: Holder) -> str:
    return (
        f"process {holder.pid} on {holder.host or 'this machine'}, since {_moment(holder.since)}, last heard of "
        f"{_moment(holder.beat)}"
    )


def _moment(text: str) -> str:
    return text[:19] + "Z"


def _boot_id() -> str:
    with suppress(OSError):
        return BOOT_ID.read_text(encoding="ascii").strip()
    return ""


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # to ask would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


_HOLDER = "SELECT owner, host, boot_id, pid, epoch, locked, since, beat FROM lease"
_TAKE = "UPDATE lease SET owner = ?, host = ?, boot_id = ?, pid = ?, epoch = ?, locked = ?, since = ?, beat = ?"
_RENEW = "UPDATE lease SET beat = ? WHERE owner = ? AND epoch = ?"
_IS_OURS = "SELECT 1 FROM lease WHERE owner = ? AND epoch = ?"
_GIVE_BACK = "UPDATE lease SET owner = '' WHERE owner = ? AND epoch = ?"
