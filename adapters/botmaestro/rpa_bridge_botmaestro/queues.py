"""Queues: BotMaestro's datapools and their entries. docs: botmaestro.md 9"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Failure, Item, ItemDraft, ItemState, Queue, QueueService
from rpa_bridge.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    ProtocolError,
    UnsupportedError,
)
from rpa_bridge.helpers.checks import check_draft, check_values, refuse
from rpa_bridge.transport.addresses import path_segment
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.reconcile import blindly, once

from .client import Client, label_segment
from .mapping import queues as mapping
from .mapping.common import KEY
from .wire.queues import DataPool, Entry

OPEN = frozenset({"PROCESSING", "TIMEOUT"})
"""States from which an entry can be reported. docs: botmaestro.md 9 "State machine" """


class BotMaestroQueues(QueueService):
    """Datapools by label; entries by id."""

    def __init__(self, client: Client, clock: Clock, limits: Limits) -> None:
        super().__init__("botmaestro", clock)
        self._client, self._limits = client, limits

    async def find(self) -> AsyncIterator[Queue]:
        async for pool in self._client.all_rows(DataPool, "/datapool", operation="queues.find"):
            yield mapping.queue(pool)

    async def get(self, name: str) -> Queue:
        operation = "queues.get"
        try:
            return mapping.queue(await self._client.read(DataPool, _pool(operation, name), operation=operation))
        except NotFoundError:
            raise _no_queue(operation, name) from None

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        operation = "queues.add"
        self._refuse(operation, draft)
        path = f"{_pool(operation, queue)}/push"
        try:
            if draft.reference is None:
                return await self._push_blindly(queue, path, draft)
            return await self._push_once(queue, path, draft)
        except NotFoundError:
            raise _no_queue(operation, queue) from None

    async def take(self, queue: str) -> Item | None:
        operation = "queues.take"
        path = f"{_pool(operation, queue)}/pull"
        may_be = (
            f"an entry of {queue!r} may now be in PROCESSING without a worker; look for it in the datapool, "
            f"it times out by the datapool's own limit"
        )
        try:
            with blindly(may_be):  # docs: a GET that reserves an entry; 204 when there is none, botmaestro.md 9
                answer = await self._client.call("GET", path, effect=Effect.BLIND, operation=operation)
                return None if answer is None else mapping.item(Entry.of(answer, operation), queue)
        except NotFoundError:
            raise _no_queue(operation, queue) from None

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        operation = "queues.complete"
        result = dict(item.output if output is None else output)
        check_values(operation, result, Limits())
        entry = await self._taken(item, operation)
        await self._report(item, mapping.done(entry, result), {"DONE"}, operation)

    async def fail(self, item: Item, failure: Failure) -> None:
        operation = "queues.fail"
        entry = await self._taken(item, operation)
        await self._report(item, mapping.failed(entry, failure), {"ERROR"}, operation)

    async def items(
        self, queue: str, *, state: ItemState | None = None, reference: str | None = None
    ) -> AsyncIterator[Item]:
        operation = "queues.items"
        path = f"{_pool(operation, queue)}/view"
        try:
            async for entry in self._client.all_rows(Entry, path, operation=operation):
                item = mapping.item(entry, queue)
                if state in (None, item.state) and reference in (None, item.reference):
                    yield item
        except NotFoundError:
            raise _no_queue(operation, queue) from None

    async def get_item(self, queue: str, item_id: str) -> Item:
        return mapping.item(await self._entry(queue, item_id, "queues.get_item"), queue)

    def _refuse(self, operation: str, draft: ItemDraft) -> None:
        for what, moment in (("not_before", draft.not_before), ("due_at", draft.due_at)):
            if moment is not None:
                raise UnsupportedError(f"items with {what}", adapter="botmaestro", hint="leave it out")
        taken = sorted(mapping.HIDDEN.intersection(draft.values))
        if taken:
            raise refuse(operation, f"the value name {taken[0]!r} is taken by the bridge; rename the value")
        check_draft(operation, draft, self._limits)

    async def _push_blindly(self, queue: str, path: str, draft: ItemDraft) -> Item:
        may_be = (
            f"the item may be in queue {queue!r}; look before you add it again, "
            f"and give items a reference so that this can be found out for you"
        )
        with blindly(may_be):
            return await self._push(queue, path, draft, None, Effect.BLIND)

    async def _push_once(self, queue: str, path: str, draft: ItemDraft) -> Item:
        mark = f"rb-{self._client.new_id()}"
        return await once(
            lambda: self._push(queue, path, draft, mark, Effect.FINDABLE),
            lambda: self._by_mark(queue, mark),
            clock=self.clock,
            operation="queues.add",
            what=f"an item with reference {draft.reference!r} in queue {queue!r}",
            window=self._client.settle_window,
        )

    async def _push(self, queue: str, path: str, draft: ItemDraft, mark: str | None, effect: Effect) -> Item:
        operation = "queues.add"
        body = mapping.new_entry(draft, mark=mark)
        answer = await self._client.call("POST", path, effect=effect, operation=operation, json=body)
        entry = Entry.of(answer, operation)
        if (entry.values or {}).get(KEY) != mark:
            raise ProtocolError(f"{operation}: the answer does not name our item", operation=operation)
        return mapping.item(entry, queue)

    async def _by_mark(self, queue: str, mark: str) -> Item | None:
        """The entry that our own push made. docs: consumed entries stay listed, so it cannot hide"""
        operation = "queues.add"
        path = f"{_pool(operation, queue)}/view"
        async for entry in self._client.all_rows(Entry, path, operation=operation):
            if (entry.values or {}).get(KEY) == mark and entry.parent is None:  # a retry carries it too
                return mapping.item(entry, queue)
        return None

    async def _taken(self, item: Item, operation: str) -> Entry:
        """The entry as it is now: the server is not known to guard final states, and saves what it is sent."""
        entry = await self._entry(item.queue, item.id, operation)
        if entry.state not in OPEN:
            raise ConflictError(
                f"{operation}: item {item.id} is {entry.state}, not taken; only a taken item is reported, and once",
                operation=operation,
            )
        return entry

    async def _report(self, item: Item, body: dict[str, Any], reached: set[str], operation: str) -> None:
        """Saves the entry once: a second report of an error could start a second retry."""
        path = _entry_path(operation, item.queue, item.id)

        async def send() -> Entry:
            try:
                answer = await self._client.call("POST", path, effect=Effect.FINDABLE, operation=operation, json=body)
            except InvalidError:  # docs: what a wrong step is answered is not known; somebody may have been faster
                await self._taken(item, operation)
                raise
            return Entry.of(answer, operation)

        async def look_up() -> Entry | None:
            entry = await self._entry(item.queue, item.id, operation)
            return entry if entry.state in reached else None

        await once(
            send,
            look_up,
            clock=self.clock,
            operation=operation,
            what=f"item {item.id} as {' or '.join(sorted(reached))}",
            window=self._client.settle_window,
        )

    async def _entry(self, queue: str, item_id: str, operation: str) -> Entry:
        path = _entry_path(operation, queue, item_id)
        entry = await self._client.read(Entry, path, operation=operation)
        if entry.id != item_id:
            raise ProtocolError(f"{operation}: asked for item {item_id}, got {entry.id}", operation=operation)
        return entry


def _pool(operation: str, label: str) -> str:
    return f"/datapool/{label_segment(operation, 'queue', label)}"


def _entry_path(operation: str, queue: str, item_id: str) -> str:
    return f"{_pool(operation, queue)}/entry/{path_segment(item_id)}"


def _no_queue(operation: str, name: str) -> NotFoundError:
    return NotFoundError(
        f"{operation}: there is no queue {name!r}; `rpa-bridge queues list` shows what there is",
        status=404,
        operation=operation,
    )
