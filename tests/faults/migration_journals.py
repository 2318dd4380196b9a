"""Rows 5 and 6: journals that a disk spoils in the midst of a migration, and processes that are taken for dead."""

from __future__ import annotations

import random
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from rpa_bridge.migration.applying import item_looks, item_moves
from rpa_bridge.migration.applying.item_moves import ItemMove
from rpa_bridge.migration.documents import Plan
from rpa_bridge.migration.journal import file as journal_file
from rpa_bridge.migration.journal import session as journal_session
from rpa_bridge.migration.journal.lease import Lease
from rpa_bridge.migration.journal.session import Session

from .ledgers import spoil
from .migration_counts import BATCH, SHORT_WINDOW, Found, goes_on, judge, new_folder, nothing, seeded
from .migration_ends import FIRST, Platforms, platforms
from .migration_labels import OF_ITEMS
from .migration_lives import JOURNAL, Life, dying_at

VENDORS = ["uipath", "botmaestro"]
MOST_TEARS = 6
"""Times that one journal is spoilt."""
A_MOMENT, LATEST = 0.005, 0.1
"""Seconds between looks whether a process has begun to send, and after that until it is stopped at the latest."""
IMPATIENT = 100
"""Milliseconds for which a process waits for one that was stopped in the middle of a change."""
LONGEST_SEND = 1.0
"""Seconds in which one that was stopped may still send; it is let go on after that."""


def torn(order: Found) -> Found:
    found = nothing("tears", "refused")
    with ExitStack() as all_:
        if not order["guard"]:
            all_.enter_context(patch.object(journal_session, "check_whole"))
            all_.enter_context(patch.object(Session, "_doubt"))
        all_.enter_context(patch.object(ItemMove, "_size", BATCH))
        while found["tears"] < order["tears"] and goes_on(order, found):
            rng = seeded(order, found["migrations"])
            with new_folder() as folder, platforms(folder, rng.getrandbits(32), window=SHORT_WINDOW) as ends:
                ends.fill(order["items"])
                _tear_one(ends, rng.choice(VENDORS), rng, order["tears"], found)
    return found


def _tear_one(ends: Platforms, target: str, rng: random.Random, tears: int, found: Found) -> None:
    document = ends.planned(FIRST, target)
    before, folder, end = ends.holdings(FIRST, document), ends.folder / "journal", None
    last = min(tears, found["tears"] + MOST_TEARS)
    while end is None:
        dies = found["tears"] < last
        after = rng.randrange(4) if dies else sys.maxsize
        life = Life.begin(ends, document, folder, reached=dying_at(rng.choice(OF_ITEMS), after=after))
        end = life.told(may_die=dies)
        if end is not None and "is damaged" in end.refused:
            found["refused"] += 1
            for name in (JOURNAL, f"{JOURNAL}-wal"):
                (folder / name).unlink(missing_ok=True)
            end = None
        elif end is None:
            spoil(folder, rng)
            found["tears"] += 1
    judge(end, before, ends.holdings(target, document), found)


def zombies(order: Found) -> Found:
    """Without the guard they neither ask whose the migration is, nor look at the clock."""
    found, guard = nothing("zombies", "trials", "refused", "late"), order["guard"]
    with ExitStack() as all_:
        for where, name, value in (
            (journal_file, "BUSY_TIMEOUT", IMPATIENT),
            (ItemMove, "_size", BATCH),
            (item_looks, "LONGEST_SEND", LONGEST_SEND if guard else 0.0),
            (item_moves, "LONGEST_SEND", LONGEST_SEND if guard else 60.0),
        ):
            all_.enter_context(patch.object(where, name, value))
        while found["zombies"] < order["zombies"] and goes_on(order, found):
            rng = seeded(order, found["trials"])
            found["trials"] += 1
            with new_folder() as folder, platforms(folder, rng.getrandbits(32), window=SHORT_WINDOW) as ends:
                ends.fill(order["items"])
                _stop_one(ends, rng.choice(VENDORS), rng, order, found)
    return found


def _stop_one(ends: Platforms, target: str, rng: random.Random, order: Found, found: Found) -> None:
    """One is stopped among the items, another takes over and does the rest; the first goes on until it is told."""
    document = ends.planned(FIRST, target)
    before, folder = ends.holdings(FIRST, document), ends.folder / "journal"
    with ExitStack() as without:
        if not order["guard"]:
            without.enter_context(patch.multiple(Lease, renew=_allow, check=_allow))
        is_stopped, first = rng.choice([_at_random, _before_it_asks])(ends, document, folder, rng)
    if not is_stopped:
        first.told(may_die=False)
        return
    end = Life.begin(ends, document, folder, take_over=True).told(may_die=False)
    if end is not None and "in the middle of a change" in end.refused:
        first.signal(signal.SIGKILL)
        first.told(may_die=True)
        return
    sent = ends.sent()
    first.signal(signal.SIGCONT)
    last = first.told(may_die=False)
    found["zombies"] += 1
    found["refused"] += last is not None and "taken this migration over" in last.refused
    found["late"] += ends.sent() - sent
    judge(end, before, ends.holdings(target, document), found)


def _at_random(ends: Platforms, document: Plan, folder: Path, rng: random.Random) -> tuple[bool, Life]:
    """One that was stopped while it sent, if it was."""
    life = Life.begin(ends, document, folder)
    while not ends.sent() and not life.ended_within(A_MOMENT):
        continue
    if life.ended_within(rng.uniform(0, LATEST)):
        return False, life
    life.signal(signal.SIGSTOP)
    return True, life


def _before_it_asks(ends: Platforms, document: Plan, folder: Path, rng: random.Random) -> tuple[bool, Life]:
    """The same, just before it asks whether the migration is still its own, to send then."""
    stops = dying_at(OF_ITEMS[1], after=rng.randrange(10), by=signal.SIGSTOP)
    life = Life.begin(ends, document, folder, reached=stops)
    return life.stops(), life


def _allow(*_: object) -> None:
    """Whoever asks is told that the migration is his."""
