"""How far a journal had come, kept beside it: a journal that has forgotten something is known by it.

SQLite drops what a damaged write-ahead log held, and says nothing. What was about to be sent would stand as planned
again, and be sent twice. The same holds for a journal that is put back from a backup, or is made anew in place of a
damaged one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

LENGTH = 128
"""Bytes of the file; it is written in place, and fits into the smallest piece that a disk writes."""
_sync = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class HighWater:
    """The last change of a journal."""

    n: int = 0
    """Its number; 0 before the first."""
    hash: str = ""
    """Of it and all before."""
    reach: int = 0
    """The last row that was ever about to be sent."""


class HighWaterFile:
    """Keeps the last change. Raises OSError when the file cannot be made or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def begin(self) -> None:
        """Makes the file, before there is a journal, unless there is one."""
        if not self.path.exists():
            self.write(HighWater(), durable=True)

    def read(self) -> HighWater | None:
        """What was written last; None when that cannot be told."""
        try:
            content = self.path.read_bytes()
            words, _, checksum = content.decode().rstrip().rpartition(" ")
            n, digest, reach = words.split(" ")
            return HighWater(int(n), digest, int(reach)) if int(checksum, 16) == crc32(words.encode()) else None
        except (FileNotFoundError, ValueError):
            return None

    def write(self, last: HighWater, *, durable: bool) -> None:
        """Writes it over what was there. It outlasts this process, and with `durable` a power cut too."""
        words = f"{last.n} {last.hash} {last.reach}"
        line = f"{words} {crc32(words.encode()):08x}".ljust(LENGTH - 1) + "\n"
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o600)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, line.encode())
        if durable:
            _sync(self._descriptor)

    def close(self) -> None:
        """Closes the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
