"""What all faces of a sandbox share: time, ids, faults, switches, and the list of what was asked."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .faults import FaultPlan
from .lifecycle import Lifecycle


class SandboxClock:
    """The machine's time plus an offset that tests move; frozen on request."""

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """The sandbox's time, aware, in UTC."""
        return (self._frozen or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        """Moves time on."""
        self._offset += timedelta(seconds=seconds)

    def freeze(self, at: datetime | None = None) -> None:
        """Stops time, at `at` or where it stands."""
        self._frozen, self._offset = at or self.now(), timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request that reached a face, and what became of it. Credentials are not kept."""

    number: int
    at: datetime
    face: str
    method: str
    path: str
    """Percent-encoded, with its query."""
    headers: dict[str, str] = field(default_factory=dict)
    """Lower-case names; of Authorization and token only that they were there."""
    body: str = ""
    status: int | None = None
    """None while it runs, or when the connection was cut."""
    executed: bool = False
    """Whether the face carried it out, whatever the client then heard."""


@dataclass
class World:
    """One sandbox's surroundings. Everything random comes from `seed`."""

    seed: int = 0
    clock: SandboxClock = field(default_factory=SandboxClock)
    faults: FaultPlan = field(default_factory=FaultPlan)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    switches: dict[str, Any] = field(default_factory=dict)
    """What the facts call a guess, by "face.name"; faces read it with `switch` and document their own."""
    exchanges: list[Exchange] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - ids of a sandbox, not secrets

    def next_id(self, kind: str, first: int = 1) -> int:
        """The next number of this kind."""
        self.counters[kind] = self.counters.get(kind, first - 1) + 1
        return self.counters[kind]

    def new_uuid(self) -> str:
        """A UUID from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_token(self, prefix: str = "sandbox") -> str:
        """An opaque token from the seed, unique in this world."""
        return f"{prefix}-{self.next_id('token')}-{self.random.getrandbits(160):040x}"

    def switch(self, name: str, default: Any) -> Any:
        """How this sandbox decides a question that the facts leave open."""
        return self.switches.get(name, default)
