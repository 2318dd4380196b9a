"""Artifacts: the result files of tasks. docs: botmaestro.md 6"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from mimetypes import guess_type
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.contract.features import Limits
from rpa_bridge.errors import NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.transport.base import Effect, Request, opened
from rpa_bridge.transport.content import BINARY, Content

from .client import NEWEST_FIRST, Client, number_of
from .mapping import artifacts as mapping
from .wire.artifacts import ArtifactRecord

LOG = logging.getLogger("rpa_bridge.botmaestro")
WEB_PAGE = "text/html"


class BotMaestroArtifacts(ArtifactService):
    """Files of tasks. There is no route to delete one."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client
        self._filling: set[int] = set()
        """Records whose content is on its way: not to be taken by another upload of the same name."""

    async def find(self, *, container: str | None = None, job: str | None = None) -> AsyncIterator[Artifact]:
        operation = "artifacts.find"
        _refuse_container(operation, container)
        async for record in self._records(job, operation):
            yield mapping.artifact(record)

    @asynccontextmanager
    async def open(self, artifact: Artifact | str) -> AsyncIterator[AsyncIterator[bytes]]:
        operation = "artifacts.open"
        record = await self._record(artifact if isinstance(artifact, str) else artifact.id, operation)
        is_page = mapping.artifact(record).content_type == WEB_PAGE
        async with opened(self._client.transport, _content(record, operation), refuse_pages=not is_page) as pieces:
            yield pieces

    async def upload(
        self,
        name: str,
        content: AsyncIterable[bytes] | bytes,
        *,
        size: int | None = None,
        container: str | None = None,
        job: str | None = None,
    ) -> Artifact:
        """The file: its record first, then the content. When that fails the record stays, without content."""
        operation = "artifacts.upload"
        check_name(operation, "file", name, Limits())
        _refuse_container(operation, container)
        body = Content.of(content, size, operation)
        body.media_type = guess_type(name)[0] or BINARY
        if job is None:
            raise refuse(operation, "a result file belongs to a task; give job")
        record = await self._create(number_of(operation, "task", job), name, operation)
        try:
            await self._fill(record, name, body, operation)
        except Exception:
            LOG.warning("%s: record %s stays on task %s, and cannot be deleted", operation, record.id, job)
            raise
        finally:
            self._filling.discard(record.id)
        return mapping.artifact(record, body.size)

    async def _create(self, task: int, name: str, operation: str) -> ArtifactRecord:
        """The record. After a lost answer one of this task and name that has no content yet is as good as ours."""

        async def send() -> ArtifactRecord:
            new: dict[str, Any] = {"taskId": task, "name": name, "filename": name}
            answer = await self._client.call("POST", "/artifact", effect=Effect.FINDABLE, operation=operation, json=new)
            record = ArtifactRecord.of(answer, operation)
            if not _is_for(record, task, name) or not self._claims(record):
                raise ProtocolError(f"{operation}: the answer does not name our file", operation=operation)
            return record

        async def look_up() -> ArtifactRecord | None:
            async for record in self._records(str(task), operation):
                if _is_for(record, task, name) and await self._size(record, operation) is None and self._claims(record):
                    return record
            return None

        what = f"the record of file {name!r} of task {task}"
        return await self._client.effects.once(send, look_up, operation=operation, what=what)

    async def _fill(self, record: ArtifactRecord, name: str, body: Content, operation: str) -> None:
        """Sends the content, again if it can be read again. A lost answer is settled by reading what came."""

        async def send() -> bool:
            path = f"/artifact/log/{record.id}"
            await self._client.upload(path, name, body, effect=Effect.SET, operation=operation)
            return True

        async def look_up() -> bool | None:
            return await self._size(record, operation) == body.size or None

        what = f"the content of file {name!r}, record {record.id},"
        await self._client.effects.once(send, look_up, operation=operation, what=what)

    def _claims(self, record: ArtifactRecord) -> bool:
        """Whether the record is this upload's from now on."""
        if record.id in self._filling:
            return False
        self._filling.add(record.id)
        return True

    async def _size(self, record: ArtifactRecord, operation: str) -> int | None:
        """How many bytes the platform holds; None for a record without content."""
        try:
            async with opened(self._client.transport, _content(record, operation)) as pieces:
                return sum([len(piece) async for piece in pieces])
        except NotFoundError:
            return None

    async def _records(self, job: str | None, operation: str) -> AsyncIterator[ArtifactRecord]:
        """Records, newest first. docs: whether the list heeds taskId is not sure, botmaestro.md 6"""
        params = NEWEST_FIRST | ({} if job is None else {"taskId": job})
        async for record in self._client.all_rows(ArtifactRecord, "/artifact", operation=operation, params=params):
            if job in (None, str(record.taskId)):
                yield record

    async def _record(self, wanted: str, operation: str) -> ArtifactRecord:
        number = number_of(operation, "file", wanted)
        try:
            record = await self._client.read(ArtifactRecord, f"/artifact/{number}", operation=operation)
        except NotFoundError:
            raise NotFoundError(
                f"{operation}: there is no file {wanted!r}; `rpa-bridge artifacts list` shows what there is",
                status=404,
                operation=operation,
            ) from None
        if record.id != number:
            raise ProtocolError(f"{operation}: asked for file {wanted}, got {record.id}", operation=operation)
        return record


def _content(record: ArtifactRecord, operation: str) -> Request:
    return Request("GET", f"/artifact/{record.id}/file", effect=Effect.READ, operation=operation)


def _is_for(record: ArtifactRecord, task: int, name: str) -> bool:
    return str(record.taskId) == str(task) and record.name == name


def _refuse_container(operation: str, container: str | None) -> None:
    if container is not None:
        hint = "its files belong to tasks: give job"
        raise UnsupportedError(f"{operation} with a container", adapter="botmaestro", hint=hint)
