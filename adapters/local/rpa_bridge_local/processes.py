"""Processes: a command that runs, and whether the process that runs a job is still there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

OUT, ERR = 1, 2
LONGEST_LINE = 64 * 1024
"""Bytes. A longer line is cut into several."""
MOST_PENDING = 1024 * 1024
"""Characters of lines that wait to be kept; beyond this the command has to wait."""
UNKNOWN = "unknown"
"""The owner on Windows, where we cannot tell processes apart: its jobs are never called lost."""
GONE = "gone"


class Command(asyncio.SubprocessProtocol):
    """A started command, in a process group of its own. `start` makes one; `aclose` leaves nothing of it behind."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.drained = asyncio.Event()
        """Both of its pipes are closed: no line will follow."""
        self.last_error = ""
        """Its last line on standard error that is not blank."""
        self._rest = {OUT: b"", ERR: b""}
        self._open = {OUT, ERR}
        self.lines: list[tuple[int, str]] = []
        """What it has written, until dropped: OUT or ERR, and the line."""
        self._pending = 0

    @classmethod
    async def start(cls, words: Sequence[str], text: str, *, cwd: str | None, env: Mapping[str, str]) -> Command:
        """The command, with `text` on its standard input. Raises OSError or ValueError when it cannot be started."""
        spawn = asyncio.get_running_loop().subprocess_exec(cls, *words, cwd=cwd, env=env, start_new_session=True)
        starting = asyncio.ensure_future(spawn)
        try:
            _, command = await asyncio.shield(starting)
        except asyncio.CancelledError:  # asyncio itself, cancelled there, leaves pipes open and may hang
            with contextlib.suppress(OSError, ValueError):
                await (await starting)[1].aclose()
            raise
        command._feed(text)  # noqa: SLF001 - its own, set where it is made
        return command

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._transport.get_returncode()

    def drop(self, count: int) -> None:
        """Forgets the first lines: they are kept elsewhere now."""
        self._pending -= sum(len(line) for _, line in self.lines[:count])
        del self.lines[:count]
        if self._pending <= MOST_PENDING:
            for pipe in self._pipes():
                pipe.resume_reading()

    def end(self, *, force: bool) -> None:
        """Asks it, and what it started, to end; with `force` they are killed."""
        if self.exit_code is not None:
            return
        if sys.platform == "win32":
            self._transport.kill() if force else self._transport.terminate()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL if force else signal.SIGTERM)

    async def aclose(self) -> None:
        """Kills it if it still runs, and gives back its pipes."""
        self.end(force=True)
        await self.ended.wait()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, rest = (self._rest[fd] + data).split(b"\n")
        for line in lines:
            self._note(fd, self._cut(fd, line))
        self._rest[fd] = self._cut(fd, rest)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if fd in self._open:
            self._open.remove(fd)
            if self._rest[fd]:
                self._note(fd, self._rest.pop(fd))
        if not self._open:
            self.drained.set()

    def process_exited(self) -> None:
        self.ended.set()

    def _feed(self, text: str) -> None:
        pipe = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        pipe.write(text.encode())
        pipe.close()

    def _cut(self, fd: int, line: bytes) -> bytes:
        """Notes all of the line but its end, which is returned."""
        while len(line) > LONGEST_LINE:
            self._note(fd, line[:LONGEST_LINE])
            line = line[LONGEST_LINE:]
        return line

    def _note(self, fd: int, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.lines.append((fd, text))
        self._pending += len(text)
        if fd == ERR and text.strip():
            self.last_error = text.strip()
        if self._pending > MOST_PENDING:
            for pipe in self._pipes():
                pipe.pause_reading()

    def _pipes(self) -> list[asyncio.ReadTransport]:
        return [cast("asyncio.ReadTransport", self._transport.get_pipe_transport(fd)) for fd in self._open]


def owner_of(pid: int) -> str:
    """The process, as "host|boot|room|pid|start"."""
    return UNKNOWN if sys.platform == "win32" else "|".join([*_place(), str(pid), _start(pid)])


def is_lost(owner: str) -> bool:
    """Whether the process is surely gone. One of another machine or container cannot be seen: it is not called lost."""
    if owner == UNKNOWN:
        return False
    host, boot, room, pid, start = owner.split("|")
    here = _place()
    if host != here[0]:
        return False
    if boot != here[1]:
        return True  # the machine has started anew since
    return room == here[2] and (start == GONE or _start(int(pid)) != start)


def _place() -> tuple[str, str, str]:
    """This machine's name, its latest start, and the room (container) in which its process numbers count."""
    host = platform.node().replace("|", "_")
    if sys.platform != "linux":
        return host, "", ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return host, boot, str(Path("/proc/self/ns/pid").readlink())


def _start(pid: int) -> str:
    """When the process started, in the system's own words; GONE for one that is no more, or a zombie."""
    if sys.platform != "linux":
        return _start_by_ps(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return GONE
    return GONE if fields[0] in "ZX" else fields[19]


def _start_by_ps(pid: int) -> str:
    words = subprocess.run(  # noqa: S603 - a fixed command and a number
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return GONE if not words or words[0].startswith("Z") else " ".join(words[1:])
