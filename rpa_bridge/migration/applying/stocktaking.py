"""Taking stock: one row for each thing that will go, before anything is sent.

What is at the source must be what the plan was made of; otherwise nothing is carried out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.queues import Item, ItemState
from rpa_bridge.errors import InvalidError, MigrationError, NotFoundError, UnsupportedError
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.canonical import add_up
from rpa_bridge.migration.content import item_hash
from rpa_bridge.migration.documents import Kind, Step
from rpa_bridge.migration.journal.base import NewRow, RowState, Stock
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.stages import Stage
from rpa_bridge.redaction import REDACTOR

TAKING_STOCK = "taking stock"
BATCH = 500
"""Rows written at once."""


async def take_stock(run: Run, *, allow_drift: bool) -> None:
    """Writes down all things that will go. Raises MigrationError when they are not those of the plan.

    `allow_drift` takes what is there instead.
    """
    if await is_stock_taken(run):
        return
    for step in run.plan.steps:
        if step.goes and not (await run.journal.stock(key_of(step))).complete:
            await _take_stock_of(run, step)
            run.reached("stock.step")
    if not allow_drift:
        await _compare(run)
    await run.journal.note(Stage.STOCKED)
    run.reached("stock.taken")


async def is_stock_taken(run: Run) -> bool:
    """Whether all things that will go are written down, and were found to be those of the plan."""
    return any(text == Stage.STOCKED for _, text in await run.journal.notes())


async def _compare(run: Run) -> None:
    for step in run.plan.steps:
        if not step.goes or not step.digest:
            continue
        stock = await run.journal.stock(key_of(step))
        if stock.digest == step.digest:
            continue
        changed = (
            f"{step.kind} of {step.name!r} changed since the plan was made ({step.count + step.blocked} then, "
            f"{stock.count} now)"
        )
        if await run.journal.rows(states={RowState.UNKNOWN}, limit=1):
            raise MigrationError(
                f"{changed}, and the journal has forgotten what was sent; stop what works there, and take what is "
                f"there now with --allow-drift: it is looked up at the target before it is sent"
            )
        await run.journal.unstock()
        raise MigrationError(
            f"{changed}; nothing was sent: stop what works there and plan again, or take what is there now with "
            f"--allow-drift"
        )


async def _take_stock_of(run: Run, step: Step) -> None:
    if step.kind is Kind.ITEMS:
        await _add_items(run, step)
    elif step.kind is Kind.ARTIFACTS:
        await _add_all(run, step, _files(run, step), Stock())
    else:
        row = NewRow(src_id=step.name, key=f"{step.kind}:{step.to}", src_hash="", expect_hash="")
        await run.journal.add(key_of(step), [row], Stock(complete=True, last=step.name, count=1))


async def _add_items(run: Run, step: Step) -> None:
    """Goes on where it stopped; from the beginning where the item to begin after is no longer listed."""
    stock = await run.journal.stock(key_of(step))
    try:
        await _add_all(run, step, _items(run, step, stock.last), stock)
    except NotFoundError:
        if stock.last is None:
            raise
        await _add_all(run, step, _items(run, step, None), Stock())


async def _add_all(run: Run, step: Step, things: AsyncIterator[tuple[NewRow, str]], stock: Stock) -> None:
    """Writes rows in batches, each together with how far that is; a thing's digest goes into the sum.

    `things` come after those that `stock` has. A row that is there already is left as it is.
    """
    key = key_of(step)
    rows: list[NewRow] = []
    digests: list[str] = []

    async def write(*, complete: bool) -> None:
        nonlocal stock
        last = rows[-1].src_id if rows else stock.last
        total = stock.count + len(rows)
        stock = replace(stock, complete=complete, last=last, count=total, digest=add_up(stock.digest, digests))
        await run.journal.add(key, rows, stock)
        rows.clear()
        digests.clear()
        run.tell(TAKING_STOCK, step.name, stock.count, step.count + step.blocked)
        run.reached("stock.rows")

    async for row, digest in things:
        rows.append(row)
        digests.append(digest)
        if len(rows) >= BATCH:
            await write(complete=False)
    await write(complete=True)


async def _items(run: Run, step: Step, after: str | None) -> AsyncIterator[tuple[NewRow, str]]:
    mapper = item_mapper(run, step)
    async for item in run.source.queues.items(step.name, state=ItemState.NEW, after=after):
        row = _item_row(run, mapper, item)
        yield row, inventory.item_digest(row.src_id, row.src_hash)


def _item_row(run: Run, mapper: mapping.ItemMapper, item: Item) -> NewRow:
    key, src_hash = mapper.mark(item), item_hash(item)
    try:
        mapped = mapper.mapped(item)
        run.target.queues.check_item(mapped.draft)
    except (InvalidError, UnsupportedError) as error:
        hint = REDACTOR.line(str(error))
        return NewRow(
            src_id=item.id, key=key, src_hash=src_hash, expect_hash="", state=RowState.DEAD, code="refused", hint=hint
        )
    return NewRow(src_id=item.id, key=key, src_hash=src_hash, expect_hash=item_hash(mapped.draft), bytes=mapped.bytes)


async def _files(run: Run, step: Step) -> AsyncIterator[tuple[NewRow, str]]:
    seen: set[tuple[str, str | None, str | None]] = set()
    async for file in inventory.files(run.source, Selection.of(run.plan.select), container=step.name):
        yield _file_row(step, file, seen), inventory.file_digest(file)


def _file_row(step: Step, file: Artifact, seen: set[tuple[str, str | None, str | None]]) -> NewRow:
    row = NewRow(
        src_id=file.id, key=f"artifact:{step.name}/{file.id}", src_hash="", expect_hash="", bytes=file.size or 0
    )
    place = mapping.file_place(step, file)
    if place in seen:
        hint = (
            f"another file goes to {place[0]!r} already; tell them apart with the rule artifacts.name, and plan again"
        )
        return replace(row, state=RowState.DEAD, code="same_name", hint=hint)
    seen.add(place)
    return row


def item_mapper(run: Run, step: Step) -> mapping.ItemMapper:
    """What makes drafts of this queue's items."""
    rules = Rules.of(run.plan.rules)
    limits = run.target.capabilities.limits
    return mapping.ItemMapper(rules, step.name, limits, run.plan.mark_prefix(step.to))
