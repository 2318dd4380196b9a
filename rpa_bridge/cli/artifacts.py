"""`rpa-bridge artifacts`: find, download and upload files."""

from __future__ import annotations

import os
from pathlib import Path

import click

from rpa_bridge.contract.artifacts import Artifact, ArtifactService
from rpa_bridge.errors import ConflictError, NotFoundError

from .commands import Noun, examples
from .files import pieces, save
from .options import confirm, limit_option, yes_option
from .session import Session, on_connection

COLUMNS = ("name", "size", "container", "job", "created_at", "id")


@click.group(cls=Noun)
def artifacts() -> None:
    """Find, download and upload files."""


@artifacts.command("list", epilog=examples("rpa-bridge artifacts list --job 4711"))
@click.option("--container", help="Only files of this bucket or folder.")
@click.option("--job", metavar="JOB_ID", help="Only files that this run made.")
@limit_option
@on_connection
async def list_(session: Session, /, container: str | None, job: str | None, limit: int | None) -> None:
    """Lists files."""
    await session.show_all(session.adapter.artifacts.find(container=container, job=job), COLUMNS, limit)


async def _one(service: ArtifactService, wanted: str, container: str | None, job: str | None) -> Artifact:
    """The file with this id, or the only one with this name. Raises NotFoundError, ConflictError."""
    named: list[Artifact] = []
    async for artifact in service.find(container=container, job=job):
        if artifact.id == wanted:
            return artifact
        if artifact.name == wanted:
            named.append(artifact)
    if not named:
        raise NotFoundError(f"there is no file {wanted!r}; see `rpa-bridge artifacts list`")
    if len(named) > 1:
        ids = ", ".join(repr(one.id) for one in named[:5])
        raise ConflictError(f"{len(named)} files are called {wanted!r}; name one by its id: {ids}")
    return named[0]


@artifacts.command(
    "download",
    epilog=examples(
        "rpa-bridge artifacts download report.pdf --job 4711",
        "rpa-bridge artifacts download 4711 --to reports/october.pdf",
        "rpa-bridge artifacts download data.csv --to - | head",
    ),
)
@click.argument("artifact")
@click.option("--to", metavar="FILE|FOLDER|-", help="Where it goes; - is stdout. Without it, here under its own name.")
@click.option("--container", help="Look in this bucket or folder only.")
@click.option("--job", metavar="JOB_ID", help="Look among the files of this run only.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@on_connection
async def download(
    session: Session, /, artifact: str, *, to: str | None, container: str | None, job: str | None, force: bool
) -> None:
    """Saves a file, named by its id or its name; it appears whole or not at all."""
    from .render import metered, progress

    service = session.adapter.artifacts
    found = await _one(service, artifact, container, job)
    with progress(found.name, found.size, unit="bytes") as meter:
        async with service.open(found) as stream:
            path = await save(metered(stream, meter), to, found.name, force=force)
    if path is not None:
        session.note(f"saved {str(path)!r}")


@artifacts.command(
    "upload",
    epilog=examples(
        "rpa-bridge artifacts upload report.pdf --container reports",
        "rpa-bridge artifacts upload report.pdf --job 4711 --name october.pdf",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="What the platform calls it; without it, the file's own name.")
@click.option("--container", help="The bucket or folder it goes to.")
@click.option("--job", metavar="JOB_ID", help="The run it belongs to.")
@on_connection
async def upload(session: Session, /, file: Path, name: str | None, container: str | None, job: str | None) -> None:
    """Sends a file to the platform."""
    from .render import metered, progress

    with file.open("rb") as content:
        size = os.fstat(content.fileno()).st_size
        with progress(file.name, size, unit="bytes") as meter:
            uploaded = await session.adapter.artifacts.upload(
                name or file.name, metered(pieces(content), meter), size=size, container=container, job=job
            )
    session.show(uploaded)


@artifacts.command("delete", epilog=examples("rpa-bridge artifacts delete report.pdf --job 4711 --yes"))
@click.argument("artifact")
@click.option("--container", help="Look in this bucket or folder only.")
@click.option("--job", metavar="JOB_ID", help="Look among the files of this run only.")
@yes_option
@on_connection
async def delete(session: Session, /, artifact: str, container: str | None, job: str | None, yes: bool) -> None:
    """Deletes a file, named by its id or its name."""
    found = await _one(session.adapter.artifacts, artifact, container, job)
    confirm(f"This deletes file {found.name!r} on {session.connection!r}", yes=yes)
    await session.adapter.artifacts.delete(found)
    session.note(f"deleted file {found.name!r}")
