"""The items of `rpa-bridge queues`: add, take, report, look."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import AddResult, AddStatus, Failure, FailureKind, ItemDraft, ItemState

from .commands import examples
from .drafts import is_plain_file, read_drafts
from .exits import Exit
from .options import Moment, Word, limit_option
from .queues import queues
from .session import Session, on_connection
from .state import Output
from .values import pairs_option

COLUMNS = ("id", "reference", "state", "priority", "values", "attempt", "failure.reason", "created_at")


@queues.command(
    "items",
    epilog=examples(
        "rpa-bridge queues items Invoices --state failed",
        "rpa-bridge queues items Invoices -o jsonl | rpa-bridge queues add Copies --from - --on other",
    ),
)
@click.argument("queue")
@click.option("--state", type=Word(ItemState), help="Only items in this state.")
@click.option("--reference", help="Only items with this reference.")
@click.option("--mark", help="Only items whose mark begins with this.")
@click.option("--after", metavar="ITEM_ID", help="Only items behind this one.")
@limit_option
@on_connection
async def items(session: Session, /, queue: str, limit: int | None, **wanted: Any) -> None:
    """Lists items, oldest first."""
    await session.show_all(session.adapter.queues.items(queue, **wanted), COLUMNS, limit)


@queues.command("item", epilog=examples("rpa-bridge queues item Invoices 4711"))
@click.argument("queue")
@click.argument("item_id")
@on_connection
async def item(session: Session, /, queue: str, item_id: str) -> None:
    """Shows an item as it is now."""
    session.show(await session.adapter.queues.get_item(queue, item_id))


@queues.command(
    "add",
    epilog=examples(
        "rpa-bridge queues add Invoices -v number=4711 -v amount:=12.5 --reference A-4711",
        "rpa-bridge queues add Invoices --from items.jsonl",
        """echo '{"values": {"number": 4711}, "reference": "A-4711"}' | rpa-bridge queues add Invoices --from -""",
    ),
)
@click.argument("queue")
@pairs_option("-v", "--value", "values", help="One value of the item, as text or typed.")
@click.option("--reference", help="What people call the item; with it, a lost answer can be looked up.")
@click.option("--mark", help="A word that no other item has, unseen by robots; `items --mark` finds the item by it.")
@click.option("--priority", type=Word(Priority), help="What goes first.")
@click.option("--not-before", type=Moment(+1), help="Not taken before then: a time, or a duration from now.")
@click.option("--due", "due_at", type=Moment(+1), help="To be done by then: a time, or a duration from now.")
@click.option("--from", "source", metavar="FILE", help="Many items, one JSON object a line; - reads standard input.")
@on_connection
async def add(session: Session, /, queue: str, source: str | None, values: dict[str, Any], **settings: Any) -> None:
    """Adds one item, or with --from many of them."""
    given = {name: value for name, value in settings.items() if value is not None}
    if source is None:
        if not values:
            raise click.UsageError("an item needs values: say -v key=text, or --from FILE for many")
        session.show(await session.adapter.queues.add(queue, ItemDraft(values=values, **given)))
        return
    if values or given:
        raise click.UsageError("--from takes everything from the file; leave the options of a single item away")
    await _add_many(session, queue, source)


async def _add_many(session: Session, /, queue: str, source: str) -> None:
    from .render import progress

    tally = dict.fromkeys(AddStatus, 0)
    stream_results = session.state.output is Output.JSONL
    with progress(f"adding to {queue}", _lines(source), unit="items") as meter:

        def on_result(result: AddResult) -> None:
            tally[result.status] += 1
            meter.advance(1)
            if stream_results:
                session.show(result)

        try:
            summary = await session.adapter.queues.add_many(queue, read_drafts(source), on_result=on_result)
        except BaseException:
            session.note(f"stopped on the way, after {_words(tally)}")
            raise
    session.note(_words(tally))
    if not stream_results:
        session.show(summary)
    if summary.unknown:
        raise click.exceptions.Exit(Exit.OUTCOME_UNKNOWN)
    if summary.refused:
        raise click.exceptions.Exit(Exit.FAILURE)


def _words(tally: dict[AddStatus, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in tally.items())


def _lines(source: str) -> int | None:
    """How many lines a file has, for the time left; None for a pipe, which can be read only once."""
    if not is_plain_file(source):
        return None
    with Path(source).open("rb") as file:
        return sum(1 for _ in file)


@queues.command("take", epilog=examples("rpa-bridge queues take Invoices -o json"))
@click.argument("queue")
@on_connection
async def take(session: Session, /, queue: str) -> None:
    """Takes the next item; then work it, and say `complete` or `fail`. An empty queue is no failure."""
    taken = await session.adapter.queues.take(queue)
    if taken is None:
        session.note(f"queue {queue!r} has no new item")
    session.show(taken)


@queues.command("complete", epilog=examples("rpa-bridge queues complete Invoices 4711 -r booking=B-17"))
@click.argument("queue")
@click.argument("item_id")
@pairs_option("-r", "--result", "results", help="One result of the work.")
@on_connection
async def complete(session: Session, /, queue: str, item_id: str, results: dict[str, Any]) -> None:
    """Reports a taken item done."""
    service = session.adapter.queues
    await service.complete(await service.get_item(queue, item_id), results or None)
    session.note(f"item {item_id} is done")


@queues.command("fail", epilog=examples('rpa-bridge queues fail Invoices 4711 "the amount is missing" --kind business'))
@click.argument("queue")
@click.argument("item_id")
@click.argument("reason")
@click.option(
    "--kind",
    type=Word(FailureKind),
    default=FailureKind.APPLICATION.value,
    show_default=True,
    help="Whose fault: the item's own (business), or the machinery's (application), where trying again may help.",
)
@click.option("--detail", help="What helps to find the cause.")
@on_connection
async def fail(
    session: Session, /, queue: str, item_id: str, reason: str, *, kind: FailureKind, detail: str | None
) -> None:
    """Reports a taken item failed."""
    service = session.adapter.queues
    failure = Failure(kind=kind, reason=reason, detail=detail)
    await service.fail(await service.get_item(queue, item_id), failure)
    session.note(f"item {item_id} is failed")


@queues.command("progress", epilog=examples('rpa-bridge queues progress Invoices 4711 "page 3 of 7"'))
@click.argument("queue")
@click.argument("item_id")
@click.argument("text")
@on_connection
async def progress(session: Session, /, queue: str, item_id: str, text: str) -> None:
    """Notes how far a taken item is."""
    service = session.adapter.queues
    await service.progress(await service.get_item(queue, item_id), text)
    session.note(f"noted on item {item_id}")


@queues.command("postpone", epilog=examples("rpa-bridge queues postpone Invoices 4711 2h"))
@click.argument("queue")
@click.argument("item_id")
@click.argument("until", type=Moment(+1))
@on_connection
async def postpone(session: Session, /, queue: str, item_id: str, until: datetime) -> None:
    """Keeps a new item from being taken until a time, or for a duration."""
    service = session.adapter.queues
    await service.postpone(await service.get_item(queue, item_id), until)
    session.note(f"item {item_id} waits until {until.isoformat(timespec='seconds')}")


@queues.command("remove", epilog=examples("rpa-bridge queues remove Invoices 4711"))
@click.argument("queue")
@click.argument("item_id")
@on_connection
async def remove(session: Session, /, queue: str, item_id: str) -> None:
    """Takes a new item out of the queue, unworked."""
    service = session.adapter.queues
    await service.remove(await service.get_item(queue, item_id))
    session.note(f"item {item_id} is removed")


@queues.command("retry", epilog=examples("rpa-bridge queues retry Invoices 4711"))
@click.argument("queue")
@click.argument("item_id")
@on_connection
async def retry(session: Session, /, queue: str, item_id: str) -> None:
    """Tries a failed item again, and shows the new one."""
    service = session.adapter.queues
    session.show(await service.retry(await service.get_item(queue, item_id)))
