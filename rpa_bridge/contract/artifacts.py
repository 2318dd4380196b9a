"""Artifacts: files (UiPath: bucket file, job attachment · BotMaestro: result file)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from .features import Feature, Service, optional
from .model import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Named):
    """A file that the platform keeps; `container` is the bucket or folder it lies in, `job` the run that made it."""

    size: int | None = None
    container: str | None = None
    job: str | None = None
    content_type: str | None = None
    created_at: datetime | None = None


class ArtifactService(Service):
    """Find, read and write files; nothing is ever held in memory whole."""

    noun = "artifacts"

    @abstractmethod
    def find(self, *, container: str | None = None, job: str | None = None) -> AsyncIterator[Artifact]:
        """Files, in the platform's order."""

    @abstractmethod
    def open(self, artifact: Artifact | str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The file's content in pieces, for the length of a block. Raises NotFoundError on entry."""

    @optional(Feature.ARTIFACT_UPLOAD)
    async def upload(
        self,
        name: str,
        content: AsyncIterable[bytes] | bytes,
        *,
        size: int | None = None,
        container: str | None = None,
        job: str | None = None,
    ) -> Artifact:
        """The file, once the platform holds it whole. `size` in bytes is needed where content is a stream."""
        raise NotImplementedError

    @optional(Feature.ARTIFACT_DELETE)
    async def delete(self, artifact: Artifact | str) -> None:
        """Deletes the file. Raises NotFoundError."""
        raise NotImplementedError
