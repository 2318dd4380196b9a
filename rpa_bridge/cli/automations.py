"""`rpa-bridge automations`: see what can be run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from rpa_bridge.contract.automations import AutomationService, Package
from rpa_bridge.errors import NotFoundError

from .commands import Noun, examples
from .files import pieces, save
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


async def _package(service: AutomationService, name: str) -> Package:
    async for package in service.packages():
        if package.name == name:
            return package
    raise NotFoundError(f"there is no package {name!r}; see `rpa-bridge automations packages`")


@automations.command(
    "download-package",
    epilog=examples(
        "rpa-bridge automations download-package Acme.Invoices",
        "rpa-bridge automations download-package Acme.Invoices --version 1.1.0 --to packages/",
    ),
)
@click.argument("name")
@click.option("--version", help="This version instead of the newest.")
@click.option("--to", metavar="FILE|FOLDER|-", help="Where it goes; - is stdout. Without it, here under its own name.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@on_connection
async def download_package(session: Session, /, name: str, version: str | None, to: str | None, *, force: bool) -> None:
    """Saves a package's file; it appears whole or not at all."""
    from dataclasses import replace

    from .render import metered, progress

    service = session.adapter.automations
    package = await _package(service, name)
    if version is not None:
        package = replace(package, version=version)
    suggested = f"{package.name}.{package.version}.nupkg"
    with progress(suggested, None, unit="bytes") as meter:
        async with service.open_package(package) as stream:
            path = await save(metered(stream, meter), to, suggested, force=force)
    if path is not None:
        session.note(f"saved {str(path)!r}")


@automations.command(
    "upload-package", epilog=examples("rpa-bridge automations upload-package Acme.Invoices.1.2.0.nupkg")
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@on_connection
async def upload_package(session: Session, /, file: Path) -> None:
    """Sends a package to the platform; its name and version are in the file."""
    from .render import metered, progress

    with file.open("rb") as content:
        size = os.fstat(content.fileno()).st_size
        with progress(file.name, size, unit="bytes") as meter:
            package = await session.adapter.automations.upload_package(metered(pieces(content), meter), size=size)
    session.show(package)
