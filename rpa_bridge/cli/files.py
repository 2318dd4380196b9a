"""Files on this machine: safe names for what a platform calls its files, and downloads that are whole or not there."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

LONGEST_NAME = 200
"""Bytes; file systems take 255, and `.part` must fit too."""
PIECE = 1 << 20
"""Bytes read at once."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def safe_name(name: str) -> str:
    """A file name that stays in its folder and is allowed on every system, as near to the platform's as can be."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    cleaned = _UNSAFE.sub("_", last).encode("utf-8", "replace").decode().rstrip(". ")
    if not cleaned or _DEVICES.fullmatch(cleaned):
        cleaned = f"_{cleaned}"
    return _shortened(cleaned)


def _shortened(name: str) -> str:
    suffix = Path(name).suffix
    if len(suffix.encode()) > LONGEST_NAME // 4:
        suffix = ""
    stem = name[: len(name) - len(suffix)].encode()[: LONGEST_NAME - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix


@contextmanager
def whole_file(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file to write that gets its name when the block ends well, and is gone when it does not.

    Without `force` an existing file is refused, at the start and again at the end. Raises UsageError.
    """
    part = target.with_name(f"{target.name}.part")
    if force:
        part.unlink(missing_ok=True)
    else:
        _refuse_existing(target)
    try:
        file = part.open("xb")
    except FileExistsError:
        raise click.UsageError(
            f"{str(part)!r} is there: another download runs or one was cut off; remove it or say --force"
        ) from None
    try:
        with file:
            yield file
        if not force:
            _refuse_existing(target)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise click.UsageError(f"{str(target)!r} exists; say --force to replace it, or --to another name")


async def pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    """The file's content in pieces."""
    while piece := file.read(PIECE):
        yield piece


async def save(stream: AsyncIterable[bytes], target: str | None, suggested: str, *, force: bool) -> Path | None:
    """Writes the stream to a file, into a folder under the suggested name, or to stdout for "-" (then None)."""
    if target == "-":
        async for piece in stream:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return None
    path = Path(target) if target else Path()
    if path.is_dir():
        path /= safe_name(suggested)
    with whole_file(path, force=force) as file:
        async for piece in stream:
            file.write(piece)
    return path
