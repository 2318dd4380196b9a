"""Work on entries: taken, noted, reported done or failed. docs: botmaestro.md 9 "State machine" """

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.queues import Failure, Item
from rpa_bridge.errors import ConflictError, Delivery, InvalidError, ProtocolError, RemoteError
from rpa_bridge.helpers.checks import check_values
from rpa_bridge.transport.base import Effect
from rpa_bridge.transport.call import LEAST_TIME, at_most, seconds_left
from rpa_bridge.transport.outbox import Intent
from rpa_bridge.transport.reconcile import LAST_LOOK, blindly
from rpa_bridge_botmaestro.client import Client
from rpa_bridge_botmaestro.mapping import queues as mapping
from rpa_bridge_botmaestro.wire.queues import Entry

from .definitions import in_queue, pool_path
from .items import Items, entry_path

LOG = logging.getLogger("rpa_bridge.botmaestro")
CLOCKS_DIFFER = timedelta(minutes=10)
"""How much earlier than by our clock the server may say that an entry was taken."""
LOOK_AFTER = 2.0
"""Seconds after a lost answer at which to look what it was."""
MOST_REMEMBERED = 1000
MOST_NAMED = 10


class Working(Items):
    """The verbs of whoever works on entries."""

    def __init__(self, client: Client, clock: Clock, limits: Limits) -> None:
        super().__init__(client, clock, limits)
        self._given: deque[str] = deque(maxlen=MOST_REMEMBERED)
        """The entries that callers of this connection were given last."""

    async def take(self, queue: str) -> Item | None:
        """After a lost answer, OutcomeUnknownError names the entries that may have been meant.

        The platform does not know who takes: another worker's entry looks the same, so that none is taken over.
        """
        operation = "queues.take"
        may_be = f"an entry of {queue!r} may be in PROCESSING without a worker"
        with self._client.effects.noted(operation, may_be):
            return await self._pull(queue, operation)

    async def _pull(self, queue: str, operation: str) -> Item | None:
        path, since = f"{pool_path(operation, queue)}/pull", self.clock.now()
        try:
            # docs: a GET that reserves an entry; 204 when there is none, botmaestro.md 9
            with in_queue(operation, queue):
                answer = await self._client.call("GET", path, effect=Effect.BLIND, operation=operation)
            item = None if answer is None else _pulled(answer, queue, operation)
        except RemoteError as error:
            if error.delivery is not Delivery.MAYBE:
                raise
            lost = error
        else:
            if item is not None:
                self._given.append(item.id)
            return item
        with blindly(await self._what_may_be(queue, since, operation)):
            raise lost

    async def progress(self, item: Item, text: str) -> None:
        """Kept as the entry's message, until a failure's reason takes its place."""
        operation = "queues.progress"
        entry = await self._taken(item, operation)

        async def is_noted() -> bool:
            return ((await self._taken(item, operation)).message or "") == text

        await self._save(item, mapping.noted(entry, text), is_noted, "with this note", operation)

    async def complete(self, item: Item, output: Mapping[str, Any] | None = None) -> None:
        operation = "queues.complete"
        result = dict(item.output if output is None else output)
        check_values(operation, result, Limits())
        entry = await self._taken(item, operation)
        await self._report(item, mapping.done(entry, result), operation)

    async def fail(self, item: Item, failure: Failure) -> None:
        operation = "queues.fail"
        entry = await self._taken(item, operation)
        await self._report(item, mapping.failed(entry, failure), operation)

    async def reported(self, intent: Intent) -> tuple[str, ...]:
        """The item's id, where it stands as a report was to leave it whose end nobody saw."""
        entry = await self._entry(intent.subject, intent.key, intent.operation)
        return (entry.id,) if entry.state == mapping.REPORTED[intent.operation] else ()

    async def _taken(self, item: Item, operation: str) -> Entry:
        """The entry as it is now: the server is not known to guard final states, and saves what it is sent."""
        entry = await self._entry(item.queue, item.id, operation)
        if entry.state not in mapping.OPEN:
            raise ConflictError(
                f"{operation}: item {item.id} is {entry.state}, not taken; only a taken item is reported, and once",
                operation=operation,
            )
        return entry

    async def _report(self, item: Item, body: dict[str, Any], operation: str) -> None:
        async def is_reported() -> bool:
            entry = await self._entry(item.queue, item.id, operation)
            return entry.state == str(body["state"])

        await self._save(item, body, is_reported, f"as {body['state']}", operation)

    async def _save(
        self, item: Item, body: dict[str, Any], is_saved: Callable[[], Awaitable[bool]], how: str, operation: str
    ) -> None:
        """Saves the entry once.

        A second report of an error could start a second retry; a note that is repeated could arrive after the report
        that follows it, and put the entry back.
        """
        path = entry_path(operation, item.queue, item.id)

        async def send() -> bool:
            try:
                answer = await self._client.call("POST", path, effect=Effect.FINDABLE, operation=operation, json=body)
            except InvalidError:  # docs: what a wrong step is answered is not known; somebody may have been faster
                await self._taken(item, operation)
                raise
            if Entry.of(answer, operation).id != item.id:
                raise ProtocolError(f"{operation}: the answer does not name our item", operation=operation)
            return True

        async def look_up() -> bool | None:
            return True if await is_saved() else None

        what = f"item {item.id} {how}"
        await self._client.effects.once(send, look_up, operation=operation, what=what, subject=item.queue, key=item.id)

    async def _what_may_be(self, queue: str, since: datetime, operation: str) -> str:
        """What a pull without a usable answer may have done, and where a person can look."""
        said = f"an entry of {queue!r} may now be in PROCESSING without a worker"
        mend = "look for it in the datapool, it times out by the datapool's own limit"
        if seconds_left() < LEAST_TIME:
            return f"{said}, and the deadline left no time to look for it; {mend}"
        LOG.warning("%s: the answer is uncertain; looking for an entry of %r without a worker", operation, queue)
        try:
            suspects, is_whole = await self._suspects(queue, since, operation)
        except RemoteError:
            return f"{said}, and the datapool cannot be read now; {mend}"
        part = "" if is_whole else " in the part of it that was read in time"
        if not suspects:
            return f"{said}, though none is to be seen{part} yet; {mend}"
        more = f" and {len(suspects) - MOST_NAMED} more" if len(suspects) > MOST_NAMED else ""
        return (
            f"{said}: of those{part} that came there lately and that nobody has saved since, this connection was not "
            f"given {', '.join(suspects[:MOST_NAMED])}{more}; other workers may have them, so ask before you report "
            f"one; what nobody reports times out by the datapool's own limit"
        )

    async def _suspects(self, queue: str, since: datetime, operation: str) -> tuple[list[str], bool]:
        """Ids of entries that the pull may have taken, nearest in time first; whether all entries were looked at."""
        await self.clock.sleep(at_most(LOOK_AFTER, spare=LAST_LOOK))
        started, is_whole = self.clock.monotonic(), True
        found: dict[str, timedelta] = {}
        async for entry in self._entries(queue, operation):
            if mapping.may_lack_a_worker(entry, since - CLOCKS_DIFFER):
                found[entry.id] = abs((entry.dateProcessing or since) - since)
            if self.clock.monotonic() - started > self._client.effects.settle_window:
                is_whole = False
                break
        return sorted(found.keys() - set(self._given), key=lambda one: (found[one], one)), is_whole


def _pulled(answer: Any, queue: str, operation: str) -> Item:
    """The item that a pull has given. Raises ProtocolError for an entry that a pull cannot give."""
    entry = Entry.of(answer, operation)
    is_ours = (entry.dataPoolLabel or queue).casefold() == queue.casefold()
    if not is_ours or entry.state in mapping.ITEM_STATES.keys() - mapping.OPEN:
        raise ProtocolError(f"{operation}: the answer is not an entry that was just taken", operation=operation)
    return mapping.item(entry, queue)
