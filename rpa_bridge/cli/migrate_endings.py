"""`rpa-bridge migrate`: what comes after the copy: compare, open, remove at either end, and the dead letters."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .commands import examples
from .exits import Exit
from .migrate import migrate
from .migration_options import files_as_words, journal_option, plan_argument, stock_options
from .options import confirm, limit_option, yes_option
from .session import run_with_bridge
from .state import State, current_state

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.migration import Kind


@migrate.command(
    "verify", epilog=examples("rpa-bridge migrate verify plan.json", "rpa-bridge migrate verify plan.json --deep")
)
@plan_argument
@stock_options
@click.option("--deep", is_flag=True, help="Read every file, and compare its content.")
@click.option("--no-arrivals", is_flag=True, help="Do not look for items that came to the source meanwhile.")
def verify(plan: Path, journal: Path | None, take_over: bool, deep: bool, no_arrivals: bool) -> None:
    """Reads back what was copied, and compares it: counts, doubled things, sums, then one by one.

    Exit code 4 when something differs. What no platform lets anybody read is called unverifiable, and never ok.
    """

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .migration_exits import end_of_verification
        from .migration_session import running
        from .migration_view import show_verification

        async with running(bridge, plan, journal, take_over=take_over) as run:
            found = await migration.verify(run, deep=deep, arrivals=not no_arrivals)
        show_verification(found, state.output)
        end_of_verification(found, files_as_words(plan, journal))

    run_with_bridge(work)


@migrate.command("activate", epilog=examples("rpa-bridge migrate activate plan.json"))
@plan_argument
@stock_options
@click.option("--force", is_flag=True, help="Though something was not verified.")
def activate(plan: Path, journal: Path | None, take_over: bool, force: bool) -> None:
    """Opens the target's queues, last of all: from then on the items are worked there."""

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .migration_session import running
        from .migration_view import show_plain

        async with running(bridge, plan, journal, take_over=take_over) as run:
            opened = await migration.activate(run, force=force)
        show_plain(opened, state.output)

    run_with_bridge(work)


@migrate.command(
    "retire",
    epilog=examples(
        "rpa-bridge migrate retire plan.json", "rpa-bridge migrate retire plan.json --kinds items,assets --yes"
    ),
)
@plan_argument
@stock_options
@click.option("--kinds", default="items", show_default=True, help="Some of items, asset, credential, artifacts.")
@yes_option
def retire(plan: Path, journal: Path | None, take_over: bool, kinds: str, yes: bool) -> None:
    """Removes at the SOURCE what was verified at the target.

    What was worked or changed there meanwhile stays, and is told.
    """
    chosen = _kinds(kinds)
    confirm("what was verified is removed at the source", yes=yes)

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .migration_session import draining, running
        from .migration_view import show_endings

        async with running(bridge, plan, journal, take_over=take_over) as run, draining(run):
            ended = await migration.retire(run, kinds=chosen)
        show_endings(ended.steps, state.output)
        _end(f"retire --kinds {shlex.quote(kinds)}", ended.drained, plan, journal)

    run_with_bridge(work)


@migrate.command("rollback", epilog=examples("rpa-bridge migrate rollback plan.json"))
@plan_argument
@stock_options
@click.option("--leave-retired", is_flag=True, help="Though something was removed at the source: that stays.")
@yes_option
def rollback(plan: Path, journal: Path | None, take_over: bool, leave_retired: bool, yes: bool) -> None:
    """Removes at the TARGET what this migration made and nobody touched. Queues stay, inactive."""
    confirm("what this migration made is removed at the target", yes=yes)

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .migration_session import draining, running
        from .migration_view import show_endings

        async with running(bridge, plan, journal, take_over=take_over) as run, draining(run):
            ended = await migration.rollback(run, leave_retired=leave_retired)
        show_endings(ended.steps, state.output)
        _end("rollback --leave-retired" if leave_retired else "rollback", ended.drained, plan, journal)

    run_with_bridge(work)


@migrate.command(
    "letters",
    epilog=examples("rpa-bridge migrate letters plan.json", "rpa-bridge migrate letters plan.json --csv > letters.csv"),
)
@plan_argument
@journal_option
@click.option("--csv", "as_csv", is_flag=True, help="All of them, as a table for spreadsheets.")
@limit_option
def letters(plan: Path, journal: Path | None, as_csv: bool, limit: int | None) -> None:
    """Lists what could not go, with the reason and a remedy each; never what is in it."""
    import asyncio

    from rpa_bridge import migration

    from .migration_session import looked_into
    from .migration_view import LETTERS, as_rows
    from .render import show_all

    state = current_state()

    async def work() -> None:
        async with looked_into(plan, journal) as (_, kept):
            if as_csv:
                await migration.write_csv(kept, sys.stdout)
                sys.stdout.flush()
            else:
                await show_all(as_rows(migration.letters(kept)), LETTERS, state.output, limit)

    asyncio.run(work())


@migrate.command("requeue", epilog=examples("rpa-bridge migrate requeue plan.json --code duplicate"))
@plan_argument
@journal_option
@click.option("--code", "codes", multiple=True, help="All dead letters of this code.")
@click.option("--seq", "seqs", multiple=True, type=int, help="The dead letter of this number.")
def requeue(plan: Path, journal: Path | None, codes: tuple[str, ...], seqs: tuple[int, ...]) -> None:
    """Lets dead letters go on their way again with the next `resume`, after you have mended what stopped them."""
    import asyncio

    from rpa_bridge import migration
    from rpa_bridge.clock import SystemClock

    from .migration_session import opened
    from .render import note

    if not (codes or seqs):
        raise click.UsageError("which? Say --code or --seq; rpa-bridge migrate letters shows both")

    async def work() -> None:
        async with opened(plan, journal) as (_, kept):
            number = await migration.requeue(kept, SystemClock(), codes=codes, seqs=seqs)
        note(f"{number} will go with rpa-bridge migrate resume {files_as_words(plan, journal)}")

    asyncio.run(work())


def _end(command: str, drained: bool, plan: Path, journal: Path | None) -> None:
    """Ends with 75 when it was asked to stop before its end; `command` is what it was told."""
    if drained:
        from .render import note

        note(f"stopped before its end; rpa-bridge migrate {command} {files_as_words(plan, journal)} goes on")
        raise click.exceptions.Exit(Exit.PAUSED)


def _kinds(text: str) -> list[Kind]:
    from rpa_bridge.migration import Kind

    words = [one.strip() for one in text.split(",") if one.strip()]
    known = [kind for kind in Kind if kind is not Kind.QUEUE]
    for word in words:
        if word not in known:
            raise click.UsageError(f"{word!r} cannot be retired; say some of {', '.join(known)}")
    return [Kind(word) for word in words]
