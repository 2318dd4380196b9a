"""What a request is, and the one method behind which the network stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol


class Effect(StrEnum):
    """What sending a request twice would do. Known to whoever writes the call, never to the HTTP verb."""

    READ = "read"
    """Changes nothing."""
    SET = "set"
    """Leads to the same end when repeated: replace a whole object, delete by id."""
    KEYED = "keyed"
    """The platform itself refuses a second one with our key."""
    FINDABLE = "findable"
    """The platform keeps our key, so that a look-up can tell whether it happened."""
    BLIND = "blind"
    """Cannot be found again: never repeated after an uncertain end."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent.

    `effect` has no default: BotMaestro's "pull" is a GET that reserves an item.
    """

    method: str
    path: str
    """Percent-encoded path below the connection's origin, or an absolute address (then nothing is signed)."""
    _: KW_ONLY
    effect: Effect
    operation: str
    """A name for logs and errors, such as "jobs.start"."""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    signed: bool = True
    """False for log-in calls: no token is fetched or attached."""
    timeout: float | None = None
    """Seconds for one attempt; None takes the connection's."""
    time_left: float | None = None
    """Seconds that remain for all attempts together: this one may not take longer. Set by the layer that repeats."""

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The same request with these headers added or replaced."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, read to its end."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty when not given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport(Protocol):
    """Anything that can send a request: the network, a layer round it, or a test."""

    async def send(self, request: Request) -> Response:
        """The answer. Raises RemoteError when there is none that can be used."""

    async def aclose(self) -> None:
        """Give back what is held open."""
