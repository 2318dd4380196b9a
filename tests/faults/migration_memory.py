"""Row 28: the memory of one process while it moves many items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from rpa_bridge.migration.applying.item_moves import ItemMove

from . import migration_lives
from .migration_counts import SHORT_WINDOW, Found, judge, new_folder, nothing, seeded
from .migration_ends import FIRST, platforms
from .migration_lives import Life

STAGES = ("apply", "verify")


def streamed(order: Found) -> Found:
    """A migration in one life, with its memory as it goes on."""
    found = nothing()
    with ExitStack() as all_:
        if not order["guard"]:
            all_.enter_context(patch.object(ItemMove, "_planned", _keeping(ItemMove._planned)))
        rng = seeded(order, found["migrations"])
        with new_folder(None) as folder, platforms(folder, rng.getrandbits(32), window=SHORT_WINDOW) as ends:
            ends.fill(order["items"])
            document = ends.planned(FIRST, order["target"])
            with patch.object(migration_lives, "EVERY", order["items"] // 10):
                end = Life.begin(ends, document, folder / "journal", stages=STAGES).told(may_die=False)
            assert end is not None
            judge(end, ends.holdings(FIRST, document), ends.holdings(order["target"], document), found)
    return found | {"memory": end.memory}


def _keeping(planned: Callable[..., Any]) -> Callable[..., Any]:
    """A reader that keeps all that it has read."""
    kept = []

    async def keeping(move: ItemMove, items: Sequence[Any]) -> Any:
        parcels = await planned(move, items)
        kept.append(parcels)
        return parcels

    return keeping
