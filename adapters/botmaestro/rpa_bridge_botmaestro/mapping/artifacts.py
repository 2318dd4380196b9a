"""Result files in neutral words."""

from __future__ import annotations

from mimetypes import guess_type

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge_botmaestro.wire.artifacts import ArtifactRecord


def artifact(record: ArtifactRecord, size: int | None = None) -> Artifact:
    """The file; the platform does not tell its size."""
    name = record.name or record.fileName or str(record.id)
    return Artifact(
        id=str(record.id),
        name=name,
        size=size,
        job=None if record.taskId is None else str(record.taskId),
        content_type=guess_type(record.fileName or name)[0],
        created_at=record.dateCreation,
        raw_data=record.raw,
    )
