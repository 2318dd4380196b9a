"""Folders, and the organisation units of older servers. docs: uipath.md 3.1 and 3.2"""

from __future__ import annotations

from .lists import Numbered


class FolderDto(Numbered):
    """A folder; an organisation unit has no key, path or parent."""

    DisplayName: str
    Key: str | None = None
    FullyQualifiedName: str | None = None
    ParentId: int | None = None
