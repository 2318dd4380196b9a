"""Row 23 of the reliability targets: what keeps a state does as its model says, however it is used.

A machine is a `RuleBasedStateMachine` made with `guard`; with `guard=False` it breaks what it walks, and must then find
that. A new one is one line in `MACHINES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from .machine_journal import JournalMachine
from .machine_outbox import OutboxMachine
from .machine_queue import QueueMachine
from .machine_tokens import TokenMachine

MACHINES: dict[str, Callable[..., RuleBasedStateMachine]] = {
    "token cache": TokenMachine,
    "outbox": OutboxMachine,
    "queue": QueueMachine,
    "journal": JournalMachine,
}


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of walking a machine."""

    walks: int
    difference: str | None
    """The shortest walk that ends in another state than the model's, with the seed; None when there is none."""


def walk(name: str, walks: int = 40, steps: int = 30, *, seed: int | None = None, guard: bool = True) -> Walked:
    """Walks a machine so often, so many steps each. Without a seed the walks are the same each time."""
    begun = 0

    def begin() -> RuleBasedStateMachine:
        nonlocal begun
        begun += 1
        return MACHINES[name](guard=guard)

    plan = settings(
        max_examples=walks,
        stateful_step_count=steps,
        derandomize=seed is None,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if guard else [Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        # whatever makes a machine will do
        run_state_machine_as_test(begin if seed is None else seeded(seed)(begin), settings=plan)  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001 - whatever a step ends in, the model expected something else
        return Walked(begun, "\n".join([f"seed {seed}: {error!r}", *getattr(error, "__notes__", [])]))
    return Walked(begun, None)
