"""A plan: what a migration will do, as a document that people review and programs carry out. It holds no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from rpa_bridge.errors import MigrationError

from .canonical import hash_of

FORMAT = "rpa-bridge.plan/1"


class Kind(StrEnum):
    """What a step is about, in the order in which steps are carried out."""

    QUEUE = "queue"
    """A queue's definition."""
    ITEMS = "items"
    """The new items of a queue."""
    ASSET = "asset"
    CREDENTIAL = "credential"
    ARTIFACTS = "artifacts"
    """The files of one container, or of none."""


class Verdict(StrEnum):
    """What becomes of it."""

    COPY = "copy"
    ADAPT = "adapt"
    """Copied with a loss, which is told."""
    SKIP = "skip"
    BLOCKED = "blocked"
    """It cannot be copied as things are."""
    MANUAL = "manual"
    """A person must supply something, or do it."""


class Conflict(StrEnum):
    """What to do with a thing that the target has already."""

    FAIL = "fail"
    SKIP = "skip"
    """Leave it as it is. Items still go into a queue that is left as it is."""
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One end of a migration."""

    connection: str
    adapter: str
    place: str
    """The platform, and the part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing, or the many of one queue or container, and what becomes of it."""

    kind: Kind
    name: str
    """At the source: a queue, an asset, a credential, or a container; "" for files without one."""
    to: str
    """Its name at the target."""
    verdict: Verdict
    reason: str = ""
    """Why it is skipped, blocked or left to a person: one sentence with the mend."""
    losses: tuple[str, ...] = ()
    """What an adapted one loses, a sentence each."""
    exists: bool = False
    """Whether the target has it already."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What it will be at the target, as its kind needs it; never a value of an asset or a credential."""
    count: int = 1
    """Items or files that will go."""
    bytes: int = 0
    digest: str = ""
    """Of what is at the source, to tell whether it has changed since; knows no order."""
    blocked: int = 0
    """Items or files that cannot go."""
    examples: tuple[str, ...] = ()
    """Some of those, a sentence each."""

    @property
    def goes(self) -> bool:
        """Whether something of it is carried out."""
        return self.verdict in (Verdict.COPY, Verdict.ADAPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What it will cost, from the vendors' budgets: one pass to copy and one to verify."""

    lists: int
    """Requests that list things."""
    calls: int
    """All others."""
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a migration will do. The same source, target, selection and rules give the same plan, but for `made_at`."""

    made_at: datetime
    tool: str
    """The version of rpa_bridge that made it."""
    source: Side
    target: Side
    select: dict[str, Any]
    rules: dict[str, Any]
    conflicts: dict[str, Conflict]
    """By kind."""
    steps: tuple[Step, ...]
    live: tuple[str, ...] = ()
    """What is at work at the source and must be paused first, a sentence each."""
    warnings: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    """What no plan between these two can carry, a sentence each."""
    estimate: Estimate = Estimate(lists=0, calls=0, minutes=0.0)

    @property
    def id(self) -> str:
        """What the journal knows it by: another plan has another."""
        body = self.as_json()
        return "m-" + hash_of({name: body[name] for name in body if name not in ("id", "made_at", "tool")})[:16]

    def mark_prefix(self, queue: str) -> str:
        """What the marks of all items begin with that were moved this way into this queue, by whatever plan."""
        sides = [[one.adapter, one.place] for one in (self.source, self.target)]
        return f"rb-{hash_of([*sides, queue])[:16]}/"

    def as_json(self) -> dict[str, Any]:
        """The document, without its id."""
        return {
            "format": FORMAT,
            "made_at": self.made_at.isoformat(),
            "tool": self.tool,
            "source": _members(self.source),
            "target": _members(self.target),
            "select": self.select,
            "rules": self.rules,
            "conflicts": {kind: str(what) for kind, what in self.conflicts.items()},
            "live": list(self.live),
            "warnings": list(self.warnings),
            "left_behind": list(self.left_behind),
            "estimate": _members(self.estimate),
            "steps": [_step_members(one) for one in self.steps],
        }

    def dumps(self) -> str:
        """The document as a text for files: indented, in a stable order."""
        return json.dumps({"id": self.id, **self.as_json()}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def loads(cls, text: str) -> Self:
        """The plan of a text. Raises MigrationError for one that is no plan, or was changed by hand."""
        try:
            body = json.loads(text)
            if body["format"] != FORMAT:
                raise MigrationError(f"the plan is of format {body['format']!r}, not {FORMAT!r}; plan again")
            plan = cls._of(body)
            known = body["id"]
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            raise MigrationError("this is no plan of `rpa-bridge migrate plan`; name the file that it wrote") from None
        if known != plan.id:
            raise MigrationError("the plan was changed after it was made; change the rules instead, and plan again")
        return plan

    @classmethod
    def _of(cls, body: dict[str, Any]) -> Self:
        return cls(
            made_at=datetime.fromisoformat(body["made_at"]),
            tool=body["tool"],
            source=Side(**body["source"]),
            target=Side(**body["target"]),
            select=body["select"],
            rules=body["rules"],
            conflicts={kind: Conflict(what) for kind, what in body["conflicts"].items()},
            steps=tuple(_step(one) for one in body["steps"]),
            live=tuple(body["live"]),
            warnings=tuple(body["warnings"]),
            left_behind=tuple(body["left_behind"]),
            estimate=Estimate(**body["estimate"]),
        )


def _members(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


def _step_members(step: Step) -> dict[str, Any]:
    """Without what says nothing, for those who read it."""
    given = _members(step) | {"losses": list(step.losses), "examples": list(step.examples)}
    always = ("kind", "name", "to", "verdict", "count")
    return {name: value for name, value in given.items() if name in always or value not in ("", 0, False, [], {})}


def _step(body: dict[str, Any]) -> Step:
    lists = {name: tuple(body.get(name, ())) for name in ("losses", "examples")}
    return Step(**(body | lists | {"kind": Kind(body["kind"]), "verdict": Verdict(body["verdict"])}))
