"""`rpa-bridge backup` and `restore`: a migration to and from one file, in one go."""

from __future__ import annotations

import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .commands import Command, examples
from .exits import Exit
from .migration_options import connection_argument, journal_of, rules_option, selection_options
from .options import confirm, yes_option
from .session import run_with_bridge
from .state import Output, State

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.contract.adapter import Adapter
    from rpa_bridge.migration import Applied, Plan, Rules, Run, Selection, Verification

NAME = "backup"
"""The file as a connection."""
NO_FILE = ":memory:"
"""What a backup is planned into, so that its file is there only when something goes into it."""
LIVE = "At work at the source, so that this is of no single moment:"
PLAN_END = ".plan.json"
"""What the plan's name ends in while a backup or a restore is under way; it goes when that is done."""


@click.command(
    cls=Command,
    epilog=examples(
        "rpa-bridge backup uipath-prod backup.db",
        "rpa-bridge backup maestro backup.db --queues 'Inv*' --credentials",
    ),
)
@connection_argument("connection")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@selection_options
def backup(connection: str, file: Path, **patterns: tuple[str, ...]) -> None:
    """Keeps what is on CONNECTION in a new FILE, and compares it: queues with their new items, assets and files.

    Credentials only where you say --credentials: they stand in the file in clear, which only you can read. The same
    command again goes on with a backup that was stopped. Exit code 3 when something could not be kept.
    """
    plan_file = file.with_name(file.name + PLAN_END)
    if file.exists() and not plan_file.exists():
        raise click.UsageError(f"{str(file)!r} exists; name a new file: a backup is whole")
    if not any(patterns[kind] for kind in ("queues", "assets", "artifacts")):
        patterns |= {"queues": ("*",), "assets": ("*",), "artifacts": ("**",)}

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .render import note

        _make_folder(file.parent)
        async with _in_file(str(file)) as kept, _in_file(NO_FILE) as nothing:
            move = _Move(bridge[connection], kept, plan_file, state.output, planned_into=nothing)
            left = await move.carry_out(migration.Selection(**patterns), migration.Rules(), opens=True)
        move.forget()
        note(f"{file} holds it; rpa-bridge restore {shlex.quote(str(file))} CONNECTION puts it onto a platform")
        if left:
            note(f"{left} could not be kept, for the reasons above")
            raise click.exceptions.Exit(Exit.JOB_FAILED)

    run_with_bridge(work)


