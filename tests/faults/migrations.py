"""Rows 3 to 6 and 28 of the reliability targets: migrations whose processes are killed and stopped, on spoilt disks.

Each harness takes its size, so that the quick form and the full form are the same code, and `guard=False`, which takes
away what it proves: then it must fail, or it proves nothing. What counts is what stands at the platforms at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of many migrations, by what the platforms have."""

    migrations: int
    items: int
    lost: int
    """Items and files that are not at the target; after a rollback, at the source."""
    doubled: int
    """Those that are there more often, or at both ends after one of them was emptied."""
    letters: int
    """Dead letters."""
    wrong: list[str]
    """Migrations that did not come to an end, or were not found equal by `verify`."""
    seconds: float
    lives: int = 0
    """Processes that worked on them."""
    kills: int = 0
    deaths: dict[str, int] = field(default_factory=dict)
    """How often a process died at each point."""
    tears: int = 0
    """Journals that were spoilt."""
    refused: int = 0
    """Journals that were refused, so that the migration began anew; or zombies that were told that they are late."""
    trials: int = 0
    zombies: int = 0
    """Processes that were stopped in the midst of it, and went on after another had done their work."""
    late: int = 0
    """What those sent all the same."""
    memory: dict[str, list[float]] = field(default_factory=dict)
    """By stage: resident MiB after each tenth of the items."""

    @property
    def faults(self) -> list[str]:
        """What is wrong, a word each."""
        counts = {"lost": self.lost, "doubled": self.doubled, "letters": self.letters, "late": self.late}
        return [*(f"{count} {what}" for what, count in counts.items() if count), *self.wrong]


def killed(kills: int, items: int, seed: int, *, share: float = 1.0, guard: bool = True) -> Moved:
    """Row 3: processes are killed at random moments, while some requests live on in a gateway, until so many were.

    The migrations go on, from one platform to the next. `share` makes held requests rarer. Without the guard nobody
    waits for what may still arrive, and no queue takes each reference once.
    """
    return _found("killed", kills=kills, items=items, seed=seed, share=share, guard=guard)


def crashed(times: int, seed: int, *, guard: bool = True) -> Moved:
    """Row 4: at each point processes die so often. Without the guard nobody looks for what was perhaps sent."""
    return _found("crashed", times=times, seed=seed, guard=guard)


def torn(tears: int, items: int, seed: int, *, guard: bool = True) -> Moved:
    """Row 5: a disk spoils the journal between two lives. Without the guard nobody looks what it has become."""
    return _found("torn", tears=tears, items=items, seed=seed, guard=guard)


def zombies(zombies: int, items: int, seed: int, *, guard: bool = True) -> Moved:
    """Row 6: a process is stopped, another takes over, and it goes on. Without the guard it does not ask."""
    return _found("zombies", zombies=zombies, items=items, seed=seed, guard=guard)


def streamed(items: int, target: str, *, guard: bool = True) -> Moved:
    """Row 28: memory while so many go to "home", "uipath" or "botmaestro". Without the guard it keeps what it reads."""
    return _found("streamed", items=items, target=target, seed=0, guard=guard)


def slope(memory: list[float]) -> float:
    """How much it grows from one to the next; the first of them, where it warms up, left out."""
    return linear_regression(range(len(memory) - 1), memory[1:]).slope


def _found(what: str, **order: Any) -> Moved:
    """From an interpreter of its own, which may fork: it has no threads."""
    command = [sys.executable, "-m", "tests.faults.migration_worker"]
    told = json.dumps({"what": what} | order)
    done = subprocess.run(command, cwd=ROOT, input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the harness {what} broke off: {done.stderr[-2000:]}")
    return Moved(**json.loads(done.stdout))
