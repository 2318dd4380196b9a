"""`rpa-bridge robots`: see who can run jobs."""

from __future__ import annotations

import click

from .commands import Noun, examples
from .options import limit_option
from .session import Session, on_connection


@click.group(cls=Noun)
def robots() -> None:
    """See who can run jobs."""


@robots.command("list", epilog=examples("rpa-bridge robots list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists all robots."""
    await session.show_all(session.adapter.robots.find(), ("name", "state", "native_state", "machine", "id"), limit)


@robots.command("get", epilog=examples("rpa-bridge robots get floor-2"))
@click.argument("name")
@on_connection
async def get(session: Session, /, name: str) -> None:
    """Shows a robot as it is now."""
    session.show(await session.adapter.robots.get(name))


@robots.command("machines", epilog=examples("rpa-bridge robots machines"))
@limit_option
@on_connection
async def machines(session: Session, /, limit: int | None) -> None:
    """Lists the machines that robots may run on."""
    await session.show_all(session.adapter.robots.machines(), ("name", "type", "description", "id"), limit)
