"""What the harnesses of migrations count, and what they share."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .ledger_story import MEMORY
from .migration_ends import Holdings
from .migration_lives import Told

Found = dict[str, Any]
SHORT_WINDOW = 0.05
"""Seconds in which requests arrive, where none is held back."""
BATCH = 5
"""Items sent together, where batches count and items do not."""


def nothing(*counts: str) -> Found:
    """The counts of all harnesses, and these."""
    return dict.fromkeys((*counts, "migrations", "items", "lost", "doubled", "letters"), 0) | {"wrong": []}


def goes_on(order: Found, found: Found) -> bool:
    """A control ends as soon as it has failed."""
    return order["guard"] or not (found["lost"] or found["doubled"])


def judge(end: Told | None, before: Holdings, there: Holdings, found: Found) -> None:
    """Counts a migration that came to its end."""
    assert end is not None
    if end.refused or end.open or end.letters or not end.equal:
        found["wrong"].append(str(end))
    found["migrations"] += 1
    found["items"] += before.items.total()
    found["letters"] += len(end.letters)
    found["lost"] += there.lost(before)
    found["doubled"] += there.doubled(before)


def seeded(order: Found, number: int) -> random.Random:
    """Randomness of its own for each number, the same each time."""
    return random.Random(f"{order['seed']} {number}")  # noqa: S311 - a seed repeats it


@contextmanager
def new_folder(within: str | None = MEMORY) -> Iterator[Path]:
    """A folder for one migration, by default in memory: processes end here, but never the machine."""
    with tempfile.TemporaryDirectory(dir=within) as folder:
        yield Path(folder)
