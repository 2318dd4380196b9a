"""How the commands of a migration end: what is next, in a sentence, and the exit code of what is left."""

from __future__ import annotations

from typing import NoReturn

import click

from rpa_bridge.errors import BridgeError
from rpa_bridge.migration import Applied, Plan, Status, Verification
from rpa_bridge.migration.verifying.verdicts import Outcome

from .exits import Exit
from .render import note


def end_of_plan(plan: Plan, words: str) -> None:
    """Says what to do with the plan; `words` are its files as the commands take them, empty when it was not kept."""
    if not any(step.goes for step in plan.steps):
        note("nothing of this can go as things are; mend what is told above, or write rules, and plan again")
    elif not words:
        note("the plan is kept nowhere; say -o plan.json to keep it for `apply`")
    elif plan.live:
        note(f"the plan is kept; pause the source and plan again, or rpa-bridge migrate apply {words} --allow-live")
    else:
        note(f"the plan is kept; rpa-bridge migrate apply {words} carries it out")


def end_of_apply(applied: Applied, words: str) -> None:
    """Says what is next. Ends with 75 when something is open, and with 3 when something could not go."""
    if not applied.stocked:
        note(f"stopped before stock was taken; rpa-bridge migrate resume {words} goes on")
        raise click.exceptions.Exit(Exit.PAUSED)
    if applied.open:
        note(f"{applied.open} are still open; rpa-bridge migrate resume {words} goes on")
        raise click.exceptions.Exit(Exit.PAUSED)
    if applied.letters:
        note(f"{applied.letters} could not go; rpa-bridge migrate letters {words} shows why, with a remedy each")
        raise click.exceptions.Exit(Exit.JOB_FAILED)
    note(f"everything is copied; rpa-bridge migrate verify {words} compares it")


def end_of_failure(error: BridgeError, status: Status, words: str) -> NoReturn:
    """Ends as the error does; with 5 when nobody knows of something whether it was sent."""
    if not status.unknown:
        raise error
    note(f"error: {error}")
    note(f"{status.unknown} were perhaps sent; rpa-bridge migrate resume {words} looks for them first, and goes on")
    raise click.exceptions.Exit(Exit.OUTCOME_UNKNOWN)


def end_of_verification(found: Verification, words: str) -> None:
    """Says what is next. Ends with 4 when something is not equal."""
    refuse_unequal(found)
    rest = "; look by hand at what is unverifiable" if found.unverifiable else ""
    if letters := sum(one.letters for one in found.steps):
        rest += f"; {letters} did not go: rpa-bridge migrate letters {words}"
    note(f"all that was compared is equal{rest}. Next: rpa-bridge migrate activate {words} opens the target's queues")


def refuse_unequal(found: Verification) -> None:
    """Ends with 4 when something is not equal."""
    if not found.equal:
        amiss = [one.outcome for one in found.steps].count
        note(f"not all is equal: {amiss(Outcome.DIFFERS)} differ and {amiss(Outcome.UNFINISHED)} are unfinished")
        raise click.exceptions.Exit(Exit.DIFFERS)
