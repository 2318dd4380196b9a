"""Rows 3 and 4: processes that are killed at random moments, and such that die at each of the points."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, repeat
from typing import Any
from unittest.mock import patch

from rpa_bridge.migration.applying.item_looks import ItemLooks
from rpa_bridge.migration.applying.item_moves import ItemMove
from rpa_bridge.migration.documents import Plan
from tests.migration.ends import EVERYTHING

from .migration_counts import BATCH, SHORT_WINDOW, Found, goes_on, judge, new_folder, nothing, seeded
from .migration_ends import FIRST, SETTLE_WINDOW, Platforms, platforms
from .migration_labels import AWAY, BACK, OF_ITEMS
from .migration_lives import Life, dying_at

HOPS = ((FIRST, "uipath"), ("uipath", "botmaestro"), ("botmaestro", "home"))
SHORTEST, LONGEST = 0.002, 0.45
"""Seconds after which a process is killed."""
LONGER, AT_LAST = 1.03, 5.0
"""How much longer than the one before a process may live, and the seconds at which that ends: each gets on at last."""
NO_WINDOW = 0.0
AWAY_STAGES, BACK_STAGES = ("apply", "verify", "activate", "retire"), ("apply", "rollback")
TOURS = (
    ("botmaestro", AWAY_STAGES, AWAY),
    ("uipath", BACK_STAGES, BACK),
    ("home", AWAY_STAGES, AWAY),
    ("home", BACK_STAGES, BACK),
    ("uipath", AWAY_STAGES, AWAY),
    ("botmaestro", BACK_STAGES, BACK),
)
"""Migrations with things of all kinds: where to, which stages, and the points to die at."""
CONTROL = (("botmaestro", ("apply",), OF_ITEMS),)


def killed(order: Found) -> Found:
    """Each migration moves what the one before has moved."""
    found = nothing("kills", "lives")
    while found["kills"] < order["kills"] and goes_on(order, found):
        rng, window = seeded(order, found["migrations"]), SETTLE_WINDOW if order["guard"] else NO_WINDOW
        with (
            new_folder(None) as folder,
            platforms(folder, rng.getrandbits(32), window=window, held=order["share"]) as ends,
        ):
            ends.fill(order["items"], unique=order["guard"] and rng.random() < 0.5)  # that is a guard, too
            for source, target in HOPS:
                if found["kills"] < order["kills"]:
                    _kill_one(ends, source, target, rng, order["kills"], found)
    return found


def _kill_one(ends: Platforms, source: str, target: str, rng: random.Random, kills: int, found: Found) -> None:
    document = ends.planned(source, target)
    before, longest, end = ends.holdings(source, document), LONGEST, None
    while end is None:
        life = Life.begin(ends, document, ends.folder / target)
        is_killed = found["kills"] < kills and not life.ended_within(rng.uniform(SHORTEST, longest))
        if is_killed:
            life.signal(signal.SIGKILL)
        end = life.told(may_die=is_killed)
        found["kills"] += is_killed
        found["lives"] += 1
        longest = min(longest * LONGER, AT_LAST)
    judge(end, before, ends.holdings(target, document), found)


def crashed(order: Found) -> Found:
    """Tours on which one life after the other dies, each at the next of the points."""
    found = nothing("lives") | {"deaths": Counter[str]()}
    with ExitStack() as all_:
        if not order["guard"]:
            all_.enter_context(patch.object(ItemLooks, "_look", _look_away))
        all_.enter_context(patch.object(ItemMove, "_size", BATCH))
        deaths: Counter[str] = found["deaths"]
        for target, stages, labels in _tours(order, deaths):
            rng = seeded(order, found["migrations"])
            with new_folder() as folder, platforms(folder, rng.getrandbits(32), window=SHORT_WINDOW) as ends:
                ends.fill_with_all()
                _crash_one(ends, ends.planned(FIRST, target, EVERYTHING), stages, labels, rng, found)
    return found


def _tours(order: Found, deaths: Counter[str]) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Until each point was died at so often."""
    tours = TOURS if order["guard"] else CONTROL
    for target, stages, labels in chain.from_iterable(repeat(tours, order["times"])):
        if any(deaths[label] < order["times"] for label in labels):
            yield target, stages, labels


def _crash_one(
    ends: Platforms,
    document: Plan,
    stages: Sequence[str],
    labels: Sequence[str],
    rng: random.Random,
    found: Found,
) -> None:
    before, folder = ends.holdings(FIRST, document), ends.folder / "journal"
    end = None
    for label in labels:
        again = rng.choice([0, 0, 0, 0, 1]) if label in OF_ITEMS else 0
        life = Life.begin(ends, document, folder, stages=stages, reached=dying_at(label, after=again))
        end = life.told(may_die=True)
        found["lives"] += 1
        if end is not None:
            break
        found["deaths"][label] += 1
    if end is None:
        end = Life.begin(ends, document, folder, stages=stages).told(may_die=False)
        found["lives"] += 1
    assert end is not None
    there, here = (ends.holdings(one.connection, document) for one in (document.target, document.source))
    if "rollback" in stages:  # all is where it was, but files, which not every platform deletes
        judge(end, before, here, found)
        found["doubled"] += there.items.total()
    else:
        judge(end, before, there, found)
        found["doubled"] += here.items.total()


async def _look_away(_: ItemLooks, rows: Sequence[Any], prefix: str | None = None) -> Sequence[Any]:
    """Nobody looks whether it is there already."""
    return rows
