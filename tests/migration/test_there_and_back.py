"""From A to B and back to A: what is not the same then was announced by one of the two plans."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.queues import Item, ItemDraft, QueueDraft
from rpa_bridge.errors import InvalidError, UnsupportedError
from rpa_bridge.migration.applying.apply import apply
from rpa_bridge.migration.content import item_hash
from rpa_bridge.migration.converting import json_text
from rpa_bridge.migration.documents import Kind, Plan
from rpa_bridge.migration.journal.sqlite import SqliteJournal
from rpa_bridge.migration.mapping import DUE_AT, NESTED, NOT_BEFORE
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.running import Run
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.verifying.verify import verify
from tests.migration.contents import drafts
from tests.migration.ends import PAIRS, Ends, two_ends

HERE, BACK = "There and back", "Back again"
EXAMPLES = 3


@pytest.mark.parametrize("pair", PAIRS, ids="-to-".join)
def test_what_comes_back_is_the_same_but_for_what_was_announced(pair: tuple[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(drafts, min_size=15, max_size=30))
    def check(given_drafts: list[ItemDraft]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(there_and_back(pair, given_drafts, Path(folder)))

    check()


async def there_and_back(pair: tuple[str, str], given_drafts: list[ItemDraft], folder: Path) -> None:
    """Moves the items to the other platform and back into another queue, and compares."""
    async with two_ends(*pair, folder) as ends:
        source = ends.source.adapter
        await source.queues.create(QueueDraft(name=HERE))
        kept = [one for one in given_drafts if takes(source, one)]
        summary = await source.queues.add_many(HERE, kept)
        assert summary.added == len(kept)
        before = [item async for item in source.queues.items(HERE)]

        there = await moved(ends, HERE, folder / "there.journal")
        turned = Ends(ends.target, ends.source, ends.clock)
        back = await moved(turned, HERE, folder / "back.journal", queues=[{"rename": BACK}])

        after = Counter([item_hash(item) async for item in source.queues.items(BACK)])
        announced = [loss for made in (there, back) for step in made.steps for loss in step.losses]
        stayed = [sum(step.blocked for step in made.steps) for made in (there, back)]
        expected = Counter(item_hash(as_announced(item, announced)) for item in before)
        assert not after - expected, "nothing comes back that was not there"
        assert (expected - after).total() == sum(stayed), "what does not come back was counted as blocked"


async def moved(ends: Ends, queue: str, path: Path, **rules: Any) -> Plan:
    """The plan, carried out and proved."""
    source, target = ends.source.adapter, ends.target.adapter
    made = await plan(source, target, Selection(queues=(queue,)), rules=Rules.of(rules), clock=ends.clock)
    journal = SqliteJournal(path, ends.clock)
    async with Run(plan=made, source=source, target=target, journal=journal, clock=ends.clock) as run:
        applied = await apply(run, allow_live=True)
        assert applied.open == 0
        assert applied.letters == sum(step.blocked for step in made.steps if step.kind is Kind.ITEMS)
        assert (await verify(run)).equal
    return made


def takes(adapter: Adapter, draft: ItemDraft) -> bool:
    """Whether the platform can hold the item."""
    try:
        adapter.queues.check_item(draft)
    except (InvalidError, UnsupportedError):
        return False
    return True


def as_announced(item: Item, losses: Iterable[str]) -> Item:
    """The item as the plans said that it would come back."""
    told = " ".join(losses)
    if NESTED in told:
        values = {
            name: json_text(value) if isinstance(value, dict | list) else value for name, value in item.values.items()
        }
        item = replace(item, values=values)
    if NOT_BEFORE in told:
        item = replace(item, not_before=None)
    return replace(item, due_at=None) if DUE_AT in told else item
