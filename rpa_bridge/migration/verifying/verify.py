"""Reading back what was copied, and comparing: nothing is taken for equal that nobody has seen."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace

from rpa_bridge.contract.model import plain
from rpa_bridge.errors import NotFoundError, UnsupportedError
from rpa_bridge.migration import mapping
from rpa_bridge.migration.documents import Kind, Step
from rpa_bridge.migration.ending.outcomes import Findings
from rpa_bridge.migration.journal.base import LANDED, LETTERS, OPEN, Row, RowState
from rpa_bridge.migration.running import Run, key_of
from rpa_bridge.migration.stages import Stage, is_stocked
from rpa_bridge.migration.things import Found, Look, look_at_target, named
from rpa_bridge.transport.call import apart

from .items import STAGE, ItemCheck
from .judging import judged, may_still_go, removed_within
from .verdicts import Outcome, StepVerdict, Verification

BATCH = 100
"""Files judged at once."""
SETTINGS = ("description", "retries", "unique_references", "fields")
"""What of a queue is compared."""
_WORDS = {Found.GONE: "missing", Found.CHANGED: "differing", Found.UNREADABLE: "unverifiable"}


async def verify(run: Run, *, deep: bool = False, arrivals: bool = True) -> Verification:
    """Compares the target with what was sent, whatever is at work there by now; nothing is changed at either end.

    Rows that are there once and the same become VERIFIED, and those that no longer are cease to be. `deep` reads the
    files, whose sizes alone are compared without it. `arrivals` counts the source's new items, too, which takes one
    listing of its queues. The journal must be open.
    """
    counts = await run.journal.counts()
    verdicts = []
    with apart():  # on what is found here it depends what is removed at the source
        for step in run.plan.steps:
            states = counts.get(key_of(step), {})
            if step.goes or any(states.get(state) for state in LANDED | OPEN):
                verdict = await _verdict(run, step, deep=deep, arrivals=arrivals)
                verdicts.append(await _with_the_rest(run, step, verdict))
    verification = Verification(steps=tuple(verdicts))
    amiss = [one.outcome for one in verdicts].count
    note = f"{amiss(Outcome.DIFFERS)} steps differ, {amiss(Outcome.UNFINISHED)} are unfinished"
    await run.journal.note(f"{Stage.VERIFIED}: all is equal" if verification.equal else f"{Stage.COMPARED}: {note}")
    return verification


async def _verdict(run: Run, step: Step, *, deep: bool, arrivals: bool) -> StepVerdict:
    run.tell(STAGE, step.name, 0, step.count)
    if step.kind is Kind.ITEMS:
        return await ItemCheck(run, step).verdict(arrivals=arrivals)
    check = _ThingCheck(run, step)
    if step.kind is Kind.ARTIFACTS:
        return await check.files(deep=deep)
    return await check.one()


async def _with_the_rest(run: Run, step: Step, verdict: StepVerdict) -> StepVerdict:
    """The verdict, with what the journal alone knows: what is still open, and what did not go."""
    states = (await run.journal.counts()).get(key_of(step), {})
    unfinished = sum(states.get(state, 0) for state in OPEN)
    letters = sum(states.get(state, 0) for state in LETTERS | {RowState.SKIPPED})
    warnings = verdict.warnings
    if rolled_back := states.get(RowState.ROLLED_BACK, 0):
        warnings = (*warnings, f"{rolled_back} were rolled back, and are not looked for")
    verdict = replace(verdict, open=unfinished, letters=letters, warnings=warnings)
    if rolling_back := states.get(RowState.ROLLING_BACK, 0):
        sentence = (
            f"{rolling_back} may be removed at the target by a rollback that did not end; `rpa-bridge migrate "
            f"rollback` goes on, or verify again {removed_within(run).total_seconds():.0f} s after it stopped"
        )
    elif unfinished:
        sentence = f"{unfinished} are still to be copied, or were perhaps sent; `rpa-bridge migrate resume` goes on"
    elif not await is_stocked(run, step):
        sentence = "stock of it was never taken to the end; `rpa-bridge migrate apply` does that first"
    else:
        return verdict
    outcome = verdict.outcome if verdict.outcome is Outcome.DIFFERS else Outcome.UNFINISHED
    return replace(verdict, outcome=outcome, findings=(*verdict.findings, sentence))


class _ThingCheck:
    """One thing, or the files of one container."""

    def __init__(self, run: Run, step: Step) -> None:
        self._run, self._step, self._key = run, step, key_of(step)
        self._findings = Findings()
        self._counts: Counter[str] = Counter()
        self._began = run.clock.now()

    async def one(self) -> StepVerdict:
        """The verdict on a queue's definition, an asset or a credential."""
        rows = await self._run.journal.rows(step=self._key, states=LANDED, limit=1)
        await self._judge([(row, await self._look(row)) for row in rows])
        return self._verdict()

    async def files(self, *, deep: bool) -> StepVerdict:
        """The verdict on files. Without `deep` what the platform lists without its size is unverifiable.

        The sizes of the container's files are held in memory.
        """
        sizes = {} if deep else await self._sizes()
        last = 0
        while rows := await self._run.journal.rows(step=self._key, states=LANDED, after=last, limit=BATCH):
            last = rows[-1].seq
            await self._judge([(row, await self._look_at_file(row, sizes)) for row in rows])
            self._run.tell(STAGE, self._step.name, self._counts["expected"], self._step.count)
        return self._verdict()

    async def _look(self, row: Row) -> Look:
        if self._step.kind is not Kind.QUEUE:
            return await look_at_target(self._run, self._step, row)
        try:
            queue = await self._run.target.queues.get(self._step.to)
        except NotFoundError:
            return Look(Found.GONE)
        wanted = mapping.queue_draft(self._step)
        if mapping.queue_hash(queue) == mapping.queue_hash(wanted):
            return Look(Found.SAME)
        unlike = [name for name in SETTINGS if plain(getattr(queue, name)) != plain(getattr(wanted, name))]
        return Look(Found.CHANGED, ", ".join(unlike))

    async def _look_at_file(self, row: Row, sizes: dict[str, int | None]) -> Look:
        if row.dst_id not in sizes:  # all of them when they are to be read; else what the list leaves out
            return await look_at_target(self._run, self._step, row)
        size = sizes[row.dst_id]
        if size is None:
            return Look(Found.UNREADABLE, "the platform does not list its size; `verify --deep` reads it")
        return Look(Found.SAME if size == row.bytes else Found.CHANGED)

    async def _sizes(self) -> dict[str, int | None]:
        """Of what lies in the container that the step names; empty where the platform has none of that name."""
        files = self._run.target.artifacts.find(container=self._step.to or None)
        with suppress(NotFoundError, UnsupportedError):
            return {one.id: one.size async for one in files}
        return {}

    async def _judge(self, looks: list[tuple[Row, Look]]) -> None:
        changes = []
        for row, look in looks:
            self._counts["expected"] += 1
            self._counts["found"] += look.found is not Found.GONE
            if may_still_go(self._run, row, self._began):
                continue
            if look.found is not Found.SAME:
                self._tell(row, look)
            changes.append(judged(row, _WORDS.get(look.found, "")))
        await self._run.journal.settle([one for one in changes if one is not None], self._run.clock.now())
        self._run.reached("verify.settled")

    def _tell(self, row: Row, look: Look) -> None:
        self._counts[_WORDS[look.found]] += 1
        told = {
            Found.GONE: "is not at the target any more; make it there by hand, or copy it with a new plan",
            Found.CHANGED: f"is at the target, and is not what was copied; compare {look.why or 'the two'}",
            Found.UNREADABLE: f"cannot be compared: {look.why}",
        }
        self._findings.add(f"{named(self._step, row)} {told[look.found]}")

    def _verdict(self) -> StepVerdict:
        counts = self._counts
        amiss = counts["missing"] or counts["differing"]
        unverifiable = Outcome.UNVERIFIABLE if counts["unverifiable"] else Outcome.OK
        return StepVerdict(
            kind=self._step.kind,
            name=self._step.name,
            to=self._step.to,
            outcome=Outcome.DIFFERS if amiss else unverifiable,
            expected=counts["expected"],
            found=counts["found"],
            missing=counts["missing"],
            differing=counts["differing"],
            unverifiable=counts["unverifiable"],
            findings=self._findings.sentences,
        )
