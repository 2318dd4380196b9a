"""The journal of a migration: what is about to be sent, written down before, and what became of it.

A row never holds a payload or a secret. What was sent and not answered is looked up on the target, never guessed; so a
migration can be stopped at any moment by anything, and goes on from what stands here and there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rpa_bridge.migration.documents import Kind


class RowState(StrEnum):
    """Where one thing is on its way."""

    PLANNED = "planned"
    INTENT = "intent"
    """About to be sent, and perhaps sent."""
    UNKNOWN = "unknown"
    """Perhaps sent, and nobody saw the answer."""
    CONFIRMED = "confirmed"
    VERIFIED = "verified"
    """Read back from the target, and found equal."""
    ROLLING_BACK = "rolling_back"
    """About to be removed again at the target, and perhaps removed."""
    SOURCE_INTENT = "source_intent"
    """About to be removed at the source."""
    SOURCE_UNKNOWN = "source_unknown"
    """Perhaps removed at the source, and not found equal at the target since."""
    SOURCE_DONE = "source_done"
    """Removed at the source."""
    ROLLED_BACK = "rolled_back"
    """Removed again at the target."""
    CONFLICT = "conflict"
    """The target has another thing in its place."""
    DEAD = "dead"
    """Refused for good; `hint` names the remedy."""
    SKIPPED = "skipped"
    MANUAL = "manual"


NEXT: Mapping[RowState, frozenset[RowState]] = {
    RowState.PLANNED: frozenset(
        {
            RowState.INTENT,
            RowState.CONFIRMED,
            RowState.CONFLICT,
            RowState.DEAD,
            RowState.SKIPPED,
            RowState.MANUAL,
        }
    ),
    RowState.INTENT: frozenset(
        {
            RowState.PLANNED,
            RowState.UNKNOWN,
            RowState.CONFIRMED,
            RowState.CONFLICT,
            RowState.DEAD,
            RowState.SKIPPED,
            RowState.MANUAL,
        }
    ),
    RowState.UNKNOWN: frozenset({RowState.PLANNED, RowState.CONFIRMED, RowState.CONFLICT, RowState.DEAD}),
    RowState.CONFIRMED: frozenset({RowState.VERIFIED, RowState.CONFLICT, RowState.ROLLING_BACK, RowState.ROLLED_BACK}),
    RowState.VERIFIED: frozenset(
        {
            RowState.CONFIRMED,
            RowState.CONFLICT,
            RowState.SOURCE_INTENT,
            RowState.ROLLING_BACK,
            RowState.ROLLED_BACK,
        }
    ),
    RowState.ROLLING_BACK: frozenset(
        {RowState.ROLLING_BACK, RowState.ROLLED_BACK, RowState.CONFIRMED, RowState.VERIFIED}
    ),
    RowState.SOURCE_INTENT: frozenset({RowState.SOURCE_DONE, RowState.VERIFIED, RowState.SOURCE_UNKNOWN}),
    RowState.SOURCE_UNKNOWN: frozenset({RowState.SOURCE_INTENT}),
    RowState.SOURCE_DONE: frozenset(),
    RowState.ROLLED_BACK: frozenset(),
    RowState.CONFLICT: frozenset({RowState.PLANNED, RowState.VERIFIED}),
    RowState.DEAD: frozenset({RowState.PLANNED}),
    RowState.SKIPPED: frozenset({RowState.PLANNED}),
    RowState.MANUAL: frozenset({RowState.PLANNED}),
}
"""Which state may follow which; every change is held to it."""

RETIRED = frozenset({RowState.SOURCE_INTENT, RowState.SOURCE_UNKNOWN, RowState.SOURCE_DONE})
"""The source does not have it any more, or perhaps not."""
LANDED = RETIRED | {RowState.CONFIRMED, RowState.VERIFIED, RowState.ROLLING_BACK}
"""The target has it, or had it until a rollback began."""
OPEN = frozenset({RowState.PLANNED, RowState.INTENT, RowState.UNKNOWN})
"""Something is still to be done."""
LETTERS = frozenset({RowState.DEAD, RowState.CONFLICT, RowState.MANUAL})
"""Dead letters: a person must do something."""


@dataclass(frozen=True, slots=True)
class StepKey:
    """A step of the plan."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """One thing, as it is taken stock of."""

    src_id: str
    """What the source knows it by."""
    key: str
    """What it is found by at the target, unique in the whole migration; the mark of an item."""
    src_hash: str
    """Of what it is at the source."""
    expect_hash: str
    """Of what it will be at the target."""
    bytes: int = 0
    state: RowState = RowState.PLANNED
    """PLANNED, or what cannot go: DEAD, SKIPPED, MANUAL."""
    code: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing on its way."""

    seq: int
    """Its place in the order in which things are carried out, from 1."""
    step: StepKey
    src_id: str
    key: str
    src_hash: str
    expect_hash: str
    bytes: int
    state: RowState
    attempt: int
    """How often it was about to be sent; 0 too for what was only found at the target."""
    intent_at: datetime | None
    """When it was last about to be sent or, when it is ROLLING_BACK, to be removed at the target."""
    confirmed_at: datetime | None
    dst_id: str | None
    existed: bool
    """Whether the target had it before us, so that a rollback leaves it."""
    code: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one row; None leaves a member as it is."""

    seq: int
    to: RowState
    dst_id: str | None = None
    existed: bool | None = None
    bytes: int | None = None
    expect_hash: str | None = None
    code: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How far a step has been taken stock of."""

    complete: bool = False
    last: str | None = None
    """The id of the last thing that was seen at the source."""
    count: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One thing of ours that verification saw at the target."""

    key: str
    dst_id: str
    equal: bool


class Journal(Protocol):
    """Keeps the rows of one migration. All that a verb writes is on the disk when it returns, or none of it.

    Every writing verb raises MigrationError when another process has taken the migration over.
    """

    async def open(self, plan_id: str, *, take_over: bool = False) -> bool:
        """Takes the migration for this process; True when it begins now. What was INTENT becomes UNKNOWN.

        A journal that had forgotten something of what was written is known by it, as is one that was made anew in its
        place. Then and from then on nothing in it is PLANNED but what was UNKNOWN before, and so was looked up: `add`
        and `settle` make it UNKNOWN instead. What was VERIFIED becomes CONFIRMED.

        Raises MigrationError when the journal is another plan's, is damaged, or another process is at work on it and
        `take_over` is not given.
        """

    async def close(self) -> None:
        """Gives the migration back."""

    async def check(self) -> None:
        """Raises MigrationError when another process has taken the migration over."""

    async def stock(self, step: StepKey) -> Stock:
        """How far the step has been taken stock of."""

    async def add(self, step: StepKey, rows: Sequence[NewRow], stock: Stock) -> None:
        """Adds rows, in their order, together with how far that is; a key that is there already is left as it is."""

    async def unstock(self) -> None:
        """Forgets all rows and stocks. Raises MigrationError when one of them was about to be sent before."""

    async def intend(self, seqs: Sequence[int], at: datetime, *, existed: Collection[int] = ()) -> None:
        """Makes planned rows INTENT; `existed` are those of them that the target has already."""

    async def settle(self, changes: Sequence[Change], at: datetime) -> None:
        """Makes the changes. Raises MigrationError for one that may not follow."""

    async def rows(
        self, *, step: StepKey | None = None, states: Collection[RowState] = (), after: int = 0, limit: int = 500
    ) -> list[Row]:
        """Rows in order, those after a place; no states means all."""

    async def by_src(self, step: StepKey, src_ids: Sequence[str]) -> dict[str, Row]:
        """Rows by what the source knows them by."""

    async def by_key(self, keys: Sequence[str]) -> dict[str, Row]:
        """Rows by what the target knows them by."""

    async def before(self, seq: int) -> Row | None:
        """The row of the same step that comes right before this one."""

    async def counts(self) -> dict[StepKey, dict[RowState, int]]:
        """How many rows of each step stand in each state."""

    async def last_intent(self, step: StepKey) -> datetime | None:
        """When the last of the step's unknown rows was about to be sent."""

    async def begin_sighting(self, step: StepKey) -> None:
        """Forgets what verification saw of the step."""

    async def see(self, sightings: Sequence[Sighting]) -> None:
        """Notes what verification saw."""

    async def seen(self, step: StepKey, *, after: int = 0, limit: int = 500) -> list[tuple[Row, int, int]]:
        """Landed rows in order, each with how often it was seen and how often equal.

        One of which the id at the target was not known has that of what was seen.
        """

    async def note(self, text: str) -> None:
        """Writes one line into the migration's log, such as the stages that it has reached."""

    async def notes(self) -> list[tuple[datetime, str]]:
        """The log, oldest first."""
