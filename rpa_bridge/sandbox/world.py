"""What all faces of a sandbox share: time, ids, faults, switches, and the list of what was asked."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable
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

    @property
    def frozen(self) -> bool:
        """Whether time moves only by `advance`."""
        return self._frozen is not None

    def advance(self, seconds: float) -> None:
        """Moves time on."""
        self._offset += timedelta(seconds=seconds)

    def set(self, at: datetime) -> None:
        """Makes it `at` now; a frozen clock stays frozen."""
        self._offset += at - self.now()

    def freeze(self, at: datetime | None = None) -> None:
        """Stops time, at `at` or where it stands."""
        self._frozen, self._offset = at or self.now(), timedelta(0)

    def thaw(self) -> None:
        """Lets time run on from where it stands."""
        if self._frozen is not None:
            now, self._frozen = self.now(), None
            self._offset = now - datetime.now(UTC)

    def dump(self) -> dict[str, Any]:
        """Its state, as JSON can hold it."""
        return {"offset": self._offset.total_seconds(), "frozen": self._frozen and self._frozen.isoformat()}

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self._offset = timedelta(seconds=state["offset"])
        self._frozen = datetime.fromisoformat(state["frozen"]) if state["frozen"] else None


MOST_EXCHANGES = 20_000
"""Beyond this the oldest is forgotten."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request that reached a face, and what became of it. Credentials are not kept."""

    number: int
    at: datetime
    face: str
    method: str
    path: str
    """Percent-encoded, with its query; what is a credential in it is masked."""
    headers: dict[str, str] = field(default_factory=dict)
    """Lower-case names; of Authorization and token only that they were there."""
    body: str = ""
    """Its first 64 KiB; masked where it held credentials, empty for an upload."""
    status: int | None = None
    """None while it runs, or when the connection was cut."""
    executed: bool = False
    """Whether the face carried it out, whatever the client then heard; False when the face refused it."""
    executed_at: datetime | None = None
    """When it did; for a late one that is after `at`."""


@dataclass(frozen=True, slots=True)
class Late:
    """A request that is still on its way, though its client has given it up."""

    due: datetime
    carry_out: Callable[[], Awaitable[None]]


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
    late: list[Late] = field(default_factory=list)
    """What is still on its way; it is lost when the sandbox ends or is reset."""
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

    def note(self, exchange: Exchange) -> None:
        """Keeps a request in the list."""
        self.exchanges.append(exchange)
        if len(self.exchanges) > MOST_EXCHANGES:
            del self.exchanges[0]

    async def deliver(self) -> None:
        """Carries out the late requests that are due by now, oldest first.

        Whatever reaches a face, or the control, does this first: nobody can see that it was not done on time.
        """
        while due := [one for one in self.late if one.due <= self.clock.now()]:
            first = min(due, key=lambda one: one.due)
            self.late.remove(first)
            await first.carry_out()

    def dump(self) -> dict[str, Any]:
        """What must outlive the process so that no id or token is given out twice: as JSON can hold it."""
        version, numbers, gauss = self.random.getstate()
        return {
            "clock": self.clock.dump(),
            "switches": dict(self.switches),
            "counters": dict(self.counters),
            "random": [version, list(numbers), gauss],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what `dump` gave."""
        version, numbers, gauss = state["random"]
        self.random.setstate((version, tuple(numbers), gauss))
        self.clock.load(state["clock"])
        self.switches = dict(state["switches"])
        self.counters = dict(state["counters"])

    def forget(self) -> None:
        """Drops orders and records: faults, the jobs' lifecycle, the list of requests, and what is on its way."""
        self.faults.clear()
        self.late.clear()
        self.lifecycle = Lifecycle()
        self.exchanges.clear()
