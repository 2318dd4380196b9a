"""What all verdicts are reached with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Generic, TypeVar

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.features import Feature, Limits, Service
from rpa_bridge.contract.model import Named
from rpa_bridge.migration.canonical import add_up
from rpa_bridge.migration.documents import Conflict, Kind, Step, Verdict
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.running import Progress
from rpa_bridge.migration.selection import Picker, Selection
from rpa_bridge.redaction import REDACTOR

T = TypeVar("T", bound=Named)

STAGE = "planning"
MOST_EXAMPLES = 5
"""Things that a step names of those that cannot go."""
TOLD = 500
"""After so many things it is told how far the reading is, and hashes are added up."""


@dataclass(slots=True, kw_only=True)
class Survey:
    """Both ends while a plan is made, and what is to be told of them."""

    source: Adapter
    target: Adapter
    select: Selection
    rules: Rules
    on_progress: Callable[[Progress], None]
    warnings: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def limits(self) -> Limits:
        """The target's."""
        return self.target.capabilities.limits

    @property
    def is_one_place(self) -> bool:
        """Whether both ends are the same part of the same platform."""
        sides = [(one.info.name, one.place) for one in (self.source, self.target)]
        return self.source is self.target or (bool(self.source.place) and sides[0] == sides[1])

    def policy(self, kind: Kind) -> Conflict:
        """What to do with a thing of this kind that the target has already."""
        return self.rules.by_kind[kind]

    def is_readable(self, service: Service, *features: Feature) -> bool:
        """Whether the source has the noun and these verbs; warns where it does not."""
        missing = lacks(self.source, service, *features)
        if missing:
            self.warnings.append(f"the source {missing}, so that none are copied")
        return not missing

    def tell(self, subject: str, done: int) -> None:
        """Tells whoever listens how much has been read."""
        self.on_progress(Progress(stage=STAGE, subject=subject, done=done, total=None))

    def warn_of_unused(self, what: str, picker: Picker, rules: Picker) -> None:
        """Warns of patterns that have fitted nothing."""
        for pattern in picker.unused:
            self.warnings.append(f"none of the source's {what} fits the pattern {pattern!r}")
        for pattern in rules.unused:
            self.warnings.append(f"the rule for {what} {pattern!r} fits nothing that was selected")


class Sum:
    """Adds digests up as they come."""

    def __init__(self) -> None:
        self._total, self._waiting = "", list[str]()

    def add(self, digest: str) -> None:
        """Adds one."""
        self._waiting.append(digest)
        if len(self._waiting) >= TOLD:
            self._total = self.total
            self._waiting.clear()

    @property
    def total(self) -> str:
        """The sum so far."""
        return add_up(self._total, self._waiting)


def lacks(adapter: Adapter, service: Service, *features: Feature) -> str:
    """What the platform is missing, as the rest of a sentence; empty when it is all there."""
    if service.is_absent:
        return f"({adapter.info.title}) has no {service.noun}"
    missing = [feature for feature in features if feature not in adapter.capabilities]
    return f"({adapter.info.title}) does not support {', '.join(missing)}" if missing else ""


class ByName(Generic[T]):
    """Things of one kind by name; where none has the very name, one that differs in case: many platforms mind not."""

    def __init__(self, things: Iterable[T]) -> None:
        self._exact = {one.name: one for one in things}
        self._folded = {name.casefold(): one for name, one in self._exact.items()}

    def get(self, name: str) -> T | None:
        """The thing of this name; None where there is none."""
        return self._exact.get(name) or self._folded.get(name.casefold())


def blocked(step: Step, reason: str) -> Step:
    """The step as one that cannot be carried out as things are."""
    return replace(step, verdict=Verdict.BLOCKED, reason=REDACTOR.line(reason))


def manual(step: Step, reason: str) -> Step:
    """The step as one that is left to a person."""
    return replace(step, verdict=Verdict.MANUAL, reason=reason)


def skipped(step: Step, reason: str) -> Step:
    """The step as one that is not carried out, because there is no need."""
    return replace(step, verdict=Verdict.SKIP, reason=reason)


def going(step: Step, losses: Iterable[str]) -> Step:
    """The step as one that is carried out, with what is lost by it."""
    told = tuple(losses)
    return replace(step, verdict=Verdict.ADAPT if told else Verdict.COPY, losses=told)


def in_the_way(kind: str, noun: str, name: str) -> str:
    """The sentence for a thing that the target has already."""
    return (
        f"the target has {kind} {name!r} already; give it another name with the rule {noun}.rename, "
        f'or set conflicts.{noun} to "skip" or "replace"'
    )


def short_hash(text: str) -> int:
    """Eight bytes that tell texts apart: of a million, two are mistaken for one once in thirty million times."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def counted(sentences: Mapping[str, int], noun: str) -> tuple[str, ...]:
    """The sentences in a stable order, each with how many things it is about."""
    return tuple(f"{one} ({plural(number, noun)})" for one, number in sorted(sentences.items()))


def plural(number: int, noun: str) -> str:
    """Such as "1 item" and "2 items"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
