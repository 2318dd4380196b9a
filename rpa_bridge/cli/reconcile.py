"""`rpa-bridge reconcile`: what became of what a crash or a lost answer left open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from .commands import Verb, examples
from .exits import Exit
from .session import run_with_bridge
from .state import State

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.helpers.reconciling import Reconciled

COLUMNS = ("op_id", "at", "connection", "operation", "subject", "what", "fate", "ids", "message")


@click.command(
    cls=Verb,
    epilog=examples(
        "rpa-bridge reconcile",
        "rpa-bridge reconcile --on uipath-prod -o json",
        "rpa-bridge reconcile 6f1c2a52-8f0e-4f7e-9a39-0d5c6c1b7f10 --forget",
    ),
)
@click.argument("op_id", required=False)
@click.option("--forget", is_flag=True, help="Take OP_ID off the list: you have looked on the platform yourself.")
def reconcile(op_id: str | None, forget: bool) -> None:
    """Lists what was sent and whose end nobody saw, looks each up, and takes off the list what is settled.

    Nothing is started or repeated. Without --on it is all connections. Exit code 5 when something is still unknown.
    """
    if forget and op_id is None:
        raise click.UsageError("--forget is for one: say its OP_ID, which rpa-bridge reconcile shows")

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge.helpers.reconciling import Fate

        from .render import note, show_all

        fates: list[Fate] = []

        async def counted() -> AsyncIterator[Reconciled]:
            async for one in bridge.reconcile(op_id, on=state.on, forget=forget):
                fates.append(one.fate)
                yield one

        await show_all(counted(), COLUMNS, state.output, 0)
        if not fates:
            note("nothing is open")
        if Fate.UNKNOWN in fates:
            raise click.exceptions.Exit(Exit.OUTCOME_UNKNOWN)

    run_with_bridge(work)
