"""`rpa-bridge folders`: see the rooms within a platform."""

from __future__ import annotations

import click

from .commands import Noun, examples
from .options import limit_option
from .session import Session, on_connection


@click.group(cls=Noun)
def folders() -> None:
    """See the rooms within a platform."""


@folders.command("list", epilog=examples("rpa-bridge folders list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists the folders that this login may see."""
    await session.show_all(session.adapter.folders.find(), ("path", "id", "parent"), limit)


@folders.command("get", epilog=examples("rpa-bridge folders get Finance/Invoices"))
@click.argument("folder")
@on_connection
async def get(session: Session, /, folder: str) -> None:
    """Shows a folder, named by path, id or key."""
    session.show(await session.adapter.folders.get(folder))
