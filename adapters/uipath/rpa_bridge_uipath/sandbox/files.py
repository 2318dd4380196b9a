"""Where jobs lay what is too large for the wire: the attachments, as jobs see them. docs: uipath.md 3.8, size"""

from __future__ import annotations

from typing import Protocol

from .entities import Row


class Files(Protocol):
    """What jobs need of the attachments."""

    def content_of(self, attachment_id: str) -> bytes | None:
        """What was uploaded; None where there is no such attachment, or nothing in it yet."""

    def create(self, name: str, content: bytes) -> str:
        """The id of a new attachment that holds this."""

    def attach(self, attachment_id: str, job_key: str, category: str | None) -> Row:
        """Links an attachment that is there to a job."""
