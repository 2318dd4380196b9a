"""Queue items as people bring them: JSON lines in a file or on standard input, read as they are needed."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import Item, ItemDraft
from rpa_bridge.errors import InvalidError

from .options import STDIN
from .values import name_of, parse_json

_TAKEN_OVER = ("values", "reference", "priority", "not_before", "due_at", "mark")
_KNOWN = frozenset({*_TAKEN_OVER, *(part.name for part in fields(Item))})
"""What `queues items -o jsonl` prints may be read in again; what a draft cannot hold is left out.

So is the mark of a line with an `id`: it is that item's own.
"""
_LINES_AHEAD = 64


async def read_drafts(source: str) -> AsyncIterator[ItemDraft]:
    """The drafts of a file, or of standard input for "-". Raises InvalidError that names the line."""
    lines = _lines_of_file(Path(source)) if is_plain_file(source) else _lines_as_they_come(source)
    number = 0
    async for line in lines:
        number += 1
        if line.strip():
            yield _draft(line, f"line {number} of {name_of(source)}")


def is_plain_file(source: str) -> bool:
    """Whether the source can be read twice, and never makes one wait: no pipe, and not standard input."""
    return source != STDIN and Path(source).is_file()


async def _lines_of_file(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            yield line


async def _lines_as_they_come(source: str) -> AsyncIterator[bytes]:
    """Lines of a pipe, read beside the event loop: whoever writes them may be slow, and requests must go on."""
    pump = _Pump(_opened(source), asyncio.get_running_loop())
    # A daemon, and not asyncio.to_thread: Ctrl-C must not wait for a line that never comes.
    threading.Thread(target=pump.run, daemon=True).start()
    try:
        while line := await pump.lines.get():
            if isinstance(line, OSError):
                raise line
            pump.room.release()
            yield line
    finally:
        pump.stop()


class _Pump:
    """Hands on each line of a stream, and an empty one at the end; only some lines ahead."""

    def __init__(self, stream: BinaryIO, loop: asyncio.AbstractEventLoop) -> None:
        self._stream = stream
        self.lines: asyncio.Queue[bytes | OSError] = asyncio.Queue()
        self.room = threading.Semaphore(_LINES_AHEAD)
        self._loop = loop
        self._stopped = False

    def run(self) -> None:
        with self._stream as stream:
            line: bytes | OSError = b"before the first"
            while isinstance(line, bytes) and line and not self._stopped:
                try:
                    line = stream.readline()
                except OSError as error:
                    line = error
                self.room.acquire()
                with suppress(RuntimeError):  # the loop is closed: nobody wants more
                    self._loop.call_soon_threadsafe(self.lines.put_nowait, line)

    def stop(self) -> None:
        """Lets the thread end at the next line."""
        self._stopped = True
        self.room.release()


def _opened(source: str) -> BinaryIO:
    return _own_stdin() if source == STDIN else Path(source).open("rb")


def _own_stdin() -> BinaryIO:
    """Standard input as a file of our own: Python cannot end while a thread reads from its `sys.stdin`."""
    try:
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    except OSError:  # it is no real file, as in tests
        return sys.stdin.buffer


def _draft(line: bytes, where: str) -> ItemDraft:
    try:
        data = parse_json(line)
    except ValueError:
        raise InvalidError(f"{where} is not JSON; each line must be one object") from None
    if not isinstance(data, dict) or not isinstance(data.get("values"), dict):
        raise InvalidError(f'{where} must be an object such as {{"values": {{"number": 4711}}, "reference": "A-1"}}')
    for key in data:
        if key not in _KNOWN:
            near = get_close_matches(key, _KNOWN, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"an item has {', '.join(_TAKEN_OVER)}"
            raise InvalidError(f"{where} says {key!r}, which an item does not have; {hint}")
    return ItemDraft(
        values=data["values"],
        reference=_text(data.get("reference"), "reference", where),
        priority=_priority(data.get("priority"), where),
        not_before=_time(data.get("not_before"), "not_before", where),
        due_at=_time(data.get("due_at"), "due_at", where),
        mark=None if "id" in data else _text(data.get("mark"), "mark", where),
    )


def _text(value: Any, name: str, where: str) -> str | None:
    if not isinstance(value, str | None):
        raise InvalidError(f"{where}: the {name} must be text")
    return value


def _priority(word: Any, where: str) -> Priority:
    try:
        return Priority.NORMAL if word is None else Priority(word)
    except ValueError:
        raise InvalidError(f"{where}: the priority must be {', '.join(Priority)}") from None


def _time(text: Any, name: str, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (TypeError, ValueError, OverflowError):
        raise InvalidError(f"{where}: {name} must be a time such as 2026-10-01T08:00Z") from None
