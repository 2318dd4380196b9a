"""Folders: rooms within a platform (UiPath: folder · BotMaestro: none)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from .features import Feature, Service, optional
from .model import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(Named):
    """A folder. `path` is its full name, with slashes."""

    path: str
    parent: str | None = None


class FolderService(Service):
    """See the rooms within a platform."""

    noun = "folders"

    @optional(Feature.FOLDER_FIND)
    def find(self) -> AsyncIterator[Folder]:
        """All folders that this identity may see."""
        raise NotImplementedError

    @optional(Feature.FOLDER_GET)
    async def get(self, folder: str) -> Folder:
        """The folder, by path, id or key. Raises NotFoundError."""
        raise NotImplementedError
