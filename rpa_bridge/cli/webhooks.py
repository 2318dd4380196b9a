"""`rpa-bridge webhooks`: be told, instead of asking."""

from __future__ import annotations

import click

from .commands import Noun, examples
from .options import confirm, limit_option, yes_option
from .secrets import secret_of
from .session import Session, on_connection

COLUMNS = ("name", "url", "events", "enabled", "id")


@click.group(cls=Noun)
def webhooks() -> None:
    """Be told what happens, instead of asking."""


@webhooks.command("list", epilog=examples("rpa-bridge webhooks list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists all webhooks."""
    await session.show_all(session.adapter.webhooks.find(), COLUMNS, limit)


@webhooks.command(
    "create",
    epilog=examples(
        "rpa-bridge webhooks create ops https://hooks.example.com/rpa --event job.faulted --event job.completed",
        "rpa-bridge webhooks create ops https://hooks.example.com/rpa --secret '${env:HOOK_SECRET}'",
    ),
)
@click.argument("name")
@click.argument("url")
@click.option("--event", "events", multiple=True, help="What to be told of; without it, everything.")
@click.option(
    "--secret", "reference", metavar="REFERENCE|-", help="What signs deliveries: a reference as in the settings, or -."
)
@on_connection
async def create(session: Session, /, name: str, url: str, events: tuple[str, ...], reference: str | None) -> None:
    """Makes a webhook. Deliveries may be lost: take them as a hint to look."""
    secret = None if reference is None else secret_of("secret", "" if reference == "-" else reference)
    session.show(await session.adapter.webhooks.create(name, url, events=events, secret=secret))


@webhooks.command("ping", epilog=examples("rpa-bridge webhooks ping ops"))
@click.argument("name")
@on_connection
async def ping(session: Session, /, name: str) -> None:
    """Asks the platform to call the address once, for a test."""
    await session.adapter.webhooks.ping(name)
    session.note(f"asked the platform to call webhook {name!r}")


@webhooks.command("delete", epilog=examples("rpa-bridge webhooks delete ops --yes"))
@click.argument("name")
@yes_option
@on_connection
async def delete(session: Session, /, name: str, yes: bool) -> None:
    """Deletes a webhook."""
    confirm(f"This deletes webhook {name!r} on {session.connection!r}", yes=yes)
    await session.adapter.webhooks.delete(name)
    session.note(f"deleted webhook {name!r}")
