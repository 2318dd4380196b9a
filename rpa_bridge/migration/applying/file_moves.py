"""Files, streamed from one platform to the other with a running checksum; nothing is ever in memory whole."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.errors import BridgeError, NotFoundError
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.documents import Conflict, Kind, Step
from rpa_bridge.migration.journal.base import Change, Row, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.selection import Selection
from rpa_bridge.transport.call import deadline, time_for_attempt
from rpa_bridge.transport.content import FileOnDisk

from .item_looks import LONGEST_SEND, sent_by
from .pausing import Patience
from .refusals import in_the_way, leave, policy, refused, there_already

STAGE = "copying"
Check = Callable[[], Awaitable[None]]
"""Raises once the migration is another process's."""
AT_ONCE = 4
"""Files under way."""
SLOWEST = 16 * 1024
"""Bytes a second at which a file that takes longer than other sends is broken off."""
OPEN = frozenset({RowState.PLANNED, RowState.UNKNOWN})


class FileMove:
    """The files of one container."""

    def __init__(self, run: Run, step: Step, patience: Patience) -> None:
        self._run, self._step, self._key, self._patience = run, step, key_of(step), patience
        self._subject = step.name or "files"
        self._there: dict[tuple[str | None, str | None], dict[str, list[Artifact]]] = {}
        """What the target has, by container and job, and by name: names and sizes, whatever their number."""
        self._began = run.clock.now()
        self._sent_by: datetime | None = None
        """When the last that this run has sent was surely sent, whatever became of it."""
        self._done = 0

    async def move(self) -> None:
        """Copies what is open, until nothing is or it is asked to drain."""
        await self._patience.through(self._run, self._subject, self._copy)

    async def _copy(self) -> None:
        if not await self._run.journal.rows(step=self._key, states=OPEN, limit=1):
            return
        self._there.clear()
        select, batch = Selection.of(self._run.plan.select), list[Artifact]()
        async with aclosing(inventory.files(self._run.source, select, container=self._step.name)) as files:
            async for file in files:
                batch.append(file)
                if len(batch) == AT_ONCE:
                    await self._copy_batch(batch)
                    batch = []
                if self._run.draining.is_set():
                    return
        await self._copy_batch(batch)
        if not self._run.draining.is_set():  # then what is open was left so, and is not missing
            await self._bury_the_missing()

    async def _copy_batch(self, files: Sequence[Artifact]) -> None:
        rows = await self._run.journal.by_src(self._key, [file.id for file in files])
        todo = [(rows[file.id], file) for file in files if file.id in rows and rows[file.id].state in OPEN]
        ends = await asyncio.gather(*(self._copy_one(row, file) for row, file in todo), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _copy_one(self, row: Row, file: Artifact) -> None:
        try:
            change = await self._moved(row, file)
        except BridgeError as error:
            dead = refused(row, error)
            if dead is None:
                await leave(self._run, row, error)
                raise
            change = dead
        if change is None:
            return
        await self._run.journal.settle([change], self._run.clock.now())
        self._run.reached("files.settled")
        self._patience.done()
        self._done += 1
        self._run.tell(STAGE, self._subject, self._done, self._step.count)

    async def _moved(self, row: Row, file: Artifact) -> Change | None:
        """What becomes of the row; None when it is left as it is, to drain."""
        name, container, job = mapping.file_place(self._step, file)
        there = (await self._listed(container, job)).get(name, [])
        existed = bool(there)
        if row.state is RowState.UNKNOWN:
            same = await self._same(row, file, there) or await self._arrived(row, file)
            if same is not None or self._run.draining.is_set():
                return same
            existed = row.existed
        elif there:
            rule = policy(self._run, Kind.ARTIFACTS)
            if rule is Conflict.FAIL:
                return in_the_way(row, f"a file {name!r}")
            if rule is Conflict.SKIP:
                return there_already(row, f"a file {name!r} is there, and stays")
        made, size, checksum = await self._upload(replace(row, existed=existed), file)
        return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=made.id, bytes=size, expect_hash=checksum)

    async def _listed(self, container: str | None, job: str | None) -> dict[str, list[Artifact]]:
        if (container, job) not in self._there:
            found: dict[str, list[Artifact]] = {}
            async for one in self._run.target.artifacts.find(container=container, job=job):
                found.setdefault(one.name, []).append(one)
            self._there[container, job] = found
        return self._there[container, job]

    async def _arrived(self, row: Row, file: Artifact) -> Change | None:
        """The row settled once nothing can arrive any more: a request may outlive the process that sent it."""
        name, container, job = mapping.file_place(self._step, file)
        now = self._run.clock.now()
        sent = sent_by(self._run, row.intent_at or now, self._began)
        over = max(sent, self._sent_by or sent)
        left = (over - now).total_seconds() + self._run.target.settle_window
        if left > 0:
            self._run.tell(STAGE, self._subject, self._done, self._step.count, f"waiting {left:.0f} s for {name!r}")
            await self._run.pause(left)
        self._there.pop((container, job), None)
        return await self._same(row, file, (await self._listed(container, job)).get(name, []))

    async def _same(self, row: Row, file: Artifact, there: Sequence[Artifact]) -> Change | None:
        """The row settled with the file that an earlier attempt has left whole, if there is one."""
        wanted = await _measured(self._run.source.artifacts, file) if there else None
        for one in there:
            with suppress(NotFoundError):  # a record whose content never came
                if (found := await _measured(self._run.target.artifacts, one)) == wanted:
                    size, checksum = found
                    return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=one.id, bytes=size, expect_hash=checksum)
        return None

    async def _upload(self, row: Row, file: Artifact) -> tuple[Artifact, int, str]:
        """The file at the target, and what was read in size and checksum; of unknown size, to the disk before."""
        async with self._run.source.artifacts.open(file) as pieces:
            if file.size is not None:
                summed = _Summed(pieces, self._run.journal.check)
                made = await self._send(row, file, summed, file.size)
                return made, file.size, summed.hash.hexdigest()
            async with _on_disk(pieces) as (spool, checksum):
                size = spool.content.size
                made = await self._send(row, file, _Checked(spool, self._run.journal.check), size)
                return made, size, checksum

    async def _send(self, row: Row, file: Artifact, pieces: AsyncIterable[bytes], size: int) -> Artifact:
        """The file at the target, after it is written down that it is about to be there."""
        run, (name, container, job) = self._run, mapping.file_place(self._step, file)
        with deadline(max(LONGEST_SEND, size / SLOWEST), clock=run.clock):  # who takes over relies on it
            if row.state is RowState.UNKNOWN:  # it can no longer arrive
                await run.journal.settle([Change(seq=row.seq, to=RowState.PLANNED)], run.clock.now())
            await run.journal.intend([row.seq], run.clock.now(), existed=[row.seq] if row.existed else [])
            await run.journal.check()
            self._run.reached("files.intended")
            time_for_attempt("artifacts.upload")  # not every platform looks at the clock by itself
            try:
                made = await run.target.artifacts.upload(name, pieces, size=size, container=container, job=job)
            finally:
                self._sent_by = run.clock.now()
        self._run.reached("files.uploaded")
        return made

    async def _bury_the_missing(self) -> None:
        """Settles rows whose file did not come up in the list any more."""
        hint = "it is no longer at the source, so that nothing is to be copied"
        while rows := await self._run.journal.rows(step=self._key, states=OPEN):
            changes = [Change(seq=row.seq, to=RowState.DEAD, code="not_there", hint=hint) for row in rows]
            await self._run.journal.settle(changes, self._run.clock.now())


