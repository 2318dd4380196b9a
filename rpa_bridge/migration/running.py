"""What all stages of a migration work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.errors import MigrationError
from rpa_bridge.migration.journal.base import Journal, StepKey

from .documents import Plan, Side, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is."""

    stage: str
    """Such as "taking stock", "copying", "verifying"."""
    subject: str
    """The queue, container or thing."""
    done: int
    total: int | None
    note: str = ""
    """What it waits for, when it waits."""


def _ignore(_: object) -> None:
    return None


def _no_references(reference: str) -> SecretStr:
    raise MigrationError(f"the reference {reference} cannot be looked up here; hand in `resolve`")


@dataclass(slots=True, kw_only=True)
class Run:
    """One plan, its two ends and its journal. Stages work on it within `async with`, which opens the journal."""

    plan: Plan
    source: Adapter
    target: Adapter
    journal: Journal
    clock: Clock = field(default_factory=SystemClock)
    on_progress: Callable[[Progress], None] = _ignore
    reached: Callable[[str], None] = _ignore
    """Told of each point at which a crash would be awkward; tests crash there."""
    resolve: Callable[[str], SecretStr] = _no_references
    """The secret that a reference of the rules, such as "${env:NAME}", names. Raises ConfigError."""
    most_letters: int = 100
    """Items of one queue that may be refused before a run stops: more are no accident."""
    take_over: bool = False
    """Whether to go on although another process seems to be at work: one that hangs, or was stopped."""
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    """Once set, what is under way is finished and nothing more begun."""
    began: datetime = field(init=False, repr=False)
    """When this process took the migration."""

    def __post_init__(self) -> None:
        for side, adapter in ((self.plan.source, self.source), (self.plan.target, self.target)):
            _check_side(side, adapter)

    async def __aenter__(self) -> Self:
        """Takes the migration for this process."""
        await self.journal.open(self.plan.id, take_over=self.take_over)
        self.began = self.clock.now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.journal.close()

    async def pause(self, seconds: float) -> None:
        """Waits so long, or until it is asked to drain."""
        waits = [asyncio.ensure_future(self.clock.sleep(seconds)), asyncio.ensure_future(self.draining.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    def tell(self, stage: str, subject: str, done: int, total: int | None, note: str = "") -> None:
        """Tells whoever listens how far it is."""
        self.on_progress(Progress(stage=stage, subject=subject, done=done, total=total, note=note))


def key_of(step: Step) -> StepKey:
    """What the journal knows the step by."""
    return StepKey(step.kind, step.name)


def _check_side(side: Side, adapter: Adapter) -> None:
    if (side.adapter, side.place) != (adapter.info.name, adapter.place):
        raise MigrationError(
            f"the plan is for {side.adapter} at {side.place}, and {adapter.connection!r} is {adapter.info.name} at "
            f"{adapter.place}; use the settings that it was made with, or plan again"
        )
