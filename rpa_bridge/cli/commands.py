"""The click classes behind the command line: lazy at the root, shared options everywhere, examples in every help."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from .options import on_option, shared_options
from .state import State


def examples(*lines: str) -> str:
    """An epilogue that shows how a command is called, kept from being wrapped by click."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Writes the command's own options first, and apart from them those that every command takes."""
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and isinstance(param, click.Option):
            (own if param.expose_value else shared).append(record)
    for title, records in (("Options", own), ("Options of every command", shared)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


class Command(click.Command):
    """A command that takes the shared options."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += self.more_params()

    def more_params(self) -> list[click.Parameter]:
        """The options that all commands of this class have."""
        return shared_options()

    def invoke(self, ctx: click.Context) -> Any:
        from .logs_on_stderr import logs_on_stderr

        state = ctx.ensure_object(State)
        with logs_on_stderr(debug=state.debug, verbose=state.verbose):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(self, ctx, formatter)


class Verb(Command):
    """A command that works on one connection."""

    def more_params(self) -> list[click.Parameter]:
        return [on_option(), *super().more_params()]


class Group(click.Group):
    """Commands about one thing, in the order in which they were written."""

    command_class = Command

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += self.more_params()

    def more_params(self) -> list[click.Parameter]:
        """The options that all groups of this class have."""
        return shared_options()

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


class Noun(Group):
    """The verbs of one noun of the contract."""

    command_class = Verb

    def more_params(self) -> list[click.Parameter]:
        return [on_option(), *super().more_params()]


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command stands ("module:name"), and its line in the list: the list is shown without importing it."""

    target: str
    help: str


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and not to list it."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._lazy = lazy
        for name, one in lazy.items():
            self.add_command(click.Command(name, short_help=one.help))

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._lazy:
            return None
        module, attribute = self._lazy[name].target.split(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self._lazy[name].target} is not a command")
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.help) for name, one in self._lazy.items()])