class _Summed:
    """A stream that can be read once, with the checksum of what was read; `check` may end it before each piece."""

    def __init__(self, pieces: AsyncIterator[bytes], check: Check) -> None:
        self._pieces, self._check = pieces, check
        self.hash = sha256()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self.hash.update(piece)
        await self._check()
        return piece


@dataclass(frozen=True, slots=True)
class _Checked:
    """Content that can be read as often as that which it stands for; `check` may end it before each piece."""

    pieces: AsyncIterable[bytes]
    check: Check

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self.pieces:
            await self.check()
            yield piece


@asynccontextmanager
async def _on_disk(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[FileOnDisk, str]]:
    """What was read, in a file of this user's alone that is gone after the block, and its checksum."""
    number, name = await asyncio.to_thread(tempfile.mkstemp, prefix="rpa-bridge-")
    path, checksum = Path(name), sha256()
    try:
        with os.fdopen(number, "wb") as file:
            async for piece in pieces:
                checksum.update(piece)
                await asyncio.to_thread(file.write, piece)
        yield FileOnDisk(path), checksum.hexdigest()
    finally:
        await asyncio.to_thread(path.unlink)


async def _measured(artifacts: ArtifactService, file: Artifact) -> tuple[int, str]:
    """The size of the file's content, and its SHA-256 in hex."""
    size, checksum = 0, sha256()
    async with artifacts.open(file) as pieces:
        async for piece in pieces:
            size += len(piece)
            checksum.update(piece)
    return size, checksum.hexdigest()
