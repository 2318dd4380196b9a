"""Releases. docs: uipath.md 3.7"""

from __future__ import annotations

from .lists import Numbered


class ReleaseDto(Numbered):
    """What the portal calls a process."""

    Key: str
    Name: str
    Description: str | None = None
    ProcessKey: str | None = None
    ProcessVersion: str | None = None
