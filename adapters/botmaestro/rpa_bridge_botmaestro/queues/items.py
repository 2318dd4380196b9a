"""Entries that lie in a datapool: looked at, found by our marks, removed. docs: botmaestro.md 9 "Entries" """

from __future__ import annotations

from collections.abc import AsyncIterator, Set

from rpa_bridge.contract.queues import Item, ItemState
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError, ProtocolError, UnsupportedError
from rpa_bridge.helpers.checks import check_mark
from rpa_bridge.transport.addresses import path_segment
from rpa_bridge.transport.base import Effect
from rpa_bridge_botmaestro.mapping import queues as mapping
from rpa_bridge_botmaestro.mapping.common import KEY
from rpa_bridge_botmaestro.wire.queues import Entry

from .definitions import Definitions, in_queue, pool_path

NO_SUCH_ROUTE = frozenset({404, 405})


class Items(Definitions):
    """The verbs for single entries that nobody is working on."""

    async def items(
        self,
        queue: str,
        *,
        state: ItemState | None = None,
        reference: str | None = None,
        mark: str | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Item]:
        """The whole datapool is listed, whatever is looked for. Raises NotFoundError when `after` was not in it."""
        operation = "queues.items"
        check_mark(operation, mark)
        if after is not None and not after.strip():
            raise no_item(operation, after, queue)
        async for entry in self._entries(queue, operation):
            if after is not None:
                after = None if entry.id == after else after
                continue
            item = mapping.item(entry, queue)
            is_marked = mark is None or (item.mark or "").startswith(mark)
            if is_marked and state in (None, item.state) and reference in (None, item.reference):
                yield item
        if after is not None:
            raise no_item(operation, after, queue)

    async def get_item(self, queue: str, item_id: str) -> Item:
        return mapping.item(await self._entry(queue, item_id, "queues.get_item"), queue)

    async def remove(self, item: Item) -> None:
        """Cancels the entry, which stays listed.

        A server without that route has it deleted instead: there, an entry that is taken and reported within that
        moment is deleted too.
        """
        operation = "queues.remove"
        if not await self._is_new(item, operation):
            return
        path, body = f"{entry_path(operation, item.queue, item.id)}/cancel", mapping.CANCELLATION
        try:
            answer = await self._client.call("PUT", path, effect=Effect.SET, operation=operation, json=body)
        except (ConflictError, InvalidError, NotFoundError) as error:
            if not await self._is_new(item, operation):  # a repeat after a lost answer finds it cancelled
                return
            if error.status not in NO_SUCH_ROUTE:
                raise
        else:
            entry = Entry.of(answer, operation)
            if (entry.id, entry.state) != (item.id, mapping.CANCELED):
                raise ProtocolError(f"{operation}: the answer does not name our item", operation=operation)
            return
        await self._delete(item, operation)

    async def _delete(self, item: Item, operation: str) -> None:
        path = entry_path(operation, item.queue, item.id)
        try:
            await self._client.tell("DELETE", path, effect=Effect.SET, operation=operation)
        except NotFoundError as error:
            if error.uncertain_before:  # a repeat after a lost answer finds it gone: that is what was asked for
                return
            await self._is_new(item, operation)
            hint = "this server is too old for it; remove the entry in the portal"
            raise UnsupportedError(operation, adapter="botmaestro", hint=hint) from None
        except (ConflictError, InvalidError):
            await self._is_new(item, operation)
            raise

    async def _is_new(self, item: Item, operation: str) -> bool:
        """Whether nobody has begun with it; False where it is cancelled. Raises ConflictError in any other state."""
        entry = await self._entry(item.queue, item.id, operation)
        if entry.state in (mapping.PENDING, mapping.CANCELED):
            return entry.state == mapping.PENDING
        raise ConflictError(
            f"{operation}: item {item.id} is {entry.state}; only a new one can be removed", operation=operation
        )

    async def _landed(
        self, queue: str, marks: Set[str], operation: str, *, removed_too: bool = False
    ) -> dict[str, Item]:
        """What our own pushes made, by their marks. docs: consumed entries stay listed, so none can hide

        Removed ones count only with `removed_too`: what was removed before may be pushed again under its mark.
        """
        found: dict[str, Item] = {}
        async for entry in self._entries(queue, operation):
            mark = (entry.values or {}).get(KEY)
            is_first = entry.parent is None and (removed_too or entry.state != mapping.CANCELED)
            if isinstance(mark, str) and mark in marks and is_first:  # a retry carries it too
                found[mark] = mapping.item(entry, queue)
                if len(found) == len(marks):
                    break
        return found

    async def _entries(self, queue: str, operation: str) -> AsyncIterator[Entry]:
        """All entries, whatever became of them."""
        path = f"{pool_path(operation, queue)}/view"
        with in_queue(operation, queue):
            async for entry in self._client.all_rows(Entry, path, operation=operation):
                yield entry

    async def _entry(self, queue: str, item_id: str, operation: str) -> Entry:
        path = entry_path(operation, queue, item_id)
        entry = await self._client.read(Entry, path, operation=operation)
        if entry.id != item_id:
            raise ProtocolError(f"{operation}: asked for item {item_id}, got {entry.id}", operation=operation)
        return entry


def no_item(operation: str, item_id: str, queue: str) -> NotFoundError:
    """The error for an id that no entry has."""
    return NotFoundError(
        f"{operation}: there is no item {item_id!r} in queue {queue!r}; look for it with queues.items",
        operation=operation,
    )


def entry_path(operation: str, queue: str, item_id: str) -> str:
    """The address of an entry."""
    return f"{pool_path(operation, queue)}/entry/{path_segment(item_id)}"
