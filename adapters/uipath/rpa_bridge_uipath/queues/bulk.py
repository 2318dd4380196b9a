"""One request of BulkAddQueueItems, and what became of each of its items. docs: uipath.md 3.10 and 5.5

The answer is 200 even when nothing was added, and names no ids. Where it is lost, or does not tell of each item what
became of it, the items' marks are looked for in the queue: nothing is assumed, and nothing is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rpa_bridge.contract.queues import AddResult, AddStatus
from rpa_bridge.errors import OutcomeUnknownError, ProtocolError
from rpa_bridge.transport.base import Effect
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import BulkAddAnswer, QueueDefinitionDto

from .entries import Entry
from .marks import MarkedItems, Marks

OPERATION = "queues.add_many"


class Bulk:
    """Entries that go into a queue together, all with the caller's marks or none."""

    def __init__(self, client: Client, queue: QueueDefinitionDto, entries: Sequence[Entry]) -> None:
        self._client, self._queue, self._entries = client, queue, entries
        self._told: BulkAddAnswer | None = None
        """What the server said, where that leaves questions."""

    async def add_marked(self) -> list[AddResult]:
        """What became of each. Raises InvalidError and the like when they were refused as a whole."""
        given = [entry.mark for entry in self._entries if entry.mark is not None]
        marks = Marks.given(given) if given else Marks.of(f"rb-{self._client.new_id()}/", len(self._entries))
        items, since = MarkedItems(self._client, self._queue, OPERATION), self._client.clock.now()
        found: dict[int, str] = {}

        async def send() -> list[AddResult]:
            return await self._send(given or list(marks.ordinals), Effect.FINDABLE)

        async def look_up() -> list[AddResult] | None:
            found.update(await items.find(marks, since))
            return self._settled(found)

        count = len(marks.ordinals)
        what = f"{count} items in queue {self._queue.Name!r}"
        try:
            return await self._client.effects.once(
                send,
                look_up,
                operation=OPERATION,
                what=what,
                subject=self._queue.Name,
                key=marks.key,
                count=count,
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
            _refused(entry, refused[ordinal].reason, duplicate=refused[ordinal].duplicate)
            if ordinal in refused
            else entry.result(AddStatus.ADDED)
            for ordinal, entry in enumerate(self._entries, 1)
        ]

    def _settled(self, found: Mapping[int, str]) -> list[AddResult] | None:
        """The results, once nothing is left to guess: all are there, or as many are missing as the server refused."""
        missing = len(self._entries) - len(found)
        refusals = [] if self._told is None else mapping.refusals(self._told)
        if missing not in (0, len(refusals)):
            return None
        reason = "; or ".join(dict.fromkeys(one.reason for one in refusals))
        duplicate = all(one.duplicate for one in refusals)
        return [
            entry.result(AddStatus.ADDED, item_id=found[ordinal])
            if ordinal in found
            else _refused(entry, reason, duplicate=duplicate)
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


def _refused(entry: Entry, reason: str, *, duplicate: bool) -> AddResult:
    return entry.result(AddStatus.REFUSED, problem=f"{OPERATION}: {reason}", duplicate=duplicate)
