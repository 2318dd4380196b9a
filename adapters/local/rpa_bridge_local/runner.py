"""Runs one job to its end: in a process of its own, so that the job outlives whoever started it, or as a task.

    python -m rpa_bridge_local.runner FILE JOB_ID        with the order as JSON on standard input

The runner claims the job, runs its command, keeps its lines as log entries, and writes down how it ended. It looks
into the database for a wish to stop: nobody signals a process by a number that was read from a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.contract.model import Severity
from rpa_bridge.errors import RemoteError
from rpa_bridge.redaction import REDACTOR

from .database import Database
from .mapping import JobWord, moment, moment_text
from .processes import ERR, Command, owner_of

T = TypeVar("T")
LOOK = 0.2
"""Seconds between two looks for a wish to stop."""
DRAIN = 2.0
"""Seconds in which lines may still come after the end; a process left behind may hold the pipes for ever."""
PATIENCE = 300.0
"""Seconds in which a job's end is written again and again while the file is locked or its disk is full."""
MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes of outputs that a job may give."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run."""

    command: tuple[str, ...]
    cwd: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended."""

    word: JobWord
    message: str | None = None
    outputs: str = "{}"


LOST = Ending(JobWord.LOST, "lost with the process that ran it")


class Runner:
    """One job, run to its end."""

    def __init__(self, database: Database, clock: Clock, job_id: int, order: Order) -> None:
        self._database = database
        self._clock = clock
        self._job_id = job_id
        self._order = order

    async def run(self) -> None:
        """Runs the job, unless somebody stopped it before. When cancelled, the command is killed and the job lost."""
        if not await self._is_due():
            return
        inputs = await self._claim()
        if inputs is None:
            return
        try:
            ending = await self._carry_out(inputs)
        except BaseException:  # cancelled, or a fault of ours: no job stays running without a runner
            await self._finish(LOST)
            raise
        await self._finish(ending)

    async def _is_due(self) -> bool:
        while True:
            row = await self._insist(lambda: self._database.read(self._look))
            if row["state"] != JobWord.WAITING:
                return False
            not_before = moment(row["not_before"])
            left = (not_before - self._clock.now()).total_seconds() if not_before else 0.0
            if left <= 0:
                return True
            await self._clock.sleep(min(left, 1.0))

    async def _claim(self) -> str | None:
        def claim(db: sqlite3.Connection) -> str | None:
            row = db.execute(
                "UPDATE jobs SET state = 'running', owner = ?, started_at = ? WHERE id = ? AND state = 'waiting'"
                " RETURNING inputs",
                (owner_of(os.getpid()), self._now(), self._job_id),
            ).fetchone()
            return None if row is None else str(row["inputs"])

        return await self._insist(lambda: self._database.write(claim))

    async def _carry_out(self, inputs: str) -> Ending:
        words = self._order.command
        with tempfile.TemporaryDirectory(prefix="rpa-bridge-", ignore_cleanup_errors=True) as folder:
            output = Path(folder) / "output.json"
            told = {"RPA_BRIDGE_JOB": str(self._job_id), "RPA_BRIDGE_JOB_OUTPUT": str(output)}
            env = {**os.environ, **self._order.env, **self._order.secrets, **told}
            try:
                command = await Command.start(words, inputs, cwd=self._order.cwd, env=env)
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                return Ending(
                    JobWord.FAILED, f"{words[0]!r} cannot be started ({why}); correct the automation's command"
                )
            try:
                ending = await self._watch(command)
            finally:
                await command.aclose()
            if ending is None:
                ending = await asyncio.to_thread(_natural_ending, command, output)
            return ending

    async def _watch(self, command: Command) -> Ending | None:
        """Returns when the command has ended; the ending, when it was ours."""
        limit, started = self._order.timeout, self._clock.monotonic()
        ending: Ending | None = None
        granted: str | None = None
        while not command.ended.is_set():
            await _at_most(LOOK, command.ended.wait())
            with contextlib.suppress(RemoteError):  # they are kept at the next look
                await self._keep_lines(command)
            wish = await self._wish()
            if command.ended.is_set():
                break
            if limit is not None and self._clock.monotonic() - started > limit:
                ending = Ending(JobWord.FAILED, f"it ran longer than its {limit:g} seconds and was killed")
                command.end(force=True)
            elif wish is not None and wish != granted:
                ending, granted = Ending(JobWord.STOPPED, "stopped on request"), wish
                command.end(force=wish == "force")
        await _at_most(DRAIN, command.drained.wait())
        with contextlib.suppress(RemoteError):  # how it ended matters more
            await self._insist(lambda: self._keep_lines(command))
        return ending

    async def _wish(self) -> str | None:
        with contextlib.suppress(RemoteError):  # locked for a while: look again later
            wish: str | None = (await self._database.read(self._look))["stop"]
            return wish
        return None

    async def _keep_lines(self, command: Command) -> None:
        """Writes lines as log entries. They stay with the command, which has to wait, until that is done."""
        entries = [
            {
                "job": self._job_id,
                "at": self._now(),
                "severity": Severity.WARNING if fd == ERR else Severity.INFO,
                "message": REDACTOR.clean(line),
            }
            for fd, line in command.lines
        ]
        if entries:
            await self._database.write(
                lambda db: db.executemany(
                    "INSERT INTO log_entries (job_id, at, severity, message, robot)"
                    " SELECT :job, :at, :severity, :message, robot FROM jobs WHERE id = :job",
                    entries,
                )
            )
            command.drop(len(entries))

    async def _finish(self, ending: Ending) -> None:
        """Writes the end down, unless the job was reported from inside its run."""
        message = None if ending.message is None else REDACTOR.clean(ending.message)
        values = (ending.word, message, ending.outputs, self._now(), self._job_id)
        await self._insist(
            lambda: self._database.write(
                lambda db: db.execute(
                    "UPDATE jobs SET state = ?, message = ?, outputs = ?, ended_at = ?"
                    " WHERE id = ? AND ended_at IS NULL",
                    values,
                )
            )
        )

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asks again and again while the file is locked or full: an end that is not written down is a lost job."""
        started = self._clock.monotonic()
        while True:
            try:
                return await ask()
            except RemoteError:
                if self._clock.monotonic() - started > PATIENCE:
                    raise
            await self._clock.sleep(1.0)

    def _look(self, db: sqlite3.Connection) -> sqlite3.Row:
        row: sqlite3.Row = db.execute(
            "SELECT state, stop, not_before FROM jobs WHERE id = ?", (self._job_id,)
        ).fetchone()
        return row

    def _now(self) -> str | None:
        return moment_text(self._clock.now())


