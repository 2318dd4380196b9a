"""`rpa-bridge queues`: see, make and change queues. The verbs of their items are in `queue_items.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rpa_bridge.contract.queues import Field, QueueDraft

from .commands import Noun, examples
from .options import confirm, limit_option, yes_option
from .session import Session, on_connection
from .values import pairs_option

F = TypeVar("F", bound=Callable[..., Any])

_TYPES = ("text", "integer", "number", "boolean", "date")
_MARKS = ("unique", "required")


@click.group(cls=Noun)
def queues() -> None:
    """Put work in, take work out."""


@queues.command("list", epilog=examples("rpa-bridge queues list"))
@limit_option
@on_connection
async def list_(session: Session, /, limit: int | None) -> None:
    """Lists all queues."""
    columns = ("name", "description", "retries", "unique_references", "active", "id")
    await session.show_all(session.adapter.queues.find(), columns, limit)


@queues.command("get", epilog=examples("rpa-bridge queues get Invoices"))
@click.argument("name")
@on_connection
async def get(session: Session, /, name: str) -> None:
    """Shows one queue."""
    session.show(await session.adapter.queues.get(name))


def _field(text: str) -> Field:
    """A field from NAME[:TYPE[,unique][,required]]."""
    name, _, rest = text.partition(":")
    kind, *marks = rest.split(",") if rest else ("text",)
    if not name or kind not in _TYPES or not set(marks) <= set(_MARKS):
        raise click.BadParameter(f"write NAME[:TYPE[,unique][,required]] with TYPE one of {', '.join(_TYPES)}")
    return Field(name=name, type=kind, unique="unique" in marks, required="required" in marks)


def _draft_options(command: F) -> F:
    def collect(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Field, ...]:
        return tuple(_field(text) for text in texts)

    for option in (
        pairs_option("--option", "options", help="A setting of this platform's own, under its own name."),
        click.option(
            "--field", "fields", metavar="NAME[:TYPE]", multiple=True, callback=collect, help="A value of items."
        ),
        click.option("--unique-references", is_flag=True, help="Refuse a second item with the same reference."),
        click.option(
            "--retries", type=click.IntRange(min=0), default=0, help="How often a failed item is tried again."
        ),
        click.option("--description", help="What it is for."),
    ):
        command = option(command)
    return command


@queues.command(
    "create",
    epilog=examples(
        "rpa-bridge queues create Invoices --retries 2 --unique-references",
        "rpa-bridge queues create Letters --field number:integer,unique --field amount:number",
        "rpa-bridge queues create Letters --on maestro --option consumptionPolicy=LIFO",
    ),
)
@click.argument("name")
@_draft_options
@on_connection
async def create(session: Session, /, name: str, **settings: Any) -> None:
    """Makes a queue."""
    session.show(await session.adapter.queues.create(QueueDraft(name=name, **settings)))


@queues.command("update", epilog=examples('rpa-bridge queues update Invoices --retries 3 --description "from SAP"'))
@click.argument("name")
@click.option("--rename", metavar="NAME", help="Its new name.")
@_draft_options
@on_connection
async def update(session: Session, /, name: str, rename: str | None, **settings: Any) -> None:
    """Gives a queue these settings; what is not named goes back to its default."""
    session.show(await session.adapter.queues.update(name, QueueDraft(name=rename or name, **settings)))


@queues.command("delete", epilog=examples("rpa-bridge queues delete Invoices --yes"))
@click.argument("name")
@yes_option
@on_connection
async def delete(session: Session, /, name: str, yes: bool) -> None:
    """Deletes a queue and its items."""
    confirm(f"This deletes queue {name!r} and all its items on {session.connection!r}", yes=yes)
    await session.adapter.queues.delete(name)
    session.note(f"deleted queue {name!r}")


@queues.command("stats", epilog=examples("rpa-bridge queues stats Invoices"))
@click.argument("name")
@on_connection
async def stats(session: Session, /, name: str) -> None:
    """Counts the items in each state."""
    session.show((await session.adapter.queues.stats(name)).counts)


@queues.command("activate", epilog=examples("rpa-bridge queues activate Invoices"))
@click.argument("name")
@on_connection
async def activate(session: Session, /, name: str) -> None:
    """Lets items be taken again."""
    session.show(await session.adapter.queues.activate(name))


@queues.command("deactivate", epilog=examples("rpa-bridge queues deactivate Invoices"))
@click.argument("name")
@on_connection
async def deactivate(session: Session, /, name: str) -> None:
    """Keeps items from being taken."""
    session.show(await session.adapter.queues.deactivate(name))
