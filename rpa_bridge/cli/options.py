"""Options and parameter types that commands share."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from .state import Output, State

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", re.ASCII)
STDIN = "-"


def seconds_of(text: str) -> float | None:
    """A duration such as 90, 90s, 15m, 2h or 1d in seconds; None when it is none."""
    found = _DURATION.fullmatch(text.strip())
    return float(found[1]) * _UNITS[found[2]] if found else None


class Duration(click.ParamType[float]):
    """A duration in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        seconds = seconds_of(str(value))
        if seconds is None:
            self.fail(f"{value!r} is not a duration; write 90, 90s, 15m, 2h or 1d", param, ctx)
        return seconds


class Moment(click.ParamType[datetime]):
    """A moment: ISO 8601, where no zone means this machine's, or a duration from now (`direction` -1: back in time)."""

    name = "time"

    def __init__(self, direction: int) -> None:
        self._direction = direction

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        seconds = seconds_of(str(value))
        if seconds is not None:
            from rpa_bridge.clock import SystemClock  # it brings asyncio along

            return SystemClock().now() + self._direction * timedelta(seconds=seconds)
        try:
            return datetime.fromisoformat(str(value)).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is not a time; write 2026-10-01T08:00, 2026-10-01T08:00Z or a duration", param, ctx)


class Word(click.Choice[Any]):
    """One word of an enumeration of the contract; upper and lower case are the same."""

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__(list(words), case_sensitive=False)

    def normalize_choice(self, choice: Any, ctx: click.Context | None) -> str:
        return super().normalize_choice(str(choice), ctx)  # the word itself; click would take its Python name


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and value is not False and param.name is not None:
        setattr(ctx.ensure_object(State), param.name, value)


def connection_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the settings' connections that begin so, for a shell to complete."""
    from rpa_bridge.errors import BridgeError
    from rpa_bridge.settings import load_settings

    try:
        settings = load_settings(ctx.ensure_object(State).settings)
        return [name for name in settings.connections if name.startswith(incomplete)]
    except BridgeError:  # a completion has no place to say it; the command itself will
        return []


def _shared(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, callback=_remember, expose_value=False, is_eager=True, **attributes)


def _each_level(*, root: bool) -> list[click.Parameter]:
    """The options that every command takes; the environment and short `-v` count at the root only."""
    return [
        _shared(
            "--settings",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="PATH",
            help="Settings file (RPA_BRIDGE_SETTINGS).",
        ),
        _shared(
            "--output",
            "-o",
            type=Word(Output),
            envvar="RPA_BRIDGE_OUTPUT" if root else None,
            help="How data is printed (RPA_BRIDGE_OUTPUT).",
        ),
        _shared("--debug", is_flag=True, help="Log everything and show tracebacks, on stderr."),
        _shared("--verbose", *(["-v"] if root else []), is_flag=True, help="Say more on stderr."),
    ]


def shared_options() -> list[click.Parameter]:
    """The options of every command below the root."""
    return _each_level(root=False)


def on_option(*, root: bool = False) -> click.Parameter:
    """The option that picks the connection."""
    return _shared(
        "--on",
        metavar="NAME",
        envvar="RPA_BRIDGE_ON" if root else None,
        shell_complete=connection_names,
        help="Connection to use (RPA_BRIDGE_ON); not needed where the settings hold only one.",
    )


def root_options() -> list[click.Parameter]:
    """The options of `rpa-bridge` itself."""
    return [*_each_level(root=True), on_option(root=True)]


def limit_option(command: F) -> F:
    """Adds --limit to a command that lists."""
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        help="Stop after so many; 0 gives all. Tables stop after 100 unless told otherwise.",
    )(command)


def yes_option(command: F) -> F:
    """Adds --yes to a command that destroys something."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)


def confirm(what: str, *, yes: bool) -> None:
    """Asks before something is destroyed. Where nobody can be asked, --yes is needed (UsageError)."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what}; nobody is there to be asked, so say --yes")
    if not click.confirm(f"{what}. Go on?", err=True):
        raise click.ClickException("not confirmed; nothing was done")
