"""One request of BulkAddQueueItems, and what became of each of its items. docs: uipath.md 3.10 and 5.5

The answer is 200 even when nothing was added, and names no ids. Where it is lost, or does not tell of each item what
became of it, our marks are looked for in the queue: nothing is assumed, and nothing is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rpa_bridge.contract.queues import AddResult, AddStatus
from rpa_bridge.errors import InvalidError, OutcomeUnknownError, ProtocolError
from rpa_bridge.transport.base import Effect
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import BulkAddAnswer, MarkedItem, QueueDefinitionDto

from .entries import Entry

OPERATION = "queues.add_many"
CLOCKS_DIFFER = timedelta(minutes=10)
"""How much earlier than by our clock the server may say that an item was created."""


class Bulk:
    """Entries that go into a queue together."""

    def __init__(self, client: Client, queue: QueueDefinitionDto, entries: Sequence[Entry]) -> None:
        self._client, self._queue, self._entries = client, queue, entries
        self._told: BulkAddAnswer | None = None
        """What the server said, where that leaves questions."""

    async def add_marked(self) -> list[AddResult]:
        """What became of each. Raises InvalidError and the like when they were refused as a whole."""
        prefix = f"rb-{self._client.new_id()}/"
        marks, since = marks_of(prefix, len(self._entries)), self._client.clock.now()
        found: dict[int, str] = {}

        async def send() -> list[AddResult]:
            return await self._send(list(marks), Effect.FINDABLE)

        async def look_up() -> list[AddResult] | None:
            found.update(await self.landed(prefix, marks, since))
            return self._settled(found)

        what = f"{len(marks)} items in queue {self._queue.Name!r}"
        try:
            return await self._client.effects.once(
                send,
                look_up,
                operation=OPERATION,
                what=what,
                subject=self._queue.Name,
                key=prefix,
                count=len(marks),
            )
        except OutcomeUnknownError:
            window = self._client.effects.settle_window
            return self._unsettled(
                found, f"no usable answer came, and the item was not found within {window:g} seconds"
            )

    async def add_blindly(self) -> list[AddResult]:
        """The same on a server that takes no marks, so that a lost answer cannot be looked up."""
        try:
            with self._client.effects.blindly(OPERATION, "the items may be in the queue"):
                return await self._send([None] * len(self._entries), Effect.BLIND)
        except OutcomeUnknownError:
            return self._unsettled({}, "no usable answer came, and this server does not let us look for the item")

    async def _send(self, marks: Sequence[str | None], effect: Effect) -> list[AddResult]:
        items = [mapping.marked(entry.data, mark) for entry, mark in zip(self._entries, marks, strict=True)]
        path, body = f"/odata/Queues/{odata.QUEUE_ACTION}BulkAddQueueItems", mapping.bulk(self._queue.Name, items)
        sent = await self._client.call("POST", path, effect=effect, operation=OPERATION, json=body)
        answer = BulkAddAnswer.of(sent, OPERATION)
        refused = mapping.failures(answer, len(items))
        if refused is None:
            self._told = answer
            raise ProtocolError(f"{OPERATION}: the answer does not tell of each item", operation=OPERATION)
        return [
            entry.result(AddStatus.REFUSED, problem=f"{OPERATION}: {refused[ordinal]}")
            if ordinal in refused
            else entry.result(AddStatus.ADDED)
            for ordinal, entry in enumerate(self._entries, 1)
        ]

    async def landed(self, prefix: str, marks: Mapping[str, int], since: datetime) -> dict[int, str]:
        """The ids of those of our items that are in the queue, by ordinal; `since` is when they were sent."""
        try:
            return await self._marked(odata.starts_with("ParentOperationId", prefix), marks)
        except InvalidError:  # whether every server filters by it is not known; all know when an item was created
            return await self._marked(odata.where("CreationTime", "ge", since - CLOCKS_DIFFER), marks)

    async def _marked(self, condition: str, marks: Mapping[str, int]) -> dict[int, str]:
        rows = self._client.all_rows(
            MarkedItem,
            "QueueItems",
            operation=OPERATION,
            condition=odata.all_of(odata.where("QueueDefinitionId", "eq", self._queue.Id), condition),
            select="Id,ParentOperationId",  # items of 500 KB each would be more than an answer may hold
        )
        found: dict[int, str] = {}
        async for row in rows:
            ordinal = marks.get(row.ParentOperationId or "")
            if ordinal is not None:
                found.setdefault(ordinal, str(row.Id))  # a retry carries the mark of the first attempt
            if len(found) == len(marks):
                break
        return found

    def _settled(self, found: Mapping[int, str]) -> list[AddResult] | None:
        """The results, once nothing is left to guess: all are there, or as many are missing as the server refused."""
        missing = len(self._entries) - len(found)
        reasons = [] if self._told is None else mapping.reasons(self._told)
        if missing not in (0, len(reasons)):
            return None
        reason = "; or ".join(dict.fromkeys(reasons))
        return [
            entry.result(AddStatus.ADDED, item_id=found[ordinal])
            if ordinal in found
            else entry.result(AddStatus.REFUSED, problem=f"{OPERATION}: {reason}")
            for ordinal, entry in enumerate(self._entries, 1)
        ]

    def _unsettled(self, found: Mapping[int, str], why: str) -> list[AddResult]:
        problem = f"{OPERATION}: {why}; look for it in queue {self._queue.Name!r} before you add it again"
        return [
            entry.result(AddStatus.ADDED, item_id=found[ordinal])
            if ordinal in found
            else entry.result(AddStatus.UNKNOWN, problem=problem)
            for ordinal, entry in enumerate(self._entries, 1)
        ]


def marks_of(prefix: str, count: int) -> dict[str, int]:
    """The marks of a bulk's items, with their ordinals."""
    return {f"{prefix}{ordinal}": ordinal for ordinal in range(1, count + 1)}
