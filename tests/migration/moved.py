"""What was carried out, for tests of what comes after; and the hands of people who meddle with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.queues import Item, ItemDraft, ItemState, QueueDraft
from rpa_bridge.migration.applying.apply import apply
from rpa_bridge.migration.documents import Kind, Plan
from rpa_bridge.migration.ending.activate import Activation, activate
from rpa_bridge.migration.ending.outcomes import StepEnding
from rpa_bridge.migration.ending.retire import Retirement, retire
from rpa_bridge.migration.ending.rollback import Rollback, rollback
from rpa_bridge.migration.journal.base import Journal, Row, RowState
from rpa_bridge.migration.running import Run
from rpa_bridge.migration.selection import Selection
from rpa_bridge.migration.verifying.verdicts import StepVerdict, Verification
from rpa_bridge.migration.verifying.verify import verify
from tests.migration.ends import EVERYTHING, Ends, filled, two_ends
from tests.migration.memory_journal import MemoryJournal
from tests.migration.moves import planned

MANY, ENOUGH = "Move many", 250
"""A queue with more items than go through a stage in one batch."""
OpenEnds = Callable[..., Awaitable[Ends]]
"""Opens two ends of these kinds, as `two_ends` does, with the source filled."""


def opener(stack: AsyncExitStack, folder: Path) -> OpenEnds:
    """Opens ends that are closed with the stack."""

    async def open_ends(source: str, target: str, **how: Any) -> Ends:
        both = await stack.enter_async_context(two_ends(source, target, folder, **how))
        await filled(both.source.adapter)
        return both

    return open_ends


@dataclass
class Moved:
    """A plan and its journal. Each run is what a new process would be."""

    ends: Ends
    plan: Plan
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = MemoryJournal(self.ends.clock)

    @property
    def source(self) -> Adapter:
        return self.ends.source.adapter

    @property
    def target(self) -> Adapter:
        return self.ends.target.adapter

    def run(self, **more: Any) -> Run:
        """To be used within `async with`."""
        both: dict[str, Any] = {"source": self.source, "target": self.target}
        return Run(plan=self.plan, journal=self.journal, clock=self.ends.clock, **both, **more)

    async def apply(self, **more: Any) -> None:
        async with self.run(**more) as run:
            await apply(run, allow_live=True)

    async def verify(self, *, reached: Any = None, **how: Any) -> Verification:
        async with self.run(**({} if reached is None else {"reached": reached})) as run:
            return await verify(run, **how)

    async def verdict(self, kind: Kind, name: str, **how: Any) -> StepVerdict:
        """What verification says of one step."""
        return next(one for one in (await self.verify(**how)).steps if (one.kind, one.name) == (kind, name))

    async def rows(self, kind: Kind, name: str) -> list[Row]:
        return [row for row in await self.journal.rows() if (row.step.kind, row.step.name) == (kind, name)]

    async def states(self) -> set[RowState]:
        """All that rows stand in."""
        return {row.state for row in await self.journal.rows()}

    async def copy_of(self, queue: str, number: int = 0) -> Item:
        """The target's copy of the item that was the queue's at this place."""
        row = (await self.rows(Kind.ITEMS, queue))[number]
        return [one async for one in self.target.queues.items(queue, mark=row.key)][-1]

    async def replace(self, item: Item, **changes: Any) -> Item:
        """Somebody puts another item in the place of one at the target, with its mark."""
        await self.target.queues.remove(item)
        return await self.target.queues.add(item.queue, replace(draft_of(item), **changes))


async def moved(ends: Ends, select: Selection = EVERYTHING) -> Moved:
    """Everything that was selected, carried out."""
    done = Moved(ends, await planned(ends, select))
    await done.apply()
    return done


def draft_of(item: Item) -> ItemDraft:
    """What would make the same item again, with its mark."""
    return ItemDraft(
        values=item.values,
        reference=item.reference,
        priority=item.priority,
        not_before=item.not_before,
        due_at=item.due_at,
        mark=item.mark,
    )


async def new_items(adapter: Adapter, queue: str) -> list[Item]:
    return [one async for one in adapter.queues.items(queue, state=ItemState.NEW)]


async def asset_names(adapter: Adapter) -> set[str]:
    return {one.name async for one in adapter.assets.find()}


async def verified(ends: Ends, **how: Any) -> Moved:
    """Carried out and found equal."""
    done = await moved(ends, **how)
    assert (await done.verify(deep=True)).equal
    return done


async def activated(done: Moved, *, force: bool = False) -> Activation:
    async with done.run() as run:
        return await activate(run, force=force)


async def retired(done: Moved, kinds: Collection[Kind] = (Kind.ITEMS,), **more: Any) -> Retirement:
    async with done.run(**more) as run:
        return await retire(run, kinds=kinds)


async def rolled_back(done: Moved, *, leave_retired: bool = False, **more: Any) -> Rollback:
    async with done.run(**more) as run:
        return await rollback(run, leave_retired=leave_retired)


def told_of(result: Retirement | Rollback, kind: Kind, name: str) -> StepEnding:
    return next(one for one in result.steps if (one.kind, one.name) == (kind, name))


def everything(result: Retirement | Rollback) -> str:
    """All sentences."""
    return "\n".join(finding for one in result.steps for finding in one.findings)


async def with_many(ends: Ends) -> Ends:
    """With one more queue at the source."""
    await ends.source.adapter.queues.create(QueueDraft(name=MANY))
    await ends.source.adapter.queues.add_many(MANY, [ItemDraft(values={"n": n}) for n in range(ENOUGH)])
    return ends
