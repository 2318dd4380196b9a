"""How data leaves: tables for people, JSON for machines, notes and progress on stderr."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import click

from rpa_bridge.contract.model import Neutral, plain
from rpa_bridge.redaction import REDACTOR

from .state import Output

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

ROWS_OF_A_TABLE = 100
"""A table ends here unless told otherwise: people read it."""
_WIDEST = 100_000
"""Columns where nobody looks: nothing is cut or wrapped in a pipe."""
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\ud800-\udfff]")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 10}
_STYLES = {
    **dict.fromkeys(("succeeded", "done", "added", "available", "fresh", "found", "yes"), "green"),
    **dict.fromkeys(("failed", "lapsed", "refused", "disconnected", "unresponsive", "expired", "no"), "red"),
    **dict.fromkeys(("running", "taken", "busy", "stopping"), "cyan"),
    **dict.fromkeys(("partial", "stopped", "suspended", "unknown", "stale", "aging"), "yellow"),
}


def note(text: str) -> None:
    """Tells a person something, on stderr."""
    click.echo(REDACTOR.line(text), err=True)


def to_json(value: Any, *, indent: int | None = None) -> bytes:
    """The value as JSON in UTF-8, without raw data; what a terminal would obey is escaped."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def cell(value: Any) -> str:
    """The value as a person reads it in a table; control characters are made visible."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Neutral):
        return cell(row(value))
    if isinstance(value, Mapping):
        return ", ".join(f"{cell(key)}={cell(one)}" for key, one in value.items()) or "-"
    if isinstance(value, list | tuple | set | frozenset):
        return ("\n" if any(isinstance(one, Neutral) for one in value) else ", ").join(map(cell, value)) or "-"
    return str(value).translate(_CONTROL).encode("utf-8", "backslashreplace").decode()


def row(value: Any) -> Mapping[str, Any]:
    """The named parts of a value."""
    if isinstance(value, Neutral):
        return {part.name: getattr(value, part.name) for part in fields(value) if part.name != "raw_data"}
    if isinstance(value, Mapping):
        return value
    return {"value": value}


def _part(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = None if value is None else row(value).get(name)
    return value


def _text(value: Any) -> Text:
    from rich.text import Text

    words = cell(value)
    return Text(words, style=_STYLES.get(words, "") if isinstance(value, StrEnum | bool) else "")


def print_rich(drawing: RenderableType) -> None:
    """Draws on stdout; without colour and never cut where stdout is no terminal."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(highlight=False, markup=False, emoji=False, width=None if terminal else _WIDEST)
    with console.capture() as drawn:
        console.print(drawing)
    click.echo("\n".join(line.rstrip() for line in drawn.get().rstrip("\n").split("\n")))


def table(rows: Sequence[Any], columns: Sequence[str]) -> RenderableType:
    """A table of these columns, for `print_rich`; "failure.reason" is a part of a part."""
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        drawn.add_column(re.sub("[_.]", " ", name).upper(), overflow="fold")
    for one in rows:
        drawn.add_row(*(_text(_part(one, name)) for name in columns))
    return drawn


def record(value: Any) -> RenderableType:
    """One value, a line for each part."""
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    drawn.add_column(style="bold")
    drawn.add_column(overflow="fold")
    for name, part in row(value).items():
        drawn.add_row(name.replace("_", " "), _text(part))
    return drawn


def show(value: Any, output: Output) -> None:
    """Prints one value; None is nothing in a table, `null` in JSON."""
    if output is Output.JSON:
        click.echo(to_json(value, indent=2))
    elif value is None:
        return
    elif output is Output.JSONL:
        click.echo(to_json(value))
    else:
        print_rich(record(value))


def show_rows(values: Sequence[Any], columns: Sequence[str], output: Output) -> None:
    """Prints values that are all at hand."""
    if output is Output.TABLE:
        print_rich(table(values, columns))
    elif output is Output.JSON:
        click.echo(to_json(list(values), indent=2))
    else:
        for value in values:
            click.echo(to_json(value))


async def show_all(values: AsyncIterator[Any], columns: Sequence[str], output: Output, limit: int | None) -> None:
    """Prints values as they come in; a table is drawn when all are there.

    `limit` 0 means all; None means all for machines and 100 rows in a table, which says so.
    """
    if output is Output.TABLE:
        most = ROWS_OF_A_TABLE if limit is None else limit
        rows = [value async for value in _first(values, most + 1 if limit is None else most)]
        print_rich(table(rows[: most or None], columns))
        if limit is None and len(rows) > most:
            note(f"there are more than these {most}; --limit 0 shows all")
    elif output is Output.JSONL:
        async for value in _first(values, limit or 0):
            click.echo(to_json(value))
    else:
        await _json_document(_first(values, limit or 0))


async def _json_document(values: AsyncIterator[Any]) -> None:
    """One JSON array in constant memory. A failure on the way leaves it unclosed, so that nobody takes it for whole."""
    separator = b"["
    async for value in values:
        click.echo(separator + b"\n  " + to_json(value), nl=False)
        separator = b","
    click.echo(b"[]" if separator == b"[" else b"\n]")


async def _first(values: AsyncIterator[Any], most: int) -> AsyncIterator[Any]:
    """The first values, all for 0; the source is closed, so that its pages are not fetched on."""
    count = 0
    try:
        async for value in values:
            yield value
            count += 1
            if count == most:
                return
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            await close()


class Meter(Protocol):
    """Something that moves on."""

    def advance(self, amount: int) -> None:
        """Moves on by so many."""


class _Still:
    def advance(self, amount: int) -> None:
        """Nobody looks."""


async def metered(stream: AsyncIterable[bytes], meter: Meter) -> AsyncIterator[bytes]:
    """The same pieces; the meter hears of their bytes."""
    async for piece in stream:
        meter.advance(len(piece))
        yield piece


@contextlib.contextmanager
def progress(what: str, total: int | None, *, unit: str) -> Iterator[Meter]:
    """A bar on stderr with the time left where `total` is known; nothing where stderr is no terminal.

    `unit` is "bytes" or what is counted.
    """
    if not sys.stderr.isatty():
        yield _Still()
        return
    from rich import progress as bars
    from rich.console import Console

    amount = bars.DownloadColumn() if unit == "bytes" else bars.TextColumn(f"{{task.completed}} {unit}")
    columns = (bars.TextColumn(what, markup=False), bars.BarColumn(), amount, bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(what, total=total)

        class Bar:
            def advance(self, amount: int) -> None:
                drawn.advance(task, amount)

        yield Bar()
