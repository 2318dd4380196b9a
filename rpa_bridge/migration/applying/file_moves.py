"""Files, streamed from one platform to the other with a running checksum; nothing is ever in memory whole."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.errors import BridgeError, NotFoundError
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.documents import Conflict, Kind, Step
from rpa_bridge.migration.journal.base import Change, Row, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.selection import Selection
from rpa_bridge.transport.content import FileOnDisk

from .item_looks import sent_by
from .pausing import Patience
from .refusals import in_the_way, leave, policy, refused, there_already

STAGE = "copying"
AT_ONCE = 4
"""Files under way."""
OPEN = frozenset({RowState.PLANNED, RowState.UNKNOWN})


class FileMove:
    """The files of one container."""

    def __init__(self, run: Run, step: Step, patience: Patience) -> None:
        self._run, self._step, self._key, self._patience = run, step, key_of(step), patience
        self._subject = step.name or "files"
        self._there: dict[tuple[str | None, str | None], dict[str, list[Artifact]]] = {}
        """What the target has, by container and job, and by name: names and sizes, whatever their number."""
        self._began = run.clock.now()
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
        if row.state is RowState.UNKNOWN:
            same = await self._same(row, file, there) or await self._arrived(row, file)
            if same is not None or self._run.draining.is_set():
                return same
        elif there:
            rule = policy(self._run, Kind.ARTIFACTS)
            if rule is Conflict.FAIL:
                return in_the_way(row, f"a file {name!r}")
            if rule is Conflict.SKIP:
                return there_already(row, f"a file {name!r} is there, and stays")
        if row.state is RowState.PLANNED:
            existed = [row.seq] if there else []
            await self._run.journal.intend([row.seq], self._run.clock.now(), existed=existed)
        await self._run.journal.check()
        self._run.reached("files.intended")
        made, checksum = await self._upload(file, name, container, job)
        self._run.reached("files.uploaded")
        return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=made.id, expect_hash=checksum)

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
        over = sent_by(self._run, row.intent_at or now, self._began)
        left = (over - now).total_seconds() + self._run.target.settle_window
        if left > 0:
            self._run.tell(STAGE, self._subject, self._done, self._step.count, f"waiting {left:.0f} s for {name!r}")
            await self._run.pause(left)
        self._there.pop((container, job), None)
        return await self._same(row, file, (await self._listed(container, job)).get(name, []))

    async def _same(self, row: Row, file: Artifact, there: Sequence[Artifact]) -> Change | None:
        """The row settled with the file that an earlier attempt has left whole, if there is one."""
        wanted = await checksum_of(self._run.source.artifacts, file) if there else ""
        for one in there:
            with suppress(NotFoundError):  # a record whose content never came
                if await checksum_of(self._run.target.artifacts, one) == wanted:
                    return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=one.id, expect_hash=wanted)
        return None

    async def _upload(self, file: Artifact, name: str, container: str | None, job: str | None) -> tuple[Artifact, str]:
        """The file at the target, and the checksum of what was read; one of unknown size is read to the disk before."""
        upload = self._run.target.artifacts.upload
        async with self._run.source.artifacts.open(file) as pieces:
            if file.size is not None:
                summed = _Summed(pieces)
                made = await upload(name, summed, size=file.size, container=container, job=job)
                return made, summed.hash.hexdigest()
            async with _on_disk(pieces) as (spool, checksum):
                made = await upload(name, spool, size=spool.content.size, container=container, job=job)
                return made, checksum

    async def _bury_the_missing(self) -> None:
        """Settles rows whose file did not come up in the list any more."""
        hint = "it is no longer at the source, so that nothing is to be copied"
        while rows := await self._run.journal.rows(step=self._key, states=OPEN):
            changes = [Change(seq=row.seq, to=RowState.DEAD, code="not_there", hint=hint) for row in rows]
            await self._run.journal.settle(changes, self._run.clock.now())


class _Summed:
    """A stream that can be read once, with the checksum of what was read."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.hash = sha256()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self.hash.update(piece)
        return piece


@asynccontextmanager
async def _on_disk(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[FileOnDisk, str]]:
    """What was read, in a file of this user's alone that is gone after the block, and its checksum."""
    number, name = await asyncio.to_thread(tempfile.mkstemp, prefix="rpa-bridge-")
    path, summed = Path(name), _Summed(pieces)
    try:
        with os.fdopen(number, "wb") as file:
            async for piece in summed:
                await asyncio.to_thread(file.write, piece)
        yield FileOnDisk(path), summed.hash.hexdigest()
    finally:
        await asyncio.to_thread(path.unlink)


async def checksum_of(artifacts: ArtifactService, file: Artifact) -> str:
    """SHA-256 of the file's content, in hex."""
    checksum = sha256()
    async with artifacts.open(file) as pieces:
        async for piece in pieces:
            checksum.update(piece)
    return checksum.hexdigest()
