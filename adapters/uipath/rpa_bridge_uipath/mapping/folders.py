"""Folders in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.folders import Folder
from rpa_bridge_uipath.wire.folders import FolderDto


def folder(dto: FolderDto) -> Folder:
    """The folder; its path is its full name, and its parent an id."""
    return Folder(
        id=str(dto.Id),
        name=dto.DisplayName,
        path=dto.FullyQualifiedName or dto.DisplayName,
        parent=None if dto.ParentId is None else str(dto.ParentId),
        raw_data=dto.raw,
    )
