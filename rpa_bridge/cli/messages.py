"""`rpa-bridge messages`: write to people, through the platform."""

from __future__ import annotations

import click

from .commands import Noun, examples
from .options import STDIN
from .session import Session, on_connection
from .values import read_text


@click.group(cls=Noun)
def messages() -> None:
    """Write to people, through the platform."""


@messages.command(
    "send",
    epilog=examples(
        'rpa-bridge messages send "Invoices" "All done." --email ops@example.com',
        'rpa-bridge messages send "Report" - --group Finance --html < report.html',
    ),
)
@click.argument("subject")
@click.argument("body")
@click.option("--email", "emails", multiple=True, help="An address; may be given again.")
@click.option("--user", "users", multiple=True, help="A user of the platform; may be given again.")
@click.option("--group", help="A group of the platform.")
@click.option("--html", is_flag=True, help="The body is HTML.")
@on_connection
async def send(
    session: Session,
    /,
    subject: str,
    body: str,
    *,
    emails: tuple[str, ...],
    users: tuple[str, ...],
    group: str | None,
    html: bool,
) -> None:
    """Sends a message; a body of - is read from standard input."""
    if not (emails or users or group):
        raise click.UsageError("nobody would get it; say --email, --user or --group")
    text = read_text(STDIN) if body == STDIN else body
    await session.adapter.messages.send(subject, text, emails=emails, users=users, group=group, html=html)
    session.note("the message is sent")
