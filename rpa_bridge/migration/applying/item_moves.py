"""Items, from queue to queue: written down, sent together, and looked for where the answer was lost.

Each carries a mark that follows from where it comes from. An item is sent only when its row is PLANNED; a row whose
item was perhaps sent becomes PLANNED again only when it can no longer arrive and a complete look has not found it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import cached_property

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import AddResult, AddStatus, Item, ItemDraft, ItemState
from rpa_bridge.errors import BridgeError, InvalidError, MigrationError, NotFoundError, UnsupportedError
from rpa_bridge.migration.content import item_hash
from rpa_bridge.migration.documents import Step
from rpa_bridge.migration.journal.base import LETTERS, Change, Row, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.call import deadline

from .item_looks import LONGEST_SEND, ItemLooks
from .pausing import Patience
from .refusals import is_decided
from .stocktaking import item_mapper

STAGE = "copying"
BATCH = 100
"""Items sent together, where the target names no number."""
AHEAD = 2
"""Batches read ahead of what is sent."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One item, ready to be sent."""

    row: Row
    draft: ItemDraft


class ItemMove:
    """One queue's items."""

    def __init__(self, run: Run, step: Step, patience: Patience) -> None:
        self._run, self._step, self._key, self._patience = run, step, key_of(step), patience
        self._mapper = item_mapper(run, step)
        self._looks = ItemLooks(run, step, self._settle, self._tell)
        self._done = 0
        self._letters = 0

    async def move(self) -> None:
        """Copies what is planned, until nothing is open or it is asked to drain."""
        self._done = await self._settled_rows()
        await self._patience.through(self._run, self._step.name, self._copy)

    async def _copy(self) -> None:
        await self._looks.adopt()
        while not self._run.draining.is_set():
            await self._looks.settle_unknown()
            if not await self._run.journal.rows(step=self._key, states={RowState.PLANNED}, limit=1):
                return
            if not self._run.draining.is_set():
                await self._send_planned()

    async def _settled_rows(self) -> int:
        counts = (await self._run.journal.counts()).get(self._key, {})
        return sum(number for state, number in counts.items() if state is not RowState.PLANNED)

    async def _send_planned(self) -> None:
        """One pass over the source. Rows whose item does not come up in it are asked for one by one."""
        batches: asyncio.Queue[list[Parcel] | None] = asyncio.Queue(AHEAD)
        reader = asyncio.create_task(self._read(batches))
        try:
            while (batch := await batches.get()) is not None:
                await self._send(batch)
                if self._run.draining.is_set():
                    return
            await reader
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        await self._send_stragglers()

    async def _read(self, batches: asyncio.Queue[list[Parcel] | None]) -> None:
        try:
            async with aclosing(self._parcels()) as parcels:
                batch: list[Parcel] = []
                async for parcel in parcels:
                    batch.append(parcel)
                    if len(batch) == self._size:
                        await batches.put(batch)
                        batch = []
                if batch:
                    await batches.put(batch)
        except Exception:  # who is cancelled must not wait for room: nobody takes any more
            await batches.put(None)
            raise
        await batches.put(None)

    @cached_property
    def _size(self) -> int:
        return self._run.target.capabilities.limits.batch_size or BATCH

    async def _parcels(self) -> AsyncGenerator[Parcel]:
        """What is planned and still at the source as it was, from the first row that is planned."""
        journal = self._run.journal
        first = (await journal.rows(step=self._key, states={RowState.PLANNED}, limit=1))[0]
        before = await journal.before(first.seq)
        after = None if before is None else before.src_id
        page: list[Item] = []
        async with aclosing(self._listed(after)) as listed:
            async for item in listed:
                page.append(item)
                if len(page) == BATCH:
                    for parcel in await self._planned(page):
                        yield parcel
                    page = []
        for parcel in await self._planned(page):
            yield parcel

    async def _listed(self, after: str | None) -> AsyncGenerator[Item]:
        """New items; from the beginning where the one to begin after is no longer listed."""
        source, name = self._run.source.queues, self._step.name
        try:
            async for item in source.items(name, state=ItemState.NEW, after=after):
                yield item
        except NotFoundError:
            if after is None:
                raise
        else:
            return
        async for item in source.items(name, state=ItemState.NEW):
            yield item

    async def _planned(self, items: Sequence[Item]) -> list[Parcel]:
        rows = await self._run.journal.by_src(self._key, [item.id for item in items])
        known = [(rows[item.id], item) for item in items if item.id in rows]
        planned = [(row, item) for row, item in known if row.state is RowState.PLANNED]
        packed = [self._packed(row, item) for row, item in planned]
        await self._settle([one for one in packed if isinstance(one, Change)])
        return [one for one in packed if isinstance(one, Parcel)]

    def _packed(self, row: Row, item: Item) -> Parcel | Change:
        """What is sent of it; what becomes of it, when it cannot be sent."""
        if item_hash(item) != row.src_hash:
            hint = "it changed at the source after stock was taken; plan again to take it as it is now"
            return Change(seq=row.seq, to=RowState.DEAD, code="drifted", hint=hint)
        try:
            return Parcel(row, self._mapper.draft(item))
        except (InvalidError, UnsupportedError) as error:  # a dead letter that was requeued as it was
            return Change(seq=row.seq, to=RowState.DEAD, code="refused", hint=REDACTOR.line(str(error)))

    async def _send_stragglers(self) -> None:
        """Sends what is planned and did not come up in the list, where it is still new."""
        while rows := await self._run.journal.rows(step=self._key, states={RowState.PLANNED}, limit=self._size):
            items = [item for row in rows if (item := await self._still_new(row)) is not None]
            parcels = await self._planned(items)
            here = {item.id for item in items}
            hint = "it is no longer new at the source: somebody took it or removed it, so that nothing is to be copied"
            await self._settle(
                [
                    Change(seq=row.seq, to=RowState.DEAD, code="not_there", hint=hint)
                    for row in rows
                    if row.src_id not in here
                ]
            )
            if parcels:
                await self._send(parcels)
            if self._run.draining.is_set():
                return

    async def _still_new(self, row: Row) -> Item | None:
        if Feature.QUEUE_GET_ITEM not in self._run.source.capabilities:
            return None
        with suppress(NotFoundError):
            item = await self._run.source.queues.get_item(self._step.name, row.src_id)
            return item if item.state is ItemState.NEW else None
        return None

    async def _send(self, parcels: Sequence[Parcel]) -> None:
        """Sends them together. Raises what stopped it, after what is known of each of them is written down."""
        results, error = await self._send_once(parcels)
        self._looks.sent()
        surely_not = error is None or is_decided(error)
        changes, unseen = await self._outcomes(parcels, results, broke_off=error is not None)
        error = error or unseen
        known = {one.position for one in results}
        changes += [
            Change(seq=one.row.seq, to=RowState.PLANNED if surely_not else RowState.UNKNOWN)
            for number, one in enumerate(parcels)
            if number not in known
        ]
        await self._settle(changes)
        self._run.reached("items.settled")
        self._tell()
        if error is not None:
            raise error
        self._patience.done()
        if self._letters > self._run.most_letters:
            raise MigrationError(
                f"{self._letters} items of queue {self._step.name!r} were refused, and {self._run.most_letters} are "
                f"allowed; look at the dead letters, then resume"
            )

    async def _send_once(self, parcels: Sequence[Parcel]) -> tuple[list[AddResult], BridgeError | None]:
        journal, results = self._run.journal, list[AddResult]()
        self._run.reached("items.read")
        with deadline(LONGEST_SEND, clock=self._run.clock):  # who takes over from a process that hangs relies on it
            await journal.intend([one.row.seq for one in parcels], self._run.clock.now())
            self._run.reached("items.intended")
            await journal.check()
            try:
                drafts = [one.draft for one in parcels]
                await self._run.target.queues.add_many(self._step.to, drafts, on_result=results.append)
            except BridgeError as error:
                return results, error
            finally:
                self._run.reached("items.answered")
        return results, None

    async def _outcomes(
        self, parcels: Sequence[Parcel], results: Sequence[AddResult], *, broke_off: bool
    ) -> tuple[list[Change], BridgeError | None]:
        """What they mean; and what kept us from seeing that of some, which are looked for again."""
        changes, unseen = list[Change](), None
        for one in results:
            parcel = parcels[one.position]
            try:
                changes.append(await self._outcome(parcel.row, parcel.draft, one, broke_off=broke_off))
            except BridgeError as error:
                changes.append(Change(seq=parcel.row.seq, to=RowState.UNKNOWN))
                unseen = error
        return changes, unseen

    async def _outcome(self, row: Row, draft: ItemDraft, result: AddResult, *, broke_off: bool) -> Change:
        if result.status is AddStatus.ADDED:
            return Change(seq=row.seq, to=RowState.CONFIRMED, dst_id=result.item_id)
        if result.status is AddStatus.UNKNOWN:
            return Change(seq=row.seq, to=RowState.UNKNOWN)
        if result.duplicate:
            return await self._looks.duplicate(row, draft)
        if broke_off:  # refused for what stopped them all; if it is the item's own fault, that will be told again
            return Change(seq=row.seq, to=RowState.PLANNED)
        return Change(seq=row.seq, to=RowState.DEAD, code="refused", hint=REDACTOR.line(result.problem or "refused"))

    async def _settle(self, changes: Sequence[Change]) -> None:
        if changes:
            await self._run.journal.settle(changes, self._run.clock.now())
            self._done += sum(one.to not in (RowState.PLANNED, RowState.UNKNOWN) for one in changes)
            self._letters += sum(one.to in LETTERS for one in changes)

    def _tell(self, note: str = "") -> None:
        self._run.tell(STAGE, self._step.name, self._done, self._step.count + self._step.blocked, note)
