"""`rpa-bridge alerts`: tell people, through the platform."""

from __future__ import annotations

import click

from rpa_bridge.contract.model import Severity

from .commands import Noun, examples
from .options import Word, limit_option
from .session import Session, on_connection


@click.group(cls=Noun)
def alerts() -> None:
    """Tell people, through the platform."""


@alerts.command(
    "send", epilog=examples('rpa-bridge alerts send "Invoices late" "38 items are still new" --severity warning')
)
@click.argument("title")
@click.argument("message")
@click.option("--severity", type=Word(Severity), default=Severity.INFO.value, show_default=True, help="How grave.")
@click.option("--job", metavar="JOB_ID", help="The run it is about.")
@on_connection
async def send(session: Session, /, title: str, message: str, severity: Severity, job: str | None) -> None:
    """Raises an alert."""
    await session.adapter.alerts.send(title, message, severity=severity, job=job)
    session.note("the alert is raised")


@alerts.command("list", epilog=examples("rpa-bridge alerts list --job 4711"))
@click.option("--job", metavar="JOB_ID", help="Only alerts of this run.")
@limit_option
@on_connection
async def list_(session: Session, /, job: str | None, limit: int | None) -> None:
    """Lists alerts, newest first."""
    await session.show_all(session.adapter.alerts.find(job=job), ("at", "severity", "title", "message", "job"), limit)
