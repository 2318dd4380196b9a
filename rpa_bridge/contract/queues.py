"""Queues of work (UiPath: queue and transaction item · BotMaestro: datapool and entry)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .features import Feature, Service, optional
from .model import Named, Neutral, Priority


class ItemState(StrEnum):
    """Where an item is in its life. Only DONE, FAILED, RETRIED, CANCELLED and REMOVED are final everywhere."""

    NEW = "new"
    TAKEN = "taken"
    DONE = "done"
    FAILED = "failed"
    LAPSED = "lapsed"
    """Taken, and not reported in time."""
    RETRIED = "retried"
    """Failed, and followed by a new item."""
    CANCELLED = "cancelled"
    REMOVED = "removed"
    UNKNOWN = "unknown"


class FailureKind(StrEnum):
    """Whose fault it was; decides whether a platform retries."""

    BUSINESS = "business"
    """The item's own: trying again would not help."""
    APPLICATION = "application"
    """The machinery's: trying again may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Neutral):
    """Why an item failed."""

    kind: FailureKind
    reason: str
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Neutral):
    """One value that a queue expects in its items. `type` is "text", "integer", "number", "boolean" or "date"."""

    name: str
    type: str = "text"
    unique: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDraft(Neutral):
    """A queue not yet on a platform; what a platform cannot hold, its adapter refuses.

    `options` are this platform's own settings of a queue, under its own names; an unknown one is refused.
    """

    name: str
    description: str | None = None
    retries: int = 0
    unique_references: bool = False
    fields: tuple[Field, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(Named):
    """A named queue. `retries` is how often the platform tries a failed item again."""

    description: str | None = None
    retries: int = 0
    unique_references: bool = False
    fields: tuple[Field, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDraft(Neutral):
    """An item not yet on a platform; what a platform cannot hold, its adapter refuses before sending."""

    values: dict[str, Any]
    reference: str | None = None
    priority: Priority = Priority.NORMAL
    not_before: datetime | None = None
    due_at: datetime | None = None
    mark: str | None = None
    """A word of the caller's own, at most 64 letters, digits and `-_/.`, which the platform keeps unseen by robots.

    `items(mark=...)` finds the item by it; without one, the adapter takes one that nobody else knows. It belongs to
    this item alone: after a lost answer, the item that carries it is taken for this one.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Neutral):
    """An item as the platform last described it.

    `output` is what the item's worker reported. Inside `queues.lease`, put results into it: they are sent with the
    completion.
    """

    id: str
    queue: str
    state: ItemState
    native_state: str
    values: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    priority: Priority = Priority.NORMAL
    progress: str | None = None
    failure: Failure | None = None
    attempt: int = 1
    retry_of: str | None = None
    mark: str | None = None
    """What whoever added it marked it with; a retry carries the mark of the first attempt."""
    not_before: datetime | None = None
    due_at: datetime | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class AddStatus(StrEnum):
    """What became of one draft of `add_many`."""

    ADDED = "added"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResult(Neutral):
    """What became of one draft: its place in the input from 0, and the sentence when it was not added.

    `duplicate` says of a refused one that its queue has an item with this reference already.
    """

    position: int
    reference: str | None
    status: AddStatus
    item_id: str | None = None
    problem: str | None = None
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSummary(Neutral):
    """What became of all drafts. `problems` holds at most the first 1,000 that were not added."""

    added: int = 0
    refused: int = 0
    unknown: int = 0
    problems: tuple[AddResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats(Neutral):
    """How many items stand in each state; a state that the platform does not count is absent."""

    counts: dict[ItemState, int]


Drafts = Iterable[ItemDraft] | AsyncIterable[ItemDraft]


class QueueService(Service):
    """Put work in, take work out."""

    noun = "queues"

    @abstractmethod
    async def get(self, name: str) -> Queue:
        """The queue. Raises NotFoundError."""

    @abstractmethod
    async def add(self, queue: str, draft: ItemDraft) -> Item:
        """The item, once the platform holds it.

        A draft with a `reference` can be looked up after a lost answer; one without ends in OutcomeUnknownError then.
        Raises NotFoundError, InvalidError, and ConflictError where the queue refuses the reference a second time.
        """

    @abstractmethod
    async def take(self, queue: str) -> Item | None:
        """The next item, reserved for this caller; None when there is none.

        Never repeated after a lost answer: OutcomeUnknownError says that an item may now be reserved.
        """

    @abstractmethod
    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        """Reports a taken item done. Raises ConflictError when it is no longer taken."""

    @abstractmethod
    async def fail(self, item: Item, failure: Failure) -> None:
        """Reports a taken item failed. Raises ConflictError when it is no longer taken."""

    @optional(Feature.QUEUE_FIND)
    def find(self) -> AsyncIterator[Queue]:
        """All queues."""
        raise NotImplementedError

    @optional(Feature.QUEUE_CREATE)
    async def create(self, draft: QueueDraft) -> Queue:
        """The new queue. Raises ConflictError when the name is taken."""
        raise NotImplementedError

    @optional(Feature.QUEUE_UPDATE)
    async def update(self, name: str, draft: QueueDraft) -> Queue:
        """The queue, after giving it the draft's settings. Raises NotFoundError."""
        raise NotImplementedError

    @optional(Feature.QUEUE_DELETE)
    async def delete(self, name: str) -> None:
        """Deletes the queue and its items. Raises NotFoundError."""
        raise NotImplementedError

    def check_item(self, draft: ItemDraft) -> None:
        """Refuses what `add` would refuse before it sends anything. Raises InvalidError, UnsupportedError."""

    def check_queue(self, draft: QueueDraft) -> None:
        """Refuses what `create` would refuse before it sends anything. Raises InvalidError, UnsupportedError."""

    @optional(Feature.QUEUE_ITEMS)
    def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        """Items, oldest first. Pages are fetched as the caller iterates; items added meanwhile may appear.

        `mark` is what an item's mark begins with. `after` is the id of an item that is left out with all before it.
        """
        raise NotImplementedError

    @optional(Feature.QUEUE_GET_ITEM)
    async def get_item(self, queue: str, item_id: str) -> Item:
        """The item now. Raises NotFoundError."""
        raise NotImplementedError

    @optional(Feature.QUEUE_ADD_MANY)
    async def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        """What became of the drafts, streamed in constant memory; `on_result` hears of each one."""
        raise NotImplementedError

    @optional(Feature.QUEUE_PROGRESS)
    async def progress(self, item: Item, text: str) -> None:
        """Notes how far a taken item is."""
        raise NotImplementedError

    @optional(Feature.QUEUE_POSTPONE)
    async def postpone(self, item: Item, until: datetime) -> None:
        """Keeps a new item from being taken before `until`."""
        raise NotImplementedError

    @optional(Feature.QUEUE_REMOVE)
    async def remove(self, item: Item) -> None:
        """Takes a new item out of the queue, unworked."""
        raise NotImplementedError

    @optional(Feature.QUEUE_RETRY)
    async def retry(self, item: Item) -> Item:
        """The new item that tries a failed one again."""
        raise NotImplementedError

    @optional(Feature.QUEUE_STATS)
    async def stats(self, queue: str) -> QueueStats:
        """How many items stand in each state."""
        raise NotImplementedError

    @optional(Feature.QUEUE_ACTIVATE)
    async def activate(self, name: str) -> Queue:
        """The queue, after letting items be taken from it again."""
        raise NotImplementedError

    @optional(Feature.QUEUE_DEACTIVATE)
    async def deactivate(self, name: str) -> Queue:
        """The queue, after keeping items from being taken from it."""
        raise NotImplementedError

    def lease(self, queue: str) -> AbstractAsyncContextManager[Item | None]:
        """Takes an item for the length of a block; None when there is none.

        A block that ends completes the item with `item.output`; BusinessError fails it as BUSINESS, any other
        exception as APPLICATION, and is raised on.
        """
        from rpa_bridge.helpers import leases  # helpers are built on the contract

        return leases.lease(self, queue)
