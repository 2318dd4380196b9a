"""Options and arguments that the commands of a migration share."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .commands import Command
from .options import Duration, connection_names
from .state import Output, current_state

F = TypeVar("F", bound=Callable[..., Any])
PATIENCE = "1h"


class PlanWriter(Command):
    """A command whose -o names the file that it writes."""

    def more_params(self) -> list[click.Parameter]:
        found = super().more_params()
        for one in found:
            if "-o" in one.opts:
                one.opts.remove("-o")
        return found


def plan_file(_ctx: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    """The file for a plan. Raises UsageError for what cannot be meant, and where a plan was begun."""
    if value is not None and str(value) in list(Output):
        raise click.UsageError(f"-o names the plan's file here; say --output {value}, or -o ./{value}")
    if value is not None and journal_of(value, None).exists():
        raise click.UsageError(
            f"the plan in {value} was begun: {journal_of(value, None)} is there; name another file for the new one"
        )
    return value


def connection_argument(name: str) -> Callable[[F], F]:
    """Adds the name of a connection, which a shell completes."""
    return click.argument(name, shell_complete=connection_names)


def rules_option(command: F) -> F:
    """Adds the rules."""
    return click.option(
        "--rules",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="How things change on their way; TOML or JSON.",
    )(command)


def plan_argument(command: F) -> F:
    """Adds the plan's file."""
    return click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))(command)


def selection_options(command: F) -> F:
    """Adds what is to go."""
    kinds = {
        "artifacts": "Files to take, as CONTAINER/NAME; ** crosses folders.",
        "credentials": "Credentials to take.",
        "assets": "Assets to take.",
        "queues": "Queues to take, with their new items.",
    }
    for kind, text in kinds.items():
        every = "**" if kind == "artifacts" else "*"
        option = click.option(
            f"--{kind}", multiple=True, is_flag=False, flag_value=every, metavar="[PATTERN]", help=text
        )
        command = option(command)
    return command


def stock_options(command: F) -> F:
    """Adds where the journal is, and whether to take it from another process."""
    take_over = click.option("--take-over", is_flag=True, help="Go on although another process, which hangs, holds it.")
    return journal_option(take_over(command))


def journal_option(command: F) -> F:
    """Adds where the journal is."""
    return click.option(
        "--journal",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The journal, on a local disk; PLAN with .journal at its end unless told.",
    )(command)


def apply_options(command: F) -> F:
    """Adds how carefully a plan is carried out."""
    for option in (
        click.option(
            "--most-letters",
            "most",
            type=click.IntRange(min=0),
            default=100,
            show_default=True,
            help="Stop when more items of one queue are refused.",
        ),
        click.option(
            "--patience",
            type=Duration(),
            default=PATIENCE,
            show_default=True,
            help="How long to wait for a platform that is down.",
        ),
        click.option("--allow-drift", is_flag=True, help="Take what is there, though it changed since the plan."),
        click.option("--allow-live", is_flag=True, help="Begin although the source is at work."),
    ):
        command = option(command)
    return command


def journal_of(plan: Path, journal: Path | None) -> Path:
    """Where the plan's journal is."""
    return plan.with_name(f"{plan.name}.journal") if journal is None else journal


def files_as_words(plan: Path, journal: Path | None) -> str:
    """The plan, its journal and the settings, as one types them behind a command."""
    settings = current_state().settings
    options = {"--journal": journal, "--settings": settings}
    return shlex.join([str(plan), *(word for name, path in options.items() if path for word in (name, str(path)))])
