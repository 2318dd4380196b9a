"""New entries, one by one and many at once. docs: botmaestro.md 9 "push" """

from __future__ import annotations

from collections.abc import Callable

from rpa_bridge.contract.queues import AddResult, AddSummary, Drafts, Item, ItemDraft
from rpa_bridge.errors import ProtocolError, UnsupportedError
from rpa_bridge.helpers.adding import Tally
from rpa_bridge.helpers.checks import check_draft, refuse
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.outbox import Intent
from rpa_bridge_botmaestro.mapping import queues as mapping
from rpa_bridge_botmaestro.mapping.common import KEY
from rpa_bridge_botmaestro.wire.queues import Entry

from .definitions import in_queue, pool_path
from .items import Items
from .pushes import Pushes


class Adding(Items):
    """The verbs that put work in. A push carries a mark, by which a lost answer is looked up."""

    def check_item(self, draft: ItemDraft) -> None:
        self._check("queues.add", draft)

    async def add(self, queue: str, draft: ItemDraft) -> Item:
        operation = "queues.add"
        self._check(operation, draft)
        if draft.reference is None and draft.mark is None:
            return await self._push_blindly(queue, draft, operation)
        return await self._push_once(queue, draft, operation)

    async def add_many(
        self, queue: str, drafts: Drafts, *, on_result: Callable[[AddResult], None] | None = None
    ) -> AddSummary:
        """One request for each draft, some at once: results come as they are known, entries in nearly this order.

        An error that no item is to blame for is raised after everything under way is reported, and so is one of the
        drafts' own. A cancelled call reports as UNKNOWN what it can no longer wait for.
        """
        operation = "queues.add_many"
        await self._pool(queue, operation)
        tally = Tally(on_result)
        pushes = Pushes(
            queue,
            self._client,
            tally,
            check=lambda draft: self._check(operation, draft),
            push=lambda draft, mark: self._push(queue, draft, mark, Effect.FINDABLE, operation),
            landed=lambda marks: self._landed(queue, marks, operation),
        )
        await pushes.send_all(drafts)
        return tally.summary

    def _check(self, operation: str, draft: ItemDraft) -> None:
        for what, moment in (("not_before", draft.not_before), ("due_at", draft.due_at)):
            if moment is not None:
                raise UnsupportedError(f"items with {what}", adapter="botmaestro", hint="leave it out")
        taken = sorted(mapping.HIDDEN.intersection(draft.values))
        if taken:
            raise refuse(operation, f"the value name {taken[0]!r} is taken by the bridge; rename the value")
        check_draft(operation, draft, self._limits)

    async def _push_blindly(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        may_be = (
            f"the item may be in queue {queue!r}; look before you add it again, "
            f"and give items a reference so that this can be found out for you"
        )
        with self._client.effects.blindly(operation, may_be):
            return await self._push(queue, draft, None, Effect.BLIND, operation)

    async def _push_once(self, queue: str, draft: ItemDraft, operation: str) -> Item:
        mark = draft.mark or f"rb-{self._client.new_id()}"

        async def send() -> Item:
            return await self._push(queue, draft, mark, Effect.FINDABLE, operation)

        async def look_up() -> Item | None:
            return (await self._landed(queue, {mark}, operation)).get(mark)

        name = f"mark {mark!r}" if draft.reference is None else f"reference {draft.reference!r}"
        what = f"an item with {name} in queue {queue!r}"
        return await self._client.effects.once(send, look_up, operation=operation, what=what, subject=queue, key=mark)

    async def landed(self, intent: Intent) -> tuple[str, ...]:
        """The id of the entry that a push has made whose end nobody saw."""
        found = await self._landed(intent.subject, {intent.key}, intent.operation, removed_too=True)
        return tuple(item.id for item in found.values())

    async def _push(self, queue: str, draft: ItemDraft, mark: str | None, effect: Effect, operation: str) -> Item:
        path, body = f"{pool_path(operation, queue)}/push", mapping.new_entry(draft, mark=mark)
        ours = mark if mark and draft.mark is None else ""  # the caller's may stand in other answers too
        with in_queue(operation, queue):
            answer = await self._client.call("POST", path, effect=effect, operation=operation, json=body, mark=ours)
        entry = Entry.of(answer, operation)
        if (entry.values or {}).get(KEY) != mark:
            raise ProtocolError(f"{operation}: the answer does not name our item", operation=operation)
        return mapping.item(entry, queue)
