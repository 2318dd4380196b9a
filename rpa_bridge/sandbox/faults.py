"""Bad days on order: which request fails, how, and whether it was carried out before."""

from __future__ import annotations

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
    """Before or after the face has carried the request out."""

    BEFORE = "before"
    AFTER = "after"


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

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:
            raise ValueError("a fault's status must be from 200 to 599")
        if min(self.times, self.skip, self.seconds) < 0:
            raise ValueError("a fault's times, skip and seconds must not be negative")


@dataclass
class FaultPlan:
    """The faults on order; each is used up."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Orders a fault."""
        self.faults.append(fault)

    def clear(self) -> None:
        """Cancels all orders."""
        self.faults.clear()

    def take(self, line: str) -> Fault | None:
        """The fault for this request line, used up by one; None for a good day."""
        for fault in self.faults:
            if fault.times < 1 or not fnmatchcase(line, fault.match):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
