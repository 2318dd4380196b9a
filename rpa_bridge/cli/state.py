"""What the options that every command takes have said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click


class Output(StrEnum):
    """How data leaves on stdout."""

    TABLE = "table"
    """For people."""
    JSON = "json"
    """One document."""
    JSONL = "jsonl"
    """One line for each value, as it comes in."""


@dataclass
class State:
    """The shared options of one run."""

    settings: Path | None = None
    on: str | None = None
    output: Output = Output.TABLE
    debug: bool = False
    verbose: bool = False


def current_state() -> State:
    """The state of the command that runs."""
    return click.get_current_context().ensure_object(State)
