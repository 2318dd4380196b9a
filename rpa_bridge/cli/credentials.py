"""`rpa-bridge credentials`: name, read and write secrets. No value ever comes from the command line."""

from __future__ import annotations

import click

from rpa_bridge.redaction import MASK

from .commands import Noun, examples
from .options import confirm, limit_option, yes_option
from .secrets import NEVER_HERE, secret_of
from .session import Session, on_connection


@click.group(cls=Noun)
def credentials() -> None:
    """Name, read and write secrets."""


@credentials.command("list", epilog=examples("rpa-bridge credentials list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists all credentials, without their values."""
    await session.show_all(session.adapter.credentials.find(), ("name", "keys", "description"), limit)


@credentials.command(
    "reveal", epilog=examples("rpa-bridge credentials reveal sap", "rpa-bridge credentials reveal sap --show -o json")
)
@click.argument("name")
@click.option("--show", is_flag=True, help="Print the values themselves; without it they are masked.")
@on_connection
async def reveal(session: Session, /, name: str, show: bool) -> None:
    """Reads a credential's values."""
    fields = (await session.adapter.credentials.reveal(name)).fields
    session.show({key: value.get_secret_value() if show else MASK for key, value in fields.items()})


@credentials.command(
    "put",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog=examples(
        "rpa-bridge credentials put sap --field user --field password",
        "rpa-bridge credentials put sap --field 'password=${env:SAP_PASSWORD}'",
        "pass show sap | rpa-bridge credentials put sap --field password",
    ),
)
@click.argument("name")
@click.option(
    "--field",
    "fields",
    metavar="NAME[=REFERENCE]",
    multiple=True,
    required=True,
    help="A field: asked for, read as a line of standard input, or taken from a reference as in the settings.",
)
@click.option("--description", help="What it is for.")
@click.pass_context
def put(ctx: click.Context, name: str, fields: tuple[str, ...], description: str | None) -> None:
    """Makes or changes a credential; fields that are not named stay as they are."""
    if ctx.args:  # click's own complaint would repeat what was typed
        raise click.UsageError(NEVER_HERE)
    _put(name, fields, description)


@on_connection
async def _put(session: Session, /, name: str, fields: tuple[str, ...], description: str | None) -> None:
    wanted = [(key, reference) for key, _, reference in (text.partition("=") for text in fields)]
    if len({key for key, _ in wanted}) < len(wanted):
        raise click.UsageError("a field is named twice; name each once")
    values = {key: secret_of(key, reference) for key, reference in wanted}
    session.show(await session.adapter.credentials.put(name, values, description=description))


@credentials.command(
    "delete",
    epilog=examples("rpa-bridge credentials delete sap --yes", "rpa-bridge credentials delete sap --key password"),
)
@click.argument("name")
@click.option("--key", help="Only this field.")
@yes_option
@on_connection
async def delete(session: Session, /, name: str, key: str | None, yes: bool) -> None:
    """Deletes a credential, or one field of it."""
    what = f"credential {name!r}" if key is None else f"field {key!r} of credential {name!r}"
    confirm(f"This deletes {what} on {session.connection!r}", yes=yes)
    await session.adapter.credentials.delete(name, key=key)
    session.note(f"deleted {what}")
