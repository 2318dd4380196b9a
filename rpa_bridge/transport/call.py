"""One call of a verb's request, with all its attempts, pauses and waits: until when it may go on.

It stands in a context variable, so that every layer, and every task that a layer starts, finds the call it works for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.errors import Delivery, InvalidError, UnavailableError

from .base import Request, Response, Transport

LEAST_TIME = 0.25
"""Seconds that must remain for an attempt to be worth it."""


class Call:
    """What the layers of one call tell each other."""

    __slots__ = ("_clock", "_ends", "_under", "departed", "told")

    def __init__(self, clock: Clock, seconds: float) -> None:
        """It ends after so many seconds, or with the deadline that it was made under."""
        self._clock = clock
        self._under = under = CURRENT.get()
        self._ends = clock.monotonic() + (seconds if under is None else min(seconds, under.seconds_left))
        self.departed = False
        """Whether the exchange under way has a connection: from then on the request may be on its way."""
        self.told = False
        """Whether a cancellation has been told with what may have happened."""

    @property
    def seconds_left(self) -> float:
        """Negative when it should be over."""
        return self._ends - self._clock.monotonic()

    @property
    def seconds_given(self) -> float:
        """What is left of the deadline that it was made under; infinite without one."""
        return math.inf if self._under is None else self._under.seconds_left


class _Given(Call):
    """The deadline of a block: there is no call yet."""

    __slots__ = ()

    @property
    def seconds_given(self) -> float:
        return self.seconds_left


CURRENT: ContextVar[Call | None] = ContextVar("rpa_bridge_call", default=None)


@contextmanager
def deadline(seconds: float, *, clock: Clock | None = None) -> Iterator[None]:
    """Whatever is called in the block ends in so many seconds: with its result, or with an error.

    The error says what may have happened: UnavailableError or RateLimitedError with `delivery`, OutcomeUnknownError, or
    for `jobs.wait` WaitTimeoutError. Blocks may stand in one another; the earliest end counts. It holds until a
    download begins; each of its pieces has a limit of its own. `clock` is for tests. Raises InvalidError for less than
    nothing.
    """
    if not seconds > 0:
        raise InvalidError(f"a deadline must be more than 0 seconds, not {seconds}", delivery=Delivery.NOT_SENT)
    before = CURRENT.set(_Given(clock or SystemClock(), seconds))
    try:
        yield
    finally:
        CURRENT.reset(before)


_APART: ContextVar[bool] = ContextVar("rpa_bridge_apart", default=False)


@contextmanager
def apart() -> Iterator[None]:
    """Each read in the block gets a connection of its own, as each effect does.

    For looks on which it depends whether an effect is repeated: on a shared connection a late, doubled answer to
    somebody else's question can pass for ours, and an empty list for "it is not there".
    """
    before = _APART.set(True)
    try:
        yield
    finally:
        _APART.reset(before)


def is_apart() -> bool:
    """Whether the current read must not share a connection."""
    return _APART.get()


def seconds_left() -> float:
    """Of the current call or deadline; infinite where there is none."""
    call = CURRENT.get()
    return math.inf if call is None else call.seconds_left


def seconds_given() -> float:
    """What is left of the deadline that the caller gave, whatever the limits of the call itself."""
    call = CURRENT.get()
    return math.inf if call is None else call.seconds_given


def at_most(seconds: float, *, spare: float = 0.0) -> float:
    """The seconds, or what is left but for the spare ones, where that is less."""
    left = seconds_left() - spare
    return seconds if seconds <= left else max(0.0, round(left, 2))


def time_for_attempt(operation: str) -> float:
    """The seconds that are left. Raises UnavailableError when they are too few for an attempt."""
    left = seconds_left()
    if left < LEAST_TIME:
        raise _over(operation, "the deadline is over")
    return left


@asynccontextmanager
async def in_time(operation: str, reason: str) -> AsyncIterator[None]:
    """Ends a wait before anything is sent when too little time is left. Raises UnavailableError with the reason."""
    left = seconds_left()
    if left == math.inf:
        yield
        return
    limit = asyncio.timeout(max(0.0, left - LEAST_TIME))
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        late = _over(operation, f"the deadline came while {reason}")
    else:
        return
    raise late


def _over(operation: str, sentence: str) -> UnavailableError:
    return UnavailableError(
        f"{operation}: {sentence}, so that nothing was sent; give it more time, or ask for less at once",
        operation=operation,
        delivery=Delivery.NOT_SENT,
        attempts=0,
    )


class Unhurried:
    """Sends without the deadline of whoever happens to wait: a log-in serves all callers, and has limits of its own."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response:
        before = CURRENT.set(None)
        try:
            return await self._inner.send(request)
        finally:
            CURRENT.reset(before)

    async def aclose(self) -> None:
        await self._inner.aclose()
