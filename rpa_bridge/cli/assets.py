"""`rpa-bridge assets`: read and write shared settings."""

from __future__ import annotations

import click

from rpa_bridge.contract.assets import AssetType, AssetValue

from .commands import Noun, examples
from .options import Word, confirm, limit_option, yes_option
from .session import Session, on_connection

_BOOLEANS = {"true": True, "false": False}
_WRITABLE = frozenset({AssetType.TEXT, AssetType.INTEGER, AssetType.BOOLEAN})


@click.group(cls=Noun)
def assets() -> None:
    """Read and write shared settings that automations read."""


@assets.command("list", epilog=examples("rpa-bridge assets list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists all assets that are not secrets."""
    await session.show_all(session.adapter.assets.find(), ("name", "type", "value", "description"), limit)


@assets.command("get", epilog=examples("rpa-bridge assets get mailbox"))
@click.argument("name")
@on_connection
async def get(session: Session, /, name: str) -> None:
    """Shows one asset."""
    session.show(await session.adapter.assets.get(name))


@assets.command(
    "put",
    epilog=examples("rpa-bridge assets put mailbox post@example.com", "rpa-bridge assets put limit 50 -t integer"),
)
@click.argument("name")
@click.argument("value")
@click.option("-t", "--type", type=Word(AssetType), default=AssetType.TEXT.value, show_default=True, help="Its kind.")
@click.option("--description", help="What it is for.")
@on_connection
async def put(session: Session, /, name: str, value: str, type: AssetType, description: str | None) -> None:
    """Makes or changes an asset. Not for secrets: see `credentials put`."""
    session.show(await session.adapter.assets.put(name, _typed(value, type), description=description))


def _typed(value: str, kind: AssetType) -> AssetValue:
    if kind not in _WRITABLE:
        raise click.UsageError("an asset can be written as text, integer or boolean only")
    if kind is AssetType.TEXT:
        return value
    if kind is AssetType.BOOLEAN:
        if value.lower() not in _BOOLEANS:
            raise click.UsageError("a boolean asset is true or false")
        return _BOOLEANS[value.lower()]
    try:
        return int(value)
    except ValueError:
        raise click.UsageError("an integer asset is a whole number") from None


@assets.command("delete", epilog=examples("rpa-bridge assets delete mailbox --yes"))
@click.argument("name")
@yes_option
@on_connection
async def delete(session: Session, /, name: str, yes: bool) -> None:
    """Deletes an asset."""
    confirm(f"This deletes asset {name!r} on {session.connection!r}", yes=yes)
    await session.adapter.assets.delete(name)
    session.note(f"deleted asset {name!r}")
