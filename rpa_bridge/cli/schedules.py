"""`rpa-bridge schedules`: see what starts jobs by itself."""

from __future__ import annotations

import click

from .commands import Noun, examples
from .options import limit_option
from .session import Session, on_connection

COLUMNS = ("name", "automation", "cron", "timezone", "queue", "enabled", "next_at", "id")


@click.group(cls=Noun)
def schedules() -> None:
    """See what starts jobs by itself."""


@schedules.command("list", epilog=examples("rpa-bridge schedules list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists all schedules."""
    await session.show_all(session.adapter.schedules.find(), COLUMNS, limit)
