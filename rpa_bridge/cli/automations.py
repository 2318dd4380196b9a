"""`rpa-bridge automations`: see what can be run."""

from __future__ import annotations

import click

from .commands import Noun, examples
from .options import limit_option
from .session import Session, on_connection


@click.group(cls=Noun)
def automations() -> None:
    """See what can be run."""


@automations.command("list", epilog=examples("rpa-bridge automations list --on uipath-prod"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists the automations that this login may see."""
    await session.show_all(session.adapter.automations.find(), ("name", "version", "description", "id"), limit)


@automations.command("get", epilog=examples("rpa-bridge automations get Invoices"))
@click.argument("name")
@on_connection
async def get(session: Session, /, name: str) -> None:
    """Shows one automation."""
    session.show(await session.adapter.automations.get(name))


@automations.command("schema", epilog=examples("rpa-bridge automations schema Invoices -o json"))
@click.argument("name")
@on_connection
async def schema(session: Session, /, name: str) -> None:
    """Shows what an automation takes and gives."""
    session.show(await session.adapter.automations.schema(name))


@automations.command("packages", epilog=examples("rpa-bridge automations packages"))
@limit_option
@on_connection
async def packages(session: Session, /, limit: int | None) -> None:
    """Lists the newest version of each package."""
    await session.show_all(session.adapter.automations.packages(), ("name", "version", "id"), limit)
