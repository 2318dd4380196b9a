"""Bodies that are never in memory whole: what is uploaded piece by piece, and files in a form."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path

from rpa_bridge.errors import Delivery, InvalidError

PIECE = 64 * 1024
"""Bytes in which content that is in memory already is written."""
FROM_DISK = 512 * 1024
"""Bytes read from a file at once."""
BINARY = "application/octet-stream"


@dataclass(eq=False, slots=True)
class Content:
    """A body of a known size. It can be sent again if `pieces` can be iterated again: an iterator cannot."""

    pieces: AsyncIterable[bytes] | bytes = field(repr=False)
    size: int
    """Bytes."""
    media_type: str = BINARY
    failure: Exception | None = field(default=None, init=False, repr=False)
    """What reading it raised the last time, which is not the network's fault."""
    complete: bool = field(default=False, init=False, repr=False)
    """Whether it was read to its end the last time, and had its size."""
    _begun: bool = field(default=False, init=False, repr=False)

    @classmethod
    def of(cls, content: AsyncIterable[bytes] | bytes, size: int | None, operation: str) -> Content:
        """The content with its size. Raises InvalidError for a stream without one, or when the two disagree."""
        if isinstance(content, bytes):
            if size not in (None, len(content)):
                raise _refused(operation, f"the content has {len(content)} bytes, and not {size}; leave the size out")
            return cls(content, len(content))
        if size is None or size < 0:
            raise _refused(operation, "a stream needs its size in bytes; give `size`")
        return cls(content, size)

    @property
    def spent(self) -> bool:
        """Whether it has been read and cannot be read again."""
        return self._begun and isinstance(self.pieces, AsyncIterator)

    async def read(self, operation: str, on_piece: Callable[[], None]) -> AsyncIterator[bytes]:
        """Exactly `size` bytes. Raises InvalidError, also kept in `failure`, when there are more or fewer.

        The piece that makes up the size is given when the end is known: with it the platform has all that it waits for.
        """
        self._begun, self.failure, self.complete = True, None, False
        sent, last = 0, b""
        try:
            async for piece in _pieces(self.pieces):
                sent += len(piece)
                if sent > self.size:
                    raise _cut_short(operation, f"the content has more than the {self.size} bytes that were announced")
                if sent == self.size:
                    last = piece
                    continue
                yield piece
                on_piece()
            if sent < self.size:
                raise _cut_short(operation, f"the content ended after {sent} of the {self.size} bytes announced")
        except Exception as error:
            self.failure = error
            raise
        self.complete = True
        if last:
            yield last
            on_piece()


@dataclass(frozen=True, slots=True)
class FileOnDisk:
    """A file's content in pieces; it can be read again and again. Reading it raises OSError, also when it changes.

    It is opened for each piece, so that an upload that breaks off leaves nothing open.
    """

    path: Path

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun = self.path.stat()
        offset = 0
        while piece := await asyncio.to_thread(self._piece, offset, begun):
            yield piece
            offset += len(piece)

    @property
    def content(self) -> Content:
        """As a body, of the size that the file has now."""
        return Content(self, self.path.stat().st_size, guess_type(self.path.name)[0] or BINARY)

    def _piece(self, offset: int, begun: os.stat_result) -> bytes:
        with self.path.open("rb") as file:
            now = os.fstat(file.fileno())
            if (now.st_ino, now.st_mtime_ns) != (begun.st_ino, begun.st_mtime_ns):
                raise OSError(errno.ESTALE, "the file changed while it was read", str(self.path))
            file.seek(offset)
            return file.read(FROM_DISK)


def form_with_file(field_name: str, file_name: str, file: Content, boundary: str, operation: str) -> Content:
    """The file as the one part of a form. `boundary` must not occur in it: use a new id."""
    quoted = file_name.translate({ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"})  # docs: RFC 7578, 4.2
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field_name}"; filename="{quoted}"\r\n'
        f"Content-Type: {file.media_type}\r\n\r\n"
    ).encode("utf-8", "replace")
    tail = f"\r\n--{boundary}--\r\n".encode()
    framed: AsyncIterable[bytes] = _Framed(head, file, tail, operation)
    if isinstance(file.pieces, AsyncIterator):
        framed = aiter(framed)  # it can be read once, as the file
    return Content(framed, len(head) + file.size + len(tail), f"multipart/form-data; boundary={boundary}")


@dataclass(frozen=True, slots=True)
class _Framed:
    """A file between a head and a tail; it can be iterated as often as the file."""

    head: bytes
    file: Content
    tail: bytes
    operation: str

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.head
        async for piece in self.file.read(self.operation, lambda: None):
            yield piece
        yield self.tail


async def _pieces(content: AsyncIterable[bytes] | bytes) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]
        return
    async for piece in content:
        if piece:
            yield piece


def _cut_short(operation: str, sentence: str) -> InvalidError:
    """The error for content of another size: the platform got a body that is not whole, which it cannot accept."""
    return _refused(operation, sentence, Delivery.REFUSED)


def _refused(operation: str, sentence: str, delivery: Delivery = Delivery.NOT_SENT) -> InvalidError:
    return InvalidError(f"{operation}: {sentence}", operation=operation, delivery=delivery)