@click.command(
    cls=Command,
    epilog=examples(
        "rpa-bridge restore backup.db uipath-prod",
        "rpa-bridge restore backup.db maestro --rules rules.toml --activate --yes",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@connection_argument("connection")
@selection_options
@rules_option
@click.option("--activate", is_flag=True, help="Open the queues when all is there.")
@yes_option
def restore(
    file: Path, connection: str, rules: Path | None, activate: bool, yes: bool, **patterns: tuple[str, ...]
) -> None:
    """Puts what a backup FILE holds onto CONNECTION, and compares it. Queues stay inactive, where they can be.

    Everything goes unless you pick. The same command again goes on with a restore that was stopped, and tries again
    what could not go (exit code 3). To review the plan before, name the file as a `local` connection in the settings,
    and use `migrate`.
    """
    if not any(patterns.values()):
        patterns = {"queues": ("*",), "assets": ("*",), "credentials": ("*",), "artifacts": ("**",)}
    plan_file = file.with_name(f"{file.name}.to-{connection}{PLAN_END}")

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge import migration

        from .render import note

        given = migration.Rules() if rules is None else migration.Rules.read(rules)
        async with _in_file(str(file)) as kept:
            move = _Move(kept, bridge[connection], plan_file, state.output)
            left = await move.carry_out(migration.Selection(**patterns), given, opens=activate, ask=not yes)
        if left:
            note(f"{left} could not go, for the reasons above; mend them, and give the same command again")
            note(f"to begin anew with other rules, remove {plan_file} and {journal_of(plan_file, None)}")
            raise click.exceptions.Exit(Exit.JOB_FAILED)
        move.forget()
        if not activate:
            note(f"queues stay inactive until rpa-bridge queues activate NAME --on {shlex.quote(connection)}")

    run_with_bridge(work)


def _make_folder(folder: Path) -> None:
    """Makes it where it is missing. Raises UsageError where nothing can be written in it."""
    from rpa_bridge.migration.journal.file import make_folder

    make_folder(folder)
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"you may not write in the folder {str(folder)!r}; name a file in another one")


@asynccontextmanager
async def _in_file(path: str) -> AsyncIterator[Adapter]:
    """The backup's file as a connection."""
    from rpa_bridge.bridge import Bridge

    document = {"connections": {NAME: {"adapter": "local", "path": path}}}
    async with Bridge(document) as bridge:
        yield bridge[NAME]


class _Move:
    """A migration in one go: planned once, carried out, compared. Its plan and journal are there until it is done."""

    def __init__(
        self, source: Adapter, target: Adapter, plan_file: Path, output: Output, *, planned_into: Adapter | None = None
    ) -> None:
        """`planned_into` is a target like the one that is not there yet."""
        self._source, self._target, self._plan_file, self._output = source, target, plan_file, output
        self._planned_into = planned_into or target

    async def carry_out(self, select: Selection, rules: Rules, *, opens: bool, ask: bool = False) -> int:
        """How many things and steps did not go, which are told. Ends with 75 or 4 when it is not done, or not equal.

        `opens` activates the queues in the end, `ask` asks before anything is sent.
        """
        from rpa_bridge import migration
        from rpa_bridge.errors import BridgeError

        from .migration_session import between, draining
        from .render import note

        plan = await self._plan(select, rules, ask=ask)
        try:
            async with between(self._source, self._target, plan, journal_of(self._plan_file, None)) as run:
                async with draining(run):
                    applied, verification = await self._copy(run)
                await self._tell(run, applied, verification)
                if opens:
                    await migration.activate(run, force=True)
        except BridgeError:
            note("the same command goes on with it")
            raise
        left_by_plan = (migration.Verdict.BLOCKED, migration.Verdict.MANUAL)
        return applied.letters + sum(step.verdict in left_by_plan for step in plan.steps)

    def forget(self) -> None:
        """Removes the plan and the journal."""
        journal = journal_of(self._plan_file, None)
        for path in list(journal.parent.iterdir()):
            if path == self._plan_file or path.name.startswith(journal.name):
                path.unlink(missing_ok=True)

    async def _plan(self, select: Selection, rules: Rules, *, ask: bool) -> Plan:
        """The plan of a move that was stopped, or a new one."""
        from rpa_bridge import migration
        from rpa_bridge.errors import MigrationError

        from .migration_progress import shown
        from .migration_session import read_plan, write_plan
        from .migration_view import show_plan
        from .render import note

        if self._plan_file.exists():
            begun = read_plan(self._plan_file)
            self._refuse_other(begun, select, rules)
            note(f"going on with the plan in {self._plan_file}")
            return begun
        with shown() as on_progress:
            made = await migration.plan(self._source, self._planned_into, select, rules=rules, on_progress=on_progress)
        made = replace(made, target=replace(made.target, place=self._target.place))
        if self._output is Output.TABLE:
            show_plan(made, self._output, of_life="" if self._source.connection == NAME else LIVE)
        if not any(step.goes for step in made.steps):
            raise MigrationError("nothing of this can go as things are; mend what is told above, or write rules")
        if ask:
            confirm(f"this goes to {self._target.connection}", yes=False)
        write_plan(self._plan_file, made)
        return made

    def _refuse_other(self, begun: Plan, select: Selection, rules: Rules) -> None:
        """Raises UsageError where something else was begun than is asked for: it would pass for the whole."""
        is_backup = self._planned_into is not self._target
        asked = self._source.connection, self._target.connection, select.as_json(), rules.as_json()
        if asked == (begun.source.connection, begun.target.connection, begun.select, begun.rules):
            return
        other = "" if rules.as_json() == begun.rules else ", by other rules"
        words = shlex.join(
            word for kind, patterns in begun.select.items() for one in patterns for word in (f"--{kind}", one)
        )
        journal = journal_of(self._plan_file, None)
        anew = "name a new file" if is_backup else f"remove {self._plan_file} and {journal} to begin anew"
        raise click.UsageError(
            f"{str(self._plan_file)!r} was begun with {(begun.source if is_backup else begun.target).connection} "
            f"{words}{other}; give the same again, which goes on with it, or {anew}"
        )

    async def _copy(self, run: Run) -> tuple[Applied, Verification]:
        from rpa_bridge import migration
        from rpa_bridge.migration.journal.base import LETTERS

        from .render import note

        if await run.journal.counts():
            await migration.requeue(run.journal, run.clock, states=LETTERS)
        applied = await migration.apply(run, allow_live=True, allow_drift=True)
        if applied.open or not applied.stocked:
            left = f"{applied.open} are still open" if applied.stocked else "stopped before stock was taken"
            note(f"{left}; the same command goes on")
            raise click.exceptions.Exit(Exit.PAUSED)
        return applied, await migration.verify(run, deep=True, arrivals=False)

    async def _tell(self, run: Run, applied: Applied, verification: Verification) -> None:
        """Shows what has come of it. Ends with 4 when it is not equal."""
        from rpa_bridge import migration

        from .migration_exits import refuse_unequal
        from .migration_view import LETTERS, as_rows, show_verification
        from .render import show_all

        show_verification(verification, self._output)
        if applied.letters and self._output is Output.TABLE:
            click.echo()
            await show_all(as_rows(migration.letters(run.journal)), LETTERS, self._output, None)
        refuse_unequal(verification)