async def _at_most(seconds: float, event: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event, seconds)


def _natural_ending(command: Command, output: Path) -> Ending:
    if command.exit_code != 0:
        return Ending(JobWord.FAILED, command.last_error or f"its command ended with exit code {command.exit_code}")
    try:
        return Ending(JobWord.SUCCEEDED, outputs=_outputs(output))
    except (ValueError, RecursionError, OSError):
        return Ending(
            JobWord.FAILED,
            "its command ended well, but what it wrote to RPA_BRIDGE_JOB_OUTPUT is no JSON object of at most 16 MiB",
        )


def _outputs(output: Path) -> str:
    if not output.exists():
        return "{}"
    if output.stat().st_size > MOST_OUTPUT:
        raise ValueError(output.name)
    given = json.loads(output.read_bytes())
    if not isinstance(given, dict):
        raise ValueError(output.name)
    return json.dumps(given, allow_nan=False)


def detach(path: str, job_id: int, order: Order) -> str:
    """Starts a runner's process, and returns its name as an owner. Blocks; raises OSError when that fails."""
    process = subprocess.Popen(  # noqa: S603 - our own module, a path and a number
        [sys.executable, "-P", "-m", "rpa_bridge_local.runner", path, str(job_id)],  # -P: no modules from this folder
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    owner = owner_of(process.pid)
    with contextlib.suppress(BrokenPipeError), cast("TextIO", process.stdin) as pipe:  # else it is found lost
        pipe.write(json.dumps(asdict(order)))
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie while we live
    return owner


async def _alone(path: str, job_id: int, order: Order) -> None:
    task = asyncio.current_task()
    if sys.platform != "win32" and task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    database = Database(path)
    try:
        with contextlib.suppress(asyncio.CancelledError):  # somebody ended us; the job says so
            await Runner(database, SystemClock(), job_id, order).run()
    finally:
        await database.aclose()


def main() -> None:
    """The process of one job."""
    path, job_id = sys.argv[1:]
    order = Order(**json.load(sys.stdin))
    for value in order.secrets.values():
        REDACTOR.add(value)
    asyncio.run(_alone(path, int(job_id), order))


if __name__ == "__main__":
    main()
