"""Files that nobody else may read, and that are never seen half written."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECRET_LENGTH = 32
_OPEN_ERRORS_OF_STRANGE_FILES = (errno.ELOOP, errno.EMLINK, errno.ENXIO)
"""A symbolic link (the second on some BSDs), and a socket."""
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A link is not followed, and a pipe does not hold us up."""
_POSIX = hasattr(os, "geteuid")


class DoubtfulFileError(Exception):
    """A file that is not as we would have written it; the text says what is wrong, never what is in it."""


def make_private_directory(path: Path) -> None:
    """Makes a folder, and those above it where they are missing, that only we may enter.

    Raises DoubtfulFileError when what stands there is not a folder of ours, OSError when it cannot be made.
    """
    for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise DoubtfulFileError("it is a link or a file, not a folder")
    if not _is_ours(found):
        raise DoubtfulFileError("it belongs to somebody else")
    if _is_open_to_others(found):
        path.chmod(0o700)


def read_private(path: Path, most: int) -> bytes | None:
    """What a file of at most `most` bytes holds; None when there is none.

    Raises DoubtfulFileError for anything but a regular file that is ours alone, OSError when it cannot be read.
    """
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _OPEN_ERRORS_OF_STRANGE_FILES:
            raise DoubtfulFileError("it is not a regular file") from None
        raise
    try:
        _check(descriptor)
        return _read(descriptor, most)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Puts a file in place whole, readable by us alone. Raises OSError, and then leaves what was there."""
    with _written_beside(path, content) as temporary:
        temporary.replace(path)
    _sync_directory(path.parent)


def shared_secret(path: Path) -> bytes:
    """The 32 random bytes in a file, which the first of several processes makes.

    Raises DoubtfulFileError when the file is not as we make it, OSError when it can be neither read nor made.
    """
    found = read_private(path, SECRET_LENGTH)
    if found is None:
        with _written_beside(path, secrets.token_bytes(SECRET_LENGTH)) as temporary, suppress(FileExistsError):
            path.hardlink_to(temporary)  # unlike replace, the first one wins
        found = read_private(path, SECRET_LENGTH)
    if found is None or len(found) != SECRET_LENGTH:
        raise DoubtfulFileError(f"{path.name} in it is damaged")
    return found


def set_aside(path: Path, name: str) -> None:
    """Gives a doubtful file another name, in place of an earlier one, and closes it to others; where it can."""
    with suppress(OSError):
        aside = path.replace(path.with_name(name))
        if _POSIX and stat.S_ISREG(aside.lstat().st_mode):
            aside.chmod(0o600)


def _check(descriptor: int) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise DoubtfulFileError("it is not a regular file")
    if not _is_ours(found):
        raise DoubtfulFileError("it belongs to somebody else")
    if _is_open_to_others(found):
        raise DoubtfulFileError("others could read or change it")


def _is_ours(found: os.stat_result) -> bool:
    return not _POSIX or found.st_uid == os.geteuid()


def _is_open_to_others(found: os.stat_result) -> bool:
    return _POSIX and bool(found.st_mode & 0o077)


def _read(descriptor: int, most: int) -> bytes:
    content = b""
    while piece := os.read(descriptor, most + 1 - len(content)):
        content += piece
    if len(content) > most:
        raise DoubtfulFileError("it is too large")
    return content


@contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[Path]:
    """A temporary file in the same folder, safely on the disk; gone afterwards, unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.stem}-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if _POSIX:
                os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    """Makes a rename outlast a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
