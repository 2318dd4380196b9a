"""Folders: one file is one folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rpa_bridge.contract.folders import Folder, FolderService

from .errors import not_found

ROOT = Folder(id="1", name="Local", path="Local")


class LocalFolders(FolderService):
    """The one folder; another file, by another connection, is another."""

    async def find(self) -> AsyncIterator[Folder]:
        yield ROOT

    async def get(self, folder: str) -> Folder:
        if folder not in (ROOT.id, ROOT.path):
            raise not_found("folder", folder, [ROOT.path])
        return ROOT
