"""A queue of the local platform, walked at random beside a model of it. From row 23 of the reliability targets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from rpa_bridge import ConflictError, Failure, FailureKind, Item, ItemDraft, ItemState
from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import QueueDraft
from rpa_bridge.testing import ManualClock
from rpa_bridge_local import queues
from rpa_bridge_local.database import MEMORY, Database
from rpa_bridge_local.queues import LocalQueues

NAME = "Rechnungen 'Süd'"
LAPSE_AFTER = 600.0
RANKS = {Priority.HIGH: 0, Priority.NORMAL: 1, Priority.LOW: 2}
WITHOUT_STATE = queues.TAKE.replace("AND state = 'new' AND", "AND")
"""A control: what is taken may be taken again."""

MOMENTS = st.none() | st.sampled_from([-60.0, 30.0, 600.0, 3600.0])
"""Seconds from now."""
WHICH = st.integers(0, 999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An item as the model knows it; its id is its place."""

    state: ItemState = ItemState.NEW
    reference: str | None
    priority: Priority
    due_at: datetime | None
    not_before: datetime | None = None
    attempt: int = 1
    retry_of: str | None = None
    started_at: datetime | None = None
    progress: str | None = None


class QueueMachine(RuleBasedStateMachine):
    """Several workers at one queue, who also do what they should not."""

    def __init__(self, *, guard: bool = True) -> None:
        super().__init__()
        self._runner, self._clock, self._patched = asyncio.Runner(), ManualClock(), ExitStack()
        self._database = Database(MEMORY)
        self._queues = LocalQueues("local", self._clock, self._database, LAPSE_AFTER)
        self._kept: list[Kept] = []
        self._active = True
        if not guard:
            self._patched.enter_context(patch.object(queues, "TAKE", WITHOUT_STATE))

    def teardown(self) -> None:
        self._runner.run(self._database.aclose())
        self._runner.close()
        self._patched.close()

    @initialize(retries=st.integers(0, 2), unique=st.booleans())
    def create(self, retries: int, unique: bool) -> None:
        self._retries, self._unique = retries, unique
        draft = QueueDraft(name=NAME, retries=retries, unique_references=unique)
        self._runner.run(self._queues.create(draft))

    @rule(
        reference=st.none() | st.sampled_from(["a", "ü", "o'c"]),
        priority=st.sampled_from(list(RANKS)),
        due=MOMENTS,
        start=MOMENTS,
    )
    def add(self, reference: str | None, priority: Priority, due: float | None, start: float | None) -> None:
        new = Kept(reference=reference, priority=priority, due_at=self._moment(due), not_before=self._moment(start))
        draft = ItemDraft(
            values={"n": len(self._kept)},
            reference=reference,
            priority=priority,
            due_at=new.due_at,
            not_before=new.not_before,
        )
        gone = (ItemState.REMOVED, ItemState.RETRIED)
        is_there = reference is not None and any(o.reference == reference and o.state not in gone for o in self._kept)
        if self._unique and is_there:
            with pytest.raises(ConflictError):
                self._runner.run(self._queues.add(NAME, draft))
        else:
            self._runner.run(self._queues.add(NAME, draft))
            self._kept.append(new)

    @rule(workers=st.integers(1, 3))
    def take(self, workers: int) -> None:
        """All at once: nobody may get what another one got, and together they get what is next."""
        expected = self._next()[:workers]
        now = self._clock.now()
        taken = self._runner.run(self._take(workers))
        assert sorted(int(item.id) - 1 for item in taken if item is not None) == sorted(expected)
        for number in expected:
            self._kept[number] = replace(self._kept[number], state=ItemState.TAKEN, started_at=now)

    async def _take(self, workers: int) -> list[Item | None]:
        return await asyncio.gather(*(self._queues.take(NAME) for _ in range(workers)))

    @precondition(lambda self: self._kept)
    @rule(which=WHICH)
    def complete(self, which: int) -> None:
        self._change(which, ItemState.TAKEN, lambda item: self._queues.complete(item, {"ok": True}), ItemState.DONE)

    @precondition(lambda self: self._kept)
    @rule(which=WHICH, kind=st.sampled_from(FailureKind))
    def fail(self, which: int, kind: FailureKind) -> None:
        failure = Failure(kind=kind, reason="no 'number'")
        number = self._change(which, ItemState.TAKEN, lambda item: self._queues.fail(item, failure), ItemState.FAILED)
        if number is not None and kind is FailureKind.APPLICATION and self._retries >= self._kept[number].attempt:
            self._follow(number)

    @precondition(lambda self: self._kept)
    @rule(which=WHICH, text=st.text(max_size=5))
    def progress(self, which: int, text: str) -> None:
        number = self._change(which, ItemState.TAKEN, lambda item: self._queues.progress(item, text), ItemState.TAKEN)
        if number is not None:
            self._kept[number] = replace(self._kept[number], progress=text)

    @precondition(lambda self: self._kept)
    @rule(which=WHICH, seconds=st.sampled_from([-60.0, 30.0, 3600.0]))
    def postpone(self, which: int, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        number = self._change(which, ItemState.NEW, lambda item: self._queues.postpone(item, until), ItemState.NEW)
        if number is not None:
            self._kept[number] = replace(self._kept[number], not_before=until)

    @precondition(lambda self: self._kept)
    @rule(which=WHICH)
    def remove(self, which: int) -> None:
        self._change(which, ItemState.NEW, self._queues.remove, ItemState.REMOVED)

    @precondition(lambda self: self._kept)
    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        number = self._pick(which, ItemState.FAILED, ItemState.LAPSED)
        if self._kept[number].state in (ItemState.FAILED, ItemState.LAPSED):
            new = self._runner.run(self._queues.retry(self._item(number)))
            self._follow(number)
            assert new.id == str(len(self._kept))
        else:
            with pytest.raises(ConflictError):
                self._runner.run(self._queues.retry(self._item(number)))

    @rule()
    def switch(self) -> None:
        self._active = not self._active
        change = self._queues.activate if self._active else self._queues.deactivate
        self._runner.run(change(NAME))

    @rule(seconds=st.sampled_from([0.001, 29.0, 299.5, 600.0, 600.001]))
    def wait(self, seconds: float) -> None:
        """Who has had an item for too long has lost it."""
        self._clock.advance(seconds)
        late = self._clock.now() - timedelta(seconds=LAPSE_AFTER)
        for number, one in enumerate(self._kept):
            if one.state is ItemState.TAKEN and one.started_at is not None and one.started_at < late:
                self._kept[number] = replace(one, state=ItemState.LAPSED)

    @rule()
    def look(self) -> None:
        """Every item is as the model knows it, and none is missing or too many."""
        items, stats = self._runner.run(self._all())
        assert [_seen(item) for item in items] == self._kept
        assert [item.values["n"] for item in items if item.attempt == 1] == [
            number for number, one in enumerate(self._kept) if one.attempt == 1
        ]
        assert {state: n for state, n in stats.items() if n} == Counter(one.state for one in self._kept)

    async def _all(self) -> tuple[list[Item], dict[ItemState, int]]:
        return [item async for item in self._queues.items(NAME)], (await self._queues.stats(NAME)).counts

    def _change(
        self, which: int, wanted: ItemState, verb: Callable[[Item], Awaitable[None]], then: ItemState
    ) -> int | None:
        """Uses a verb on an item; its number, or None when it was rightly refused."""
        number = self._pick(which, wanted)

        async def use() -> None:
            await verb(self._item(number))

        if self._kept[number].state is not wanted:
            with pytest.raises(ConflictError):
                self._runner.run(use())
            return None
        self._runner.run(use())
        self._kept[number] = replace(self._kept[number], state=then)
        return number

    def _pick(self, which: int, *wanted: ItemState) -> int:
        """The number of some item: mostly, if there is one, of those that the verb is for."""
        those = [number for number, one in enumerate(self._kept) if one.state in wanted]
        among = those if those and which % 4 else range(len(self._kept))
        return among[which % len(among)]

    def _follow(self, number: int) -> None:
        """A new item tries this one again."""
        old = self._kept[number]
        self._kept[number] = replace(old, state=ItemState.RETRIED)
        again = replace(old, state=ItemState.NEW, attempt=old.attempt + 1, retry_of=str(number + 1))
        self._kept.append(replace(again, not_before=None, started_at=None, progress=None))

    def _next(self) -> list[int]:
        """Those that can be taken, in the order in which they are."""
        if not self._active:
            return []
        now = self._clock.now()
        ready = [
            (RANKS[one.priority], one.due_at is None, one.due_at or now, number)
            for number, one in enumerate(self._kept)
            if one.state is ItemState.NEW and (one.not_before is None or one.not_before <= now)
        ]
        return [number for *_, number in sorted(ready)]

    def _moment(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)

    def _item(self, number: int) -> Item:
        return Item(id=str(number + 1), queue=NAME, state=ItemState.UNKNOWN, native_state="")


def _seen(item: Item) -> Kept:
    return Kept(
        state=item.state,
        reference=item.reference,
        priority=item.priority,
        due_at=item.due_at,
        not_before=item.not_before,
        attempt=item.attempt,
        retry_of=item.retry_of,
        started_at=item.started_at,
        progress=item.progress,
    )
