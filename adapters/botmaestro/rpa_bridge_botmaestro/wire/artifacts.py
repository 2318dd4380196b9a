"""Result files. docs: botmaestro.md 6"""

from __future__ import annotations

from rpa_bridge.transport.decode import Moment, WireModel


class ArtifactRecord(WireModel):
    """A file's record; its content has a route of its own."""

    id: int
    taskId: int | str | None = None
    name: str | None = None
    fileName: str | None = None
    dateCreation: Moment = None
