"""Values as people write them on the command line: `key=text`, `key:=JSON`, files and standard input."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from .options import STDIN

F = TypeVar("F", bound=Callable[..., Any])

_PAIR = re.compile(r"(?P<key>.+?)(?P<sign>:?=)(?P<value>.*)", re.DOTALL)


def parse_pairs(pairs: Iterable[str]) -> dict[str, Any]:
    """The values of `key=text` and `key:=JSON`. Raises BadParameter, which does not show the value."""
    found: dict[str, Any] = {}
    for pair in pairs:
        parts = _PAIR.fullmatch(pair)
        if parts is None:
            raise click.BadParameter("write key=text or key:=JSON")
        key = parts["key"]
        if key in found:
            raise click.BadParameter(f"{key!r} is given twice")
        found[key] = parts["value"] if parts["sign"] == "=" else _typed(key, parts["value"])
    return found


def _typed(key: str, text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        raise click.BadParameter(
            f"the value of {key!r} is not JSON; write {key}:=42, {key}:=true or {key}:='[1, 2]', and {key}=... for text"
        ) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse_json(text: str | bytes) -> Any:
    """What the JSON says. Raises ValueError for everything else, NaN and bottomless nesting included."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({type(error).__name__})") from None


def pairs_option(*names: str, help: str) -> Callable[[F], F]:
    """Adds an option that collects `key=text` and `key:=JSON` into a dict."""

    def collect(_ctx: click.Context, _param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, Any]:
        return parse_pairs(pairs)

    return click.option(*names, multiple=True, metavar="KEY=TEXT|KEY:=JSON", callback=collect, help=help)


def read_text(source: str) -> str:
    """The text of a file, or of standard input for "-". Raises UsageError for what is not UTF-8."""
    try:
        data = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError(f"{name_of(source)} is not UTF-8 text; save it as UTF-8") from None


def read_object(source: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input for "-". Raises UsageError."""
    try:
        found = parse_json(read_text(source))
    except ValueError:
        raise click.UsageError(f"{name_of(source)} does not hold JSON; it must hold one object") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"{name_of(source)} must hold one JSON object, not {type(found).__name__}")
    return found


def name_of(source: str) -> str:
    """The source as a person calls it."""
    return "standard input" if source == STDIN else repr(source)
