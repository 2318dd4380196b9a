"""Moves a queue to another platform, and proves it: python examples/migrate.py SOURCE [TARGET]

Without TARGET it goes into a file, which is gone afterwards. The same command goes on with a move that was stopped, as
long as the plan is there.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from rpa_bridge import Bridge, ItemDraft, migration
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.features import Feature

QUEUE = "Letters"


def kept(plan_file: Path) -> migration.Plan | None:
    """The plan of a move that was begun."""
    return migration.Plan.loads(plan_file.read_text()) if plan_file.exists() else None


def keep(plan: migration.Plan, plan_file: Path) -> None:
    """For people to read, and for the next run."""
    plan_file.write_text(plan.dumps())


async def move(source: Adapter, target: Adapter, plan_file: Path) -> bool:
    """Whether everything is at the target, once, and the same."""
    plan = kept(plan_file) or await migration.plan(source, target, migration.Selection(queues=(QUEUE,)))
    keep(plan, plan_file)
    for step in plan.steps:
        print(f"{step.kind} {step.name}: {step.verdict}, {step.count}", step.reason, *step.losses)

    journal = migration.SqliteJournal(plan_file.with_suffix(".journal"))
    async with migration.Run(plan=plan, source=source, target=target, journal=journal) as run:
        applied = await migration.apply(run)
        checked = await migration.verify(run)
        if checked.equal and not applied.letters:
            await migration.activate(run)
        async for letter in migration.letters(journal):
            print(f"{letter.src_id} could not go: {letter.hint}")
        return checked.equal and not applied.letters


async def main(source: str, target: str | None) -> int:
    """Exit code 0 when all is moved and equal."""
    async with Bridge.load() as bridge:
        letter = ItemDraft(values={"to": "Ms Müller"}, reference=f"move-{uuid4()}")
        await bridge[source].queues.add(QUEUE, letter)  # so that there is something to move
        if Feature.QUEUE_DEACTIVATE in bridge[source].capabilities:
            await bridge[source].queues.deactivate(QUEUE)  # nobody takes an item meanwhile
        if target is not None:
            return 0 if await move(bridge[source], bridge[target], Path("letters.plan.json")) else 1
        with TemporaryDirectory() as folder:
            file = {"adapter": "local", "path": str(Path(folder, "letters.db"))}
            async with Bridge({"connections": {"file": file}}) as other:
                return 0 if await move(bridge[source], other["file"], Path(folder, "letters.plan.json")) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)))
