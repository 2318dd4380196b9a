"""`rpa-bridge migrate`: plan, look at it, carry it out, go on. What comes after is in `migrate_endings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .commands import Group, examples
from .migration_options import (
    PlanWriter,
    apply_options,
    connection_argument,
    files_as_words,
    journal_option,
    plan_argument,
    plan_file,
    rules_option,
    selection_options,
    stock_options,
)
from .session import run_with_bridge
from .state import State, current_state

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge


@click.group(cls=Group)
def migrate() -> None:
    """Move queues, items, assets, credentials and files from one platform to another."""


@migrate.command(
    "plan",
    cls=PlanWriter,
    epilog=examples(
        "rpa-bridge migrate plan uipath-prod maestro --queues 'Inv*' -o plan.json",
        "rpa-bridge migrate plan maestro uipath-prod --queues --credentials --rules rules.toml -o plan.json",
        "rpa-bridge migrate plan uipath-prod maestro --assets --artifacts 'Reports/**' --output json",
    ),
)
@connection_argument("source")
@connection_argument("target")
@selection_options
@rules_option
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=plan_file,
    help="Write the plan into this file, for review and `apply`.",
)
def plan(source: str, target: str, rules: Path | None, out: Path | None, **patterns: tuple[str, ...]) -> None:
    """Reads SOURCE, and says what of it goes to TARGET, what changes by that and what cannot go. Nothing is changed.

    SOURCE and TARGET are connections of the settings. A pattern such as 'Inv*' picks by name, and is needed for
    nothing: --queues alone means all queues. The plan holds no secret.
    """
    if not any(patterns.values()):
        raise click.UsageError("nothing is selected; say --queues, --assets, --credentials or --artifacts")

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .migration_exits import end_of_plan
        from .migration_progress import shown
        from .migration_session import write_plan
        from .migration_view import show_plan

        select = migration.Selection(**patterns)
        given = migration.Rules() if rules is None else migration.Rules.read(rules)
        with shown() as on_progress:
            made = await migration.plan(bridge[source], bridge[target], select, rules=given, on_progress=on_progress)
        show_plan(made, state.output)
        if out is not None:
            write_plan(out, made)
        end_of_plan(made, "" if out is None else files_as_words(out, None))

    run_with_bridge(work)


@migrate.command("show", epilog=examples("rpa-bridge migrate show plan.json"))
@plan_argument
def show(plan: Path) -> None:
    """Shows a plan: what is copied, adapted (with what is lost), skipped, blocked, and left to a person."""
    from .migration_session import read_plan
    from .migration_view import show_plan

    show_plan(read_plan(plan), current_state().output)


@migrate.command(
    "apply",
    epilog=examples(
        "rpa-bridge migrate apply plan.json",
        "rpa-bridge migrate apply plan.json --journal /var/lib/moves/invoices.journal --patience 8h",
    ),
)
@plan_argument
@stock_options
@apply_options
def apply(**given: Any) -> None:
    """Carries a plan out. Ctrl-C once finishes what is under way (exit code 75), twice stops at once.

    Whatever stops it, at whatever moment: `resume` goes on, and nothing is lost or doubled. The target's queues stay
    inactive until `activate`, where they can be. Exit code 3 when something could not go: see `letters`.
    """
    _carry_out(begun=False, **given)


@migrate.command("resume", epilog=examples("rpa-bridge migrate resume plan.json"))
@plan_argument
@stock_options
@apply_options
def resume(**given: Any) -> None:
    """Goes on with a plan that was begun: what was perhaps sent is looked for first, and never sent twice."""
    _carry_out(begun=True, **given)


def _carry_out(
    *, begun: bool, plan: Path, journal: Path | None, take_over: bool, most: int, patience: float, **allow: bool
) -> None:
    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration
        from rpa_bridge.errors import BridgeError

        from .migration_exits import end_of_apply, end_of_failure
        from .migration_session import draining, refuse_unbegun, running
        from .migration_view import show_status

        words = files_as_words(plan, journal)
        if begun:
            refuse_unbegun(plan, journal)
        async with running(bridge, plan, journal, take_over=take_over, most_letters=most) as run, draining(run):
            try:
                applied = await migration.apply(run, patience=patience, **allow)
            except BridgeError as error:
                end_of_failure(error, await migration.status(run.plan, run.journal), words)
            status = await migration.status(run.plan, run.journal)
        show_status(status, state.output)
        end_of_apply(applied, words)

    run_with_bridge(work)


@migrate.command("status", epilog=examples("rpa-bridge migrate status plan.json"))
@plan_argument
@journal_option
def status(plan: Path, journal: Path | None) -> None:
    """Shows how far a plan is carried out, from its journal alone: no platform is asked, and nobody is disturbed."""
    import asyncio

    from rpa_bridge import migration

    from .migration_session import looked_into
    from .migration_view import show_status

    state = current_state()

    async def work() -> None:
        async with looked_into(plan, journal) as (document, kept):
            show_status(await migration.status(document, kept), state.output)

    asyncio.run(work())
