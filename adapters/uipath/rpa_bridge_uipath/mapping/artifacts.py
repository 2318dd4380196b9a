"""Files in neutral words. An id says where a file lies: in a bucket under a path, or as an attachment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge_uipath.odata import guid
from rpa_bridge_uipath.wire.artifacts import AttachmentDto, BlobFile, JobAttachmentDto

_BUCKET, _ATTACHMENT = "bucket", "attachment"


@dataclass(frozen=True, slots=True)
class BucketFile:
    """Where a bucket's file lies."""

    bucket: int
    path: str

    @property
    def id(self) -> str:
        return f"{_BUCKET}:{self.bucket}:{self.path}"


def attachment_id(key: UUID) -> str:
    """Our id of the attachment with this key."""
    return f"{_ATTACHMENT}:{key}"


def place(artifact_id: str) -> BucketFile | UUID | None:
    """Where the id says that the file lies: in a bucket, or as the attachment of this key; else None."""
    kind, _, rest = artifact_id.partition(":")
    if kind == _ATTACHMENT:
        return guid(rest)
    number, _, path = rest.partition(":")
    if kind == _BUCKET and number.isascii() and number.isdigit() and path:
        return BucketFile(int(number), path)
    return None


def bucket_file(file: BlobFile, bucket: int, bucket_name: str) -> Artifact:
    """A bucket's file; its name is its path in the bucket."""
    path = file.full_path.lstrip("/")
    return Artifact(
        id=BucketFile(bucket, path).id,
        name=path,
        size=file.size,
        container=bucket_name,
        content_type=file.content_type,
        created_at=file.last_modified,
        raw_data=file.raw,
    )


def attachment(dto: AttachmentDto, job: str | None, size: int | None = None) -> Artifact:
    """An attachment."""
    return Artifact(id=attachment_id(dto.Id), name=dto.Name, size=size, job=job)


def job_attachment(dto: JobAttachmentDto, name: str, job: str) -> Artifact:
    """An attachment of a job."""
    return Artifact(id=attachment_id(dto.attachment_id), name=name, job=job, raw_data=dto.raw)
