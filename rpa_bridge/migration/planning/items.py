"""The new items of queues: read once, as a stream, and held against what the target can take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import Item, ItemState
from rpa_bridge.errors import DeniedError, InvalidError, UnsupportedError
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.content import item_hash
from rpa_bridge.migration.documents import Kind, Step, Verdict
from rpa_bridge.redaction import REDACTOR

from .common import MOST_EXAMPLES, TOLD, Sum, Survey, blocked, counted, going, lacks, plural, short_hash
from .expected import Expected
from .queues import QueueVerdict

BATCH = 100
"""Items sent together where the target names no number."""
PREFIX = "rb-0000000000000000/"
"""As long as what marks begin with; a plan is not known by name before it is whole."""
DUPLICATE = (
    "an earlier item has the same reference, and the target's queue takes each once; "
    'the rule queues.reference can take it from elsewhere, or "drop" it'
)


@dataclass(slots=True)
class _Tally:
    """What was read of one queue. Of unique references it keeps eight bytes each, to find the second of two."""

    count: int = 0
    bytes: int = 0
    blocked: int = 0
    without_reference: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    digest: Sum = field(default_factory=Sum)
    references: set[int] = field(default_factory=set)

    def refuse(self, item: Item, problem: str) -> None:
        """Counts one that cannot go."""
        self.blocked += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(REDACTOR.line(f"item {item.id}: {problem}"))

    def is_second(self, reference: str | None) -> bool:
        """Whether an earlier item had this reference."""
        if reference is None:
            return False
        short = short_hash(reference)
        if short in self.references:
            return True
        self.references.add(short)
        return False


Stats = Mapping[ItemState, int]
"""How many items of a queue stand in each state, as far as the source counts them."""


async def read_stats(survey: Survey, queue: str) -> Stats:
    """How many items stand in each state; empty where nobody may know."""
    if Feature.QUEUE_STATS not in survey.source.capabilities:
        return {}
    try:
        return (await survey.source.queues.stats(queue)).counts
    except DeniedError as error:
        survey.warnings.append(
            f"the items of {queue!r} in other states cannot be counted ({REDACTOR.line(str(error))})"
        )
        return {}


async def weigh_items(survey: Survey, verdict: QueueVerdict, stats: Stats) -> Step:
    """What becomes of a queue's new items."""
    queue = verdict.step
    step = Step(kind=Kind.ITEMS, name=queue.name, to=queue.to, verdict=Verdict.COPY, exists=queue.exists, count=0)
    problem = _problem(survey, verdict)
    if problem:
        return blocked(replace(step, blocked=stats.get(ItemState.NEW, 0)), problem)
    tally = await _read(survey, verdict)
    _tell_of_others(survey, queue.name, stats)
    step = replace(
        step,
        settings=_settings(survey, verdict, tally),
        count=tally.count,
        bytes=tally.bytes,
        digest=tally.digest.total,
        blocked=tally.blocked,
        examples=tuple(tally.examples),
    )
    if tally.blocked and not tally.count:
        return blocked(step, "none of its items can go; the examples say why")
    return going(step, counted(tally.losses, "item"))


async def _read(survey: Survey, verdict: QueueVerdict) -> _Tally:
    mapper = mapping.ItemMapper(survey.rules, verdict.queue.name, survey.limits, PREFIX)
    tally, subject = _Tally(), verdict.queue.name
    is_unique, expected = verdict.at_target.unique_references, Expected(verdict.at_target.fields)
    async for item in inventory.new_items(survey.source, subject):
        tally.digest.add(inventory.item_digest(item.id, item_hash(item)))
        try:
            mapped = mapper.mapped(item)
            survey.target.queues.check_item(mapped.draft)
        except (InvalidError, UnsupportedError) as error:
            tally.refuse(item, str(error))
        else:
            _take(tally, item, mapped, is_unique=is_unique)
            tally.losses.update(expected.shortfalls(mapped.draft.values))
        if (tally.count + tally.blocked) % TOLD == 0:
            survey.tell(subject, tally.count + tally.blocked)
    survey.tell(subject, tally.count + tally.blocked)
    return tally


def _take(tally: _Tally, item: Item, mapped: mapping.Mapped, *, is_unique: bool) -> None:
    if is_unique and tally.is_second(mapped.draft.reference):
        tally.refuse(item, DUPLICATE)
        return
    tally.count += 1
    tally.bytes += mapped.bytes
    tally.without_reference += mapped.draft.reference is None
    tally.losses.update(mapped.losses)


def _settings(survey: Survey, verdict: QueueVerdict, tally: _Tally) -> dict[str, object]:
    by_server = verdict.at_target.unique_references and not tally.without_reference
    window = f"settle window {survey.target.settle_window:g} s"
    return {
        "guarantee": "server-enforced unique references" if by_server else window,
        "batch": survey.limits.batch_size or BATCH,
    }


def _problem(survey: Survey, verdict: QueueVerdict) -> str:
    """Why no item of the queue can be copied; empty when some can."""
    if verdict.step.verdict is Verdict.BLOCKED:
        return "its queue is blocked"
    source, target = survey.source, survey.target
    missing = lacks(source, source.queues, Feature.QUEUE_ITEMS)
    if missing:
        return f"the source {missing}, so that its items cannot be read"
    missing = lacks(target, target.queues, Feature.QUEUE_ADD_MANY, Feature.QUEUE_ITEMS)
    return f"the target {missing}, so that items cannot be put there and found again" if missing else ""


def _tell_of_others(survey: Survey, queue: str, stats: Stats) -> None:
    others = [f"{number} {state}" for state, number in sorted(stats.items()) if number and state is not ItemState.NEW]
    if others:
        number = sum(count for state, count in stats.items() if state is not ItemState.NEW)
        survey.left_behind.append(f"{plural(number, 'item')} of queue {queue!r} that are not new: {', '.join(others)}")
