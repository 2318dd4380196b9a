"""`rpa-bridge logs`: read and write what runs wrote down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from .commands import Noun, examples
from .files import save
from .options import Moment, confirm, limit_option, yes_option
from .session import Session, on_connection
from .values import pairs_option


@click.group(cls=Noun)
def logs() -> None:
    """Read and write what runs wrote down."""


@logs.command(
    "list",
    epilog=examples("rpa-bridge logs list --job 4711", "rpa-bridge logs list InvoiceLog --since 2h -o jsonl"),
)
@click.argument("log", required=False)
@click.option("--job", metavar="JOB_ID", help="Only entries of this run.")
@click.option("--since", type=Moment(-1), help="Only entries since then: a time, or a duration back from now.")
@click.option("--until", type=Moment(-1), help="Only entries until then: a time, or a duration back from now.")
@limit_option
@on_connection
async def list_(
    session: Session,
    /,
    log: str | None,
    *,
    job: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
) -> None:
    """Lists entries, oldest first; LOG names one where the platform keeps several."""
    found = session.adapter.logs.find(log, job=job, since=since, until=until)
    await session.show_all(found, ("at", "severity", "message", "values", "job", "robot"), limit)


@logs.command("create", epilog=examples("rpa-bridge logs create InvoiceLog number amount result"))
@click.argument("name")
@click.argument("columns", metavar="COLUMN...", nargs=-1, required=True)
@on_connection
async def create(session: Session, /, name: str, columns: tuple[str, ...]) -> None:
    """Makes a log with these columns."""
    session.show(await session.adapter.logs.create(name, columns))


@logs.command("append", epilog=examples("rpa-bridge logs append InvoiceLog -v number=4711 -v amount:=12.5"))
@click.argument("log")
@pairs_option("-v", "--value", "values", help="One column's value, as text or typed.")
@on_connection
async def append(session: Session, /, log: str, values: dict[str, Any]) -> None:
    """Writes one entry."""
    await session.adapter.logs.append(log, values)
    session.note(f"wrote one entry to log {log!r}")


@logs.command(
    "export", epilog=examples("rpa-bridge logs export InvoiceLog", "rpa-bridge logs export InvoiceLog --to -")
)
@click.argument("log")
@click.option("--to", metavar="FILE|FOLDER|-", help="Where it goes; - is stdout. Without it LOG.csv here.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@on_connection
async def export(session: Session, /, log: str, to: str | None, force: bool) -> None:
    """Saves a log as CSV."""
    path = await save(session.adapter.logs.export(log), to, f"{log}.csv", force=force)
    if path is not None:
        session.note(f"saved {str(path)!r}")


@logs.command("delete", epilog=examples("rpa-bridge logs delete InvoiceLog --yes"))
@click.argument("log")
@yes_option
@on_connection
async def delete(session: Session, /, log: str, yes: bool) -> None:
    """Deletes a log and its entries."""
    confirm(f"This deletes log {log!r} and its entries on {session.connection!r}", yes=yes)
    await session.adapter.logs.delete(log)
    session.note(f"deleted log {log!r}")
