"""The items of one queue, read back from the target: missing, doubled or unlike what was sent, each by its mark."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import Item, ItemState
from rpa_bridge.migration.canonical import add_up, hash_of
from rpa_bridge.migration.content import GONE, item_hash
from rpa_bridge.migration.documents import Step
from rpa_bridge.migration.ending.outcomes import Findings
from rpa_bridge.migration.journal.base import LANDED, OPEN, Change, Row, Sighting
from rpa_bridge.migration.running import Run, key_of

from .judging import judged, may_still_go
from .sightings import BATCH, Marked, marked
from .verdicts import Outcome, StepVerdict

STAGE = "verifying"


class ItemCheck:
    """One queue's items. What is in memory does not grow with their number."""

    def __init__(self, run: Run, step: Step) -> None:
        self._run, self._step, self._key = run, step, key_of(step)
        self._findings, self._warnings = Findings(), Findings()
        self._counts: Counter[str] = Counter()
        self._states: Counter[ItemState] = Counter()
        self._began = run.clock.now()
        self._digests = {"expected": add_up("", ()), "found": add_up("", ())}

    async def verdict(self, *, arrivals: bool) -> StepVerdict:
        """What became of the items; rows change as they are judged. `arrivals` lists the source's new items, too."""
        if Feature.QUEUE_ITEMS not in self._run.target.capabilities:
            self._findings.add("the target does not list items, so that nobody can compare them")
            return self._verdict(Outcome.UNVERIFIABLE, None)
        await self._run.journal.begin_sighting(self._key)
        async with aclosing(marked(self._run, self._step)) as batches:
            async for batch in batches:
                await self._see(batch)
        self._run.reached("verify.seen")
        await self._judge()
        arrived = await self._arrived() if arrivals else None
        return self._verdict(Outcome.DIFFERS if self._findings.sentences else Outcome.OK, arrived)

    async def _see(self, batch: list[Marked]) -> None:
        sightings: list[Sighting] = []
        for one in batch:
            self._states[one.item.state] += 1
            if one.item.state in GONE:
                continue
            if one.row is None:
                self._meet_stranger(one.item)
            elif one.row.state in LANDED:
                content = item_hash(one.item)
                equal = content == one.row.expect_hash
                sightings.append(Sighting(key=one.row.key, dst_id=one.item.id, equal=equal))
                if not equal:
                    self._add_up("found", [_digest(one.row, content)])
            elif one.row.state not in OPEN:
                self._findings.add(
                    f"item {one.item.id} is at the target, though item {one.row.src_id} is {one.row.state} in the "
                    f"journal; look at both, and remove one"
                )
        await self._run.journal.see(sightings)
        self._run.tell(STAGE, self._step.name, sum(self._states.values()), self._step.count)

    def _meet_stranger(self, item: Item) -> None:
        self._counts["strangers"] += 1
        self._warnings.add(f"item {item.id} at the target is of another migration along the same way")

    async def _judge(self) -> None:
        journal, last = self._run.journal, 0
        while page := await journal.seen(self._key, after=last, limit=BATCH):
            last = page[-1][0].seq
            self._sum(page)
            changes = [change for row, seen, equal in page if (change := self._change(row, seen, equal)) is not None]
            await journal.settle(changes, self._run.clock.now())
            self._run.reached("verify.settled")

    def _sum(self, page: list[tuple[Row, int, int]]) -> None:
        """A copy that a list shows twice is counted once here."""
        self._counts["expected"] += len(page)
        self._counts["found"] += sum(seen for _, seen, _ in page)
        digests = [(_digest(row, row.expect_hash), equal) for row, _, equal in page]
        self._add_up("expected", [digest for digest, _ in digests])
        self._add_up("found", [digest for digest, equal in digests for _ in range(equal)])

    def _add_up(self, side: str, digests: list[str]) -> None:
        self._digests[side] = add_up(self._digests[side], digests)

    def _change(self, row: Row, seen: int, equal: int) -> Change | None:
        """What becomes of a row; one that a rollback may be removing is left to that."""
        return None if may_still_go(self._run, row, self._began) else judged(row, self._amiss(row, seen, equal))

    def _amiss(self, row: Row, seen: int, equal: int) -> str:
        """What is wrong with it in one word; empty when nothing is."""
        copy = f"item {row.dst_id}" if row.dst_id else "its copy"
        if seen == 0:
            self._counts["missing"] += 1
            self._findings.add(
                f"item {row.src_id} was copied, and {copy} is not at the target any more; if nobody worked it or took "
                f"it out there, apply the plan with a new journal: only what is missing is copied"
            )
            return "missing"
        if seen > 1:
            self._counts["duplicated"] += 1
            self._findings.add(
                f"item {row.src_id} is at the target {seen} times, {copy} being one of them; look for the mark "
                f"{row.key} there, and remove all but one"
            )
            return "duplicated"
        if equal == 0:
            self._counts["differing"] += 1
            self._findings.add(f"{copy} at the target has other content than item {row.src_id} should have there")
            return "differing"
        return ""

    async def _arrived(self) -> int | None:
        """New items at the source that the journal does not know."""
        if Feature.QUEUE_ITEMS not in self._run.source.capabilities:
            return None
        number, ids = 0, list[str]()
        async for item in self._run.source.queues.items(self._step.name, state=ItemState.NEW):
            ids.append(item.id)
            if len(ids) == BATCH:
                number += await self._unknown(ids)
                ids = []
        number += await self._unknown(ids)
        if number:
            self._warnings.add(f"{number} new items came to the source after stock was taken; plan again to take them")
        return number

    async def _unknown(self, src_ids: list[str]) -> int:
        return len(src_ids) - len(await self._run.journal.by_src(self._key, src_ids))

    def _verdict(self, outcome: Outcome, arrived: int | None) -> StepVerdict:
        counts = self._counts
        return StepVerdict(
            kind=self._step.kind,
            name=self._step.name,
            to=self._step.to,
            outcome=outcome,
            expected=counts["expected"],
            found=counts["found"],
            missing=counts["missing"],
            duplicated=counts["duplicated"],
            differing=counts["differing"],
            strangers=counts["strangers"],
            arrived=arrived,
            states=dict(self._states),
            expected_digest=self._digests["expected"],
            found_digest=self._digests["found"],
            findings=self._findings.sentences,
            warnings=self._warnings.sentences,
        )


def _digest(row: Row, content: str) -> str:
    """Of one item at its place, so that two that have changed places are told from two that have not."""
    return hash_of([row.key, content])
