"""Artifacts: files, kept in pieces in the one file, so that a backup of it is a backup of all."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime, timedelta
from mimetypes import guess_type

from rpa_bridge.clock import Clock
from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.errors import InvalidError, NotFoundError
from rpa_bridge.helpers.checks import check_name

from . import mapping
from .database import Database, job_number
from .errors import not_found
from .wire import LIMITS

PIECE = 256 * 1024
"""Bytes in one row, in one transaction, and in memory."""
ABANDONED = timedelta(days=1)
"""After this, an upload that was never finished is swept away by the next one."""


class LocalArtifacts(ArtifactService):
    """Files; several may have one name. A file without a size is still on its way, and is not seen."""

    def __init__(self, adapter_name: str, clock: Clock, database: Database) -> None:
        super().__init__(adapter_name, clock)
        self._database = database

    async def find(self, *, container: str | None = None, job: str | None = None) -> AsyncIterator[Artifact]:
        rows = self._database.rows(
            "SELECT * FROM artifacts WHERE id > :last AND size IS NOT NULL"
            " AND (:container IS NULL OR container = :container) AND (:job IS NULL OR job_id = :job)"
            " ORDER BY id LIMIT :page",
            container=container,
            job=None if job is None else mapping.row_id("job", job),
        )
        async for row in rows:
            yield mapping.artifact(row)

    @contextlib.asynccontextmanager
    async def open(self, artifact: Artifact | str) -> AsyncIterator[AsyncIterator[bytes]]:
        """By id, or by name: then the newest file of that name."""
        row = await self._database.read(lambda db: _row(db, artifact))
        yield self._content(row["id"], row["size"])

    async def upload(
        self,
        name: str,
        content: AsyncIterable[bytes] | bytes,
        *,
        size: int | None = None,
        container: str | None = None,
        job: str | None = None,
    ) -> Artifact:
        check_name("artifacts.upload", "artifact", name, LIMITS)
        now = self.clock.now()
        number = await self._database.write(lambda db: _begin(db, name, container, job, now))
        try:
            written = await self._write_pieces(number, content)
            if size is not None and written != size:
                raise InvalidError(f"{name!r} has {written} bytes, not the {size} announced; nothing was kept")
            row = await self._database.write(
                lambda db: db.execute(
                    "UPDATE artifacts SET size = ? WHERE id = ? RETURNING *", (written, number)
                ).fetchone()
            )
        except BaseException:
            await self._database.write(lambda db: db.execute("DELETE FROM artifacts WHERE id = ?", (number,)))
            raise
        return mapping.artifact(row)

    async def delete(self, artifact: Artifact | str) -> None:
        await self._database.write(
            lambda db: db.execute("DELETE FROM artifacts WHERE id = ?", (_row(db, artifact)["id"],))
        )

    async def _write_pieces(self, number: int, content: AsyncIterable[bytes] | bytes) -> int:
        position = written = 0
        async for piece in _pieces(content):
            await self._write_piece(number, position, piece)
            position, written = position + 1, written + len(piece)
        return written

    async def _write_piece(self, number: int, position: int, piece: bytes) -> None:
        await self._database.write(
            lambda db: db.execute("INSERT INTO pieces VALUES (?, ?, ?)", (number, position, piece))
        )

    async def _content(self, number: int, size: int) -> AsyncIterator[bytes]:
        for position in range(-(-size // PIECE)):
            yield await self._read_piece(number, position)

    async def _read_piece(self, number: int, position: int) -> bytes:
        def read(db: sqlite3.Connection) -> bytes:
            where = (number, position)
            row = db.execute("SELECT content FROM pieces WHERE artifact_id = ? AND position = ?", where).fetchone()
            if row is None:
                raise NotFoundError(f"artifact {number} was deleted while it was read; what came of it is not whole")
            return bytes(row["content"])

        return await self._database.read(read)


def _begin(db: sqlite3.Connection, name: str, container: str | None, job: str | None, now: datetime) -> int:
    long_ago = mapping.moment_text(now - ABANDONED)
    db.execute("DELETE FROM artifacts WHERE size IS NULL AND created_at < ?", (long_ago,))
    [number] = db.execute(
        "INSERT INTO artifacts (name, container, job_id, content_type, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (name, container, job_number(db, job), guess_type(name)[0], mapping.moment_text(now)),
    ).fetchone()
    return int(number)


def _row(db: sqlite3.Connection, artifact: Artifact | str) -> sqlite3.Row:
    wanted = artifact.id if isinstance(artifact, Artifact) else artifact
    row = _by_id(db, wanted)
    if row is None and isinstance(artifact, str):
        row = db.execute(
            "SELECT * FROM artifacts WHERE name = ? AND size IS NOT NULL ORDER BY id DESC", (wanted,)
        ).fetchone()
    if row is None:
        raise not_found(
            "artifact", wanted, [one["name"] for one in db.execute("SELECT name FROM artifacts LIMIT 1000")]
        )
    return row


def _by_id(db: sqlite3.Connection, wanted: str) -> sqlite3.Row | None:
    with contextlib.suppress(NotFoundError):
        number = mapping.row_id("artifact", wanted)
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM artifacts WHERE id = ? AND size IS NOT NULL", (number,)
        ).fetchone()
        return row
    return None


async def _pieces(content: AsyncIterable[bytes] | bytes) -> AsyncIterator[bytes]:
    """The content in pieces of one size; the last may be shorter."""
    rest = bytearray()
    async for part in _parts(content):
        for start in range(0, len(part), PIECE):
            rest += part[start : start + PIECE]
            if len(rest) >= PIECE:
                yield bytes(rest[:PIECE])
                del rest[:PIECE]
    if rest:
        yield bytes(rest)


async def _parts(content: AsyncIterable[bytes] | bytes) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        async for part in content:
            yield part
