"""Buckets, their files, attachments, and addresses of storage. docs: uipath.md 3.8 "Attachments" and 3.13"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field, SecretStr

from rpa_bridge.transport.decode import Moment, WireModel

from .lists import Numbered


class BucketDto(Numbered):
    """A bucket."""

    Name: str


class BlobFile(WireModel):
    """A file as ListFiles tells of it: in camelCase, unlike the rest."""

    full_path: str = Field(alias="fullPath")
    content_type: str | None = Field(default=None, alias="contentType")
    size: int | None = None
    last_modified: Moment = Field(default=None, alias="lastModified")


class BlobFiles(WireModel):
    """A page of files; `continuationToken` asks for the next."""

    items: list[dict[str, Any]]
    continuation_token: str | None = Field(default=None, alias="continuationToken")


class BlobHeaders(WireModel):
    """Headers as two parallel arrays."""

    Keys: list[str] = Field(default_factory=list)
    Values: list[str] = Field(default_factory=list)


class BlobFileAccess(WireModel):
    """Where a file's content is read or written, and how. The address lets in whoever knows it."""

    Uri: SecretStr
    Verb: str | None = None
    RequiresAuth: bool | None = None
    Headers: BlobHeaders | None = None


class AttachmentDto(WireModel):
    """A file that a job can be given or leave behind."""

    Id: UUID
    Name: str
    BlobFileAccess_: BlobFileAccess | None = Field(default=None, alias="BlobFileAccess")


class JobAttachmentDto(WireModel):
    """A job's link to an attachment: in camelCase, and not in the published definition."""

    attachment_id: UUID = Field(alias="attachmentId")
    attachment_name: str | None = Field(default=None, alias="attachmentName")
    job_key: str | None = Field(default=None, alias="jobKey")
