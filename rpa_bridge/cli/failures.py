"""How a command ends that did not go well: one line on stderr and an exit code, and a traceback only with --debug."""

from __future__ import annotations

import traceback
from pathlib import Path

import click

from rpa_bridge.errors import BridgeError
from rpa_bridge.redaction import REDACTOR

from .exits import Exit, exit_code


def explain(error: Exception, *, debug: bool) -> int:
    """Says on stderr what went wrong, without any secret, and tells the exit code."""
    if debug and not isinstance(error, click.ClickException | click.Abort):
        text = "".join(traceback.format_exception(error))
        click.echo(REDACTOR.clean(text), err=True)
    if isinstance(error, click.Abort):
        _say("interrupted")
        return Exit.INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, BridgeError):
        _say(f"error: {error}")
        return exit_code(error)
    if isinstance(error, OSError) and error.strerror:
        about = f": {str(error.filename)!r}" if error.filename is not None else ""
        _say(f"error: {error.strerror}{about}")
        return Exit.FAILURE
    _say(f"error: unexpected {type(error).__name__} in {_place(error)}; run again with --debug and report what it says")
    return Exit.FAILURE


def _say(text: str) -> None:
    click.echo(REDACTOR.line(text), err=True)


def _place(error: Exception) -> str:
    """Where it came from, as file and line: an unknown error's own words may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    path = Path(frames[-1].filename)
    return f"{path.parent.name}/{path.name}:{frames[-1].lineno}"
