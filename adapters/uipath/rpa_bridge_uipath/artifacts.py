"""Files of buckets, and attachments of jobs. docs: uipath.md 3.8 "Attachments" and 3.13"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from mimetypes import guess_type
from uuid import UUID

from rpa_bridge.clock import Clock
from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.contract.features import Limits
from rpa_bridge.errors import NotFoundError, ProtocolError
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.content import BINARY, Content
from rpa_bridge.transport.outbox import Intent

from . import odata, storage
from .client import Client
from .mapping import artifacts as mapping
from .mapping.artifacts import BucketFile
from .wire.artifacts import BlobFile, BlobFileAccess, BlobFiles, BucketDto, JobAttachmentDto

FILES = 500
"""Files a page: the server's own default; it may give up to twice as many. docs: uipath.md 3.13"""
ATTACHMENT_NAME = Limits(name_length=256)
_CORRUPTED = re.compile(r"[&+%?]")
"""The server stores a name with one of these as another, and reports success. docs: uipath.md 7, 17"""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|^/|/$|//|(^|/)\.{1,2}(/|$)")

JobKey = Callable[[str, str], Awaitable[UUID]]
"""The key of a job, from its id and the operation that asks. Raises NotFoundError."""


class UiPathArtifacts(ArtifactService):
    """Files in buckets by path; a job's attachments by id. Content goes to and from storage, never through us whole."""

    def __init__(self, client: Client, clock: Clock, job_key: JobKey) -> None:
        super().__init__("uipath", clock)
        self._client, self._job_key = client, job_key

    async def find(self, *, container: str | None = None, job: str | None = None) -> AsyncIterator[Artifact]:
        """Files of this bucket, of this job, or without either of all buckets in the folder."""
        operation = "artifacts.find"
        if job is not None:
            async for artifact in self._attachments(job, operation):
                if container is None:  # an attachment lies in no bucket
                    yield artifact
            return
        if container is not None:
            bucket = await self._bucket(container, operation)
            async for file in self._files(bucket, operation):
                yield file
            return
        async for bucket in self._client.all_rows(BucketDto, "Buckets", operation=operation):
            async for file in self._files(bucket, operation):
                yield file

    @asynccontextmanager
    async def open(self, artifact: Artifact | str) -> AsyncIterator[AsyncIterator[bytes]]:
        operation = "artifacts.open"
        place = _place(artifact, operation)
        if isinstance(place, BucketFile):
            access = await self._access(place, "GetReadUri", {}, operation)
        else:
            access = await storage.attachment_access(self._client, place, operation)
        async with storage.get(self._client, access, operation) as pieces:
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
        """The file, in a bucket or attached to a job; a bucket's file of the same name is replaced."""
        operation = "artifacts.upload"
        body = Content.of(content, size, operation)
        body.media_type = guess_type(name)[0] or BINARY
        if (container is None) == (job is None):
            raise refuse(operation, "a file goes into a bucket or to a job; give one of container and job")
        if container is not None:
            return await self._upload_to_bucket(name, body, container, operation)
        return await self._attach(name, body, str(job), operation)

    async def delete(self, artifact: Artifact | str) -> None:
        operation = "artifacts.delete"
        place = _place(artifact, operation)
        if isinstance(place, BucketFile):
            await self._about(place, "GetFile", operation)  # deleting what is not there is answered like a success
            path = _file_path(place.bucket, "DeleteFile")
            params = {"path": place.path}
            await self._client.call("DELETE", path, effect=Effect.SET, operation=operation, params=params)
            return
        await self._client.call("DELETE", storage.attachment_path(place), effect=Effect.SET, operation=operation)

    async def _upload_to_bucket(self, name: str, body: Content, container: str, operation: str) -> Artifact:
        _check_path(name, operation)
        bucket = await self._bucket(container, operation)
        place = BucketFile(bucket.Id, name)
        access = await self._access(place, "GetWriteUri", {"contentType": body.media_type}, operation)
        await storage.put(self._client, access, body, operation)
        file = BlobFile(full_path=name, content_type=body.media_type, size=body.size)
        return mapping.bucket_file(file, bucket.Id, bucket.Name)

    async def _attach(self, name: str, body: Content, job: str, operation: str) -> Artifact:
        check_name(operation, "file", name, ATTACHMENT_NAME)
        key = await self._job_key(job, operation)
        attachment = await storage.create_attachment(self._client, name, body, operation)
        link = {"attachmentId": str(attachment.Id), "jobKey": str(key), "category": None}

        async def send() -> bool:
            path = "/api/JobAttachments/Post"
            await self._client.call("POST", path, effect=Effect.FINDABLE, operation=operation, json=link)
            return True

        async def look_up() -> bool | None:
            return True if await self._is_linked(attachment.Id, key, operation) else None

        what = f"the link from job {job} to its file {name!r}"
        await self._client.effects.once(
            send, look_up, operation=operation, what=what, subject=job, key=str(attachment.Id)
        )
        return mapping.attachment(attachment, job, body.size)

    async def linked(self, intent: Intent) -> tuple[str, ...]:
        """The id of the attachment, where a job has it that an upload was to give it whose end nobody saw."""
        job, attachment = await self._job_key(intent.subject, intent.operation), UUID(intent.key)
        return (intent.key,) if await self._is_linked(attachment, job, intent.operation) else ()

    async def _is_linked(self, attachment: UUID, job_key: UUID, operation: str) -> bool:
        return attachment in {one.attachment_id for one in await self._links(job_key, operation)}

    async def _files(self, bucket: BucketDto, operation: str) -> AsyncIterator[Artifact]:
        token: str | None = None
        while True:
            params = {"takeHint": str(FILES)} | ({"continuationToken": token} if token else {})
            path = f"/api/Buckets/{bucket.Id}/ListFiles"
            answer = await self._client.call("GET", path, effect=Effect.READ, operation=operation, params=params)
            page = BlobFiles.of(answer, operation)
            for row in page.items:
                yield mapping.bucket_file(BlobFile.of(row, operation), bucket.Id, bucket.Name)
            if not page.continuation_token:
                return
            if page.continuation_token == token:
                raise ProtocolError(f"{operation}: the platform's list of files does not move on", operation=operation)
            token = page.continuation_token

    async def _attachments(self, job: str, operation: str) -> AsyncIterator[Artifact]:
        for link in await self._links(await self._job_key(job, operation), operation):
            name = link.attachment_name or (await storage.attachment(self._client, link.attachment_id, operation)).Name
            yield mapping.job_attachment(link, name, job)

    async def _links(self, job_key: UUID, operation: str) -> list[JobAttachmentDto]:
        path, params = "/api/JobAttachments/GetByJobKey", {"jobKey": str(job_key)}
        answer = await self._client.call("GET", path, effect=Effect.READ, operation=operation, params=params)
        if not isinstance(answer, list):
            raise ProtocolError(f"{operation}: the platform's answer is not a list of attachments", operation=operation)
        return [JobAttachmentDto.of(row, operation) for row in answer]

    async def _access(self, place: BucketFile, verb: str, params: dict[str, str], operation: str) -> BlobFileAccess:
        return BlobFileAccess.of(await self._about(place, verb, operation, params), operation)

    async def _about(
        self, place: BucketFile, verb: str, operation: str, params: dict[str, str] | None = None
    ) -> object:
        path, asked = _file_path(place.bucket, verb), {"path": place.path} | (params or {})
        return await self._client.call("GET", path, effect=Effect.READ, operation=operation, params=asked)

    async def _bucket(self, name: str, operation: str) -> BucketDto:
        check_name(operation, "bucket", name, Limits())
        params = {"$filter": odata.where("Name", "eq", name), "$top": "2"}
        for row in await self._client.rows(BucketDto, "Buckets", operation=operation, params=params):
            if row.Name.casefold() == name.casefold():
                return row
        raise NotFoundError(
            f"{operation}: there is no bucket {name!r} in this folder; make it in the portal, or name another",
            operation=operation,
        )


def _place(artifact: Artifact | str, operation: str) -> BucketFile | UUID:
    artifact_id = artifact if isinstance(artifact, str) else artifact.id
    place = mapping.place(artifact_id)
    if place is None:
        raise NotFoundError(
            f"{operation}: there is no file {artifact_id!r}; artifacts.find gives ids of files", operation=operation
        )
    if isinstance(place, BucketFile):
        _check_path(place.path, operation)
    return place


def _check_path(path: str, operation: str) -> None:
    check_name(operation, "file", path, Limits())
    if _CORRUPTED.search(path):
        raise refuse(operation, f"the name {path!r} holds one of & + % ?, which buckets corrupt; choose another")
    if _UNSAFE.search(path):
        raise refuse(operation, f"the name {path!r} is no path within a bucket; write it like reports/october.pdf")


def _file_path(bucket: int, verb: str) -> str:
    return f"{odata.entity('Buckets', bucket)}/{odata.ACTION}{verb}"
