"""`rpa-bridge check`: whether connections work, and what to mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from rpa_bridge.contract.model import Neutral
from rpa_bridge.redaction import REDACTOR

from .commands import Verb, examples
from .exits import Exit
from .session import pick, run_with_bridge
from .state import State

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge

COLUMNS = ("connection", "subject", "ok", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Neutral):
    """A finding, and whose it is."""

    connection: str
    subject: str
    ok: bool
    message: str


@click.command(cls=Verb, epilog=examples("rpa-bridge check --on uipath-prod", "rpa-bridge check --all -o json"))
@click.option("--all", "everything", is_flag=True, help="Check every connection of the settings.")
def check(everything: bool) -> None:
    """Looks whether a connection works: reachable, login, rights, folder; each finding names its mend.

    Exit code 1 when one finding is not well.
    """

    async def work(bridge: Bridge, state: State) -> None:
        from .render import show_rows

        if everything and state.on is not None:
            raise click.UsageError("--all and --on exclude each other")
        names = list(bridge) if everything else [pick(list(bridge), state.on)]
        lines = [line for name in names for line in await _lines(bridge, name, keep_going=everything)]
        show_rows(lines, COLUMNS, state.output)
        if not all(line.ok for line in lines):
            raise click.exceptions.Exit(Exit.FAILURE)

    run_with_bridge(work)


async def _lines(bridge: Bridge, name: str, *, keep_going: bool) -> list[Line]:
    from rpa_bridge.errors import BridgeError

    try:
        adapter = bridge[name]
    except BridgeError as error:
        if not keep_going:
            raise
        return [_line(name, "settings", str(error), ok=False)]
    findings = await adapter.check()
    return [_line(name, one.subject, one.message, ok=one.ok) for one in findings]


def _line(connection: str, subject: str, message: str, *, ok: bool) -> Line:
    """A finding may quote an error: it is cleaned as an error is."""
    return Line(connection=connection, subject=subject, ok=ok, message=REDACTOR.line(message))
