"""Bad days on order: which request fails, how, and whether and when it is carried out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """Answers `status` with `headers` and `body`."""
    HTML = "html"
    """Answers 200 with a web page."""
    CUT = "cut"
    """Closes the connection without an answer."""
    TRUNCATE = "truncate"
    """Announces the whole answer, sends half of it, and closes the connection; an answer without a body is cut."""
    HANG = "hang"
    """Does not answer until the client gives up, or `seconds` are over; then closes the connection."""


class When(StrEnum):
    """Where in the fault the face carries the request out."""

    BEFORE = "before"
    """It fails before, and is not carried out."""
    AFTER = "after"
    """It was carried out, and nobody hears of it."""
    LATE = "late"
    """It fails at once, and is carried out `delay` seconds later: it lives on in a gateway after its client gave up."""


@dataclass
class Fault:
    """One thing that goes wrong, `times` times, for requests that match."""

    kind: FaultKind
    match: str = "*"
    """Shell pattern on "METHOD /path?query", percent-encoded as sent."""
    when: When = When.BEFORE
    times: int = 1
    skip: int = 0
    """Matching requests that are let through first."""
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 60.0
    delay: float = 30.0
    """Of a late one, by the sandbox's clock."""

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:
            raise ValueError("a fault's status must be from 200 to 599")
        if min(self.times, self.skip, self.seconds, self.delay) < 0:
            raise ValueError("a fault's times, skip, seconds and delay must not be negative")


@dataclass
class Chaos:
    """Bad luck: each request that matches fails with this probability, in a way that is drawn from the seed.

    It is answered a 429, a 5xx or a web page, cut off, or answered by half; a 429 always means that it was not
    carried out, and anything else leaves that open. Late ones are carried out within `longest_delay` seconds.
    """

    probability: float
    match: str = "*"
    seed: int = 0
    longest_delay: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError("the probability of chaos must be from 0 to 1")
        if self.longest_delay < 0:
            raise ValueError("the longest delay of chaos must not be negative")
        self._random = random.Random(self.seed)  # noqa: S311 - it repeats a run, and guards nothing

    def draw(self, line: str) -> Fault | None:
        """What goes wrong with this request; None for a good day."""
        draw = self._random
        if not fnmatchcase(line, self.match) or draw.random() >= self.probability:
            return None
        kind, status = draw.choice(_MISFORTUNES)
        if status == TOO_MANY:
            return Fault(kind, status=status, headers={"Retry-After": str(draw.randint(0, 3))})
        when, delay = draw.choice(list(When)), draw.uniform(0, self.longest_delay)
        return Fault(kind, when=when, status=status, delay=delay)


TOO_MANY = 429
_MISFORTUNES = (
    (FaultKind.STATUS, TOO_MANY),
    (FaultKind.STATUS, 500),
    (FaultKind.STATUS, 502),
    (FaultKind.STATUS, 503),
    (FaultKind.STATUS, 504),
    (FaultKind.CUT, 503),
    (FaultKind.CUT, 503),
    (FaultKind.TRUNCATE, 503),
    (FaultKind.HTML, 503),
)
"""What chaos draws from: a kind, and a status where it answers with one. Hanging would take real time."""


@dataclass
class FaultPlan:
    """The faults on order, each of which is used up; and the chaos that goes on until it is ended."""

    faults: list[Fault] = field(default_factory=list)
    chaos: Chaos | None = None

    def add(self, fault: Fault) -> None:
        """Orders a fault."""
        self.faults.append(fault)

    def clear(self) -> None:
        """Cancels all orders, and ends the chaos."""
        self.faults.clear()
        self.chaos = None

    def take(self, line: str) -> Fault | None:
        """The fault for this request line, used up by one: what was ordered, else what chaos brings; None for none."""
        fault = self._ordered(line)
        if fault is None and self.chaos is not None:
            return self.chaos.draw(line)
        return fault

    def _ordered(self, line: str) -> Fault | None:
        for fault in self.faults:
            if fault.times < 1 or not fnmatchcase(line, fault.match):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
