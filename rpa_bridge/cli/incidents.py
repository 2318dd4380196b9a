"""`rpa-bridge incidents`: report exceptions, and read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .commands import Noun, examples
from .options import limit_option
from .session import Session, on_connection
from .values import pairs_option

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Noun)
def incidents() -> None:
    """Report exceptions, and read them."""


@incidents.command(
    "report",
    epilog=examples(
        'rpa-bridge incidents report "the login page did not come" --job 4711 --type TimeoutError --screenshot now.png'
    ),
)
@click.argument("message")
@click.option("--job", metavar="JOB_ID", required=True, help="The run in which it happened.")
@click.option("--type", "type_name", default="Error", show_default=True, help="What kind of exception it was.")
@click.option("--screenshot", type=_FILE, help="A picture of the screen.")
@click.option("--attach", "attachments", type=_FILE, multiple=True, help="A file; may be given again.")
@pairs_option("--tag", "tags", help="A word to find it by.")
@on_connection
async def report(
    session: Session,
    /,
    message: str,
    *,
    job: str,
    type_name: str,
    screenshot: Path | None,
    attachments: tuple[Path, ...],
    tags: dict[str, Any],
) -> None:
    """Reports an exception with what surrounds it."""
    if not type_name.isidentifier():
        raise click.UsageError(f"{type_name!r} is no name of an exception; write one such as TimeoutError")
    # The contract takes an exception, since that is what a bot has in its hand; ours is known by its name only.
    error = type(type_name, (Exception,), {})(message)
    session.show(
        await session.adapter.incidents.report(
            error,
            job=job,
            screenshot=screenshot,
            attachments=attachments,
            tags={name: str(value) for name, value in tags.items()},
        )
    )


@incidents.command("list", epilog=examples("rpa-bridge incidents list --job 4711"))
@click.option("--job", metavar="JOB_ID", help="Only incidents of this run.")
@limit_option
@on_connection
async def list_(session: Session, /, job: str | None, limit: int | None) -> None:
    """Lists incidents, newest first."""
    await session.show_all(session.adapter.incidents.find(job=job), ("at", "type", "message", "job", "id"), limit)
