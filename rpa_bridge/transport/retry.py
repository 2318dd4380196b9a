"""Whether a failed request may be sent again. The one place where that is decided; the only file that knows tenacity.

The first attempt runs without tenacity in its way: it costs a third of a call's time even when nothing fails.
"""

from __future__ import annotations

import itertools
import logging
import random
from dataclasses import dataclass, replace

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from rpa_bridge.clock import Clock
from rpa_bridge.errors import Delivery, RateLimitedError, RemoteError

from .base import Effect, Request, Response, Transport

LOG = logging.getLogger("rpa_bridge.retry")
LONGEST_PAUSE = 20.0
"""Seconds between two attempts, unless the platform asks for more."""
FIRST_PAUSE = 0.5
LEAST_TIME = 0.25
"""Seconds that must remain for another attempt to be worth it."""
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and for how many seconds in all, a request is tried."""

    attempts: int
    deadline: float


PATIENCE = {
    Effect.READ: Patience(5, 60.0),
    Effect.SET: Patience(5, 60.0),
    Effect.KEYED: Patience(6, 120.0),
    Effect.FINDABLE: Patience(5, 180.0),
    Effect.BLIND: Patience(5, 180.0),
}
_REPEATABLE_WHEN_UNSURE = frozenset({Effect.READ, Effect.SET, Effect.KEYED})


def may_repeat(effect: Effect, error: BaseException) -> bool:
    """Whether the same request may be sent again after this failure.

    ========== ======== ============ ================= =======
    effect     NOT_SENT REFUSED, 429 REFUSED otherwise MAYBE
    ========== ======== ============ ================= =======
    READ, SET  yes      yes          no                yes
    KEYED      yes      yes          no                yes: the platform refuses a second one
    FINDABLE   yes      yes          no                no: the adapter looks it up
    BLIND      yes      yes          no                no
    ========== ======== ============ ================= =======

    A failure that trying again cannot mend (`retryable` is False) is never repeated.
    """
    if not isinstance(error, RemoteError) or not error.retryable:
        return False
    if error.delivery is Delivery.NOT_SENT:
        return True
    if error.delivery is Delivery.REFUSED:
        return isinstance(error, RateLimitedError)
    return effect in _REPEATABLE_WHEN_UNSURE


class Retry:
    """Sends again what may be sent again, after a growing pause or as long as the platform asked."""

    def __init__(self, inner: Transport, clock: Clock, rng: random.Random) -> None:
        self._inner, self._clock, self._random = inner, clock, rng

    async def send(self, request: Request) -> Response:
        started = self._clock.monotonic()
        try:
            return await self._inner.send(request)
        except RemoteError as error:
            if request.spent or not may_repeat(request.effect, error):
                raise
            first = error
        return await self._send_again(request, first, started)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _send_again(self, request: Request, first: RemoteError, started: float) -> Response:
        patience = PATIENCE[request.effect]
        numbers = itertools.count(1)

        def time_left() -> float:
            return patience.deadline - (self._clock.monotonic() - started)

        async def attempt() -> Response:
            number = next(numbers)
            if number == 1:
                raise first  # it has been made already, outside tenacity
            try:
                return await self._inner.send(replace(request, time_left=time_left()))
            except RemoteError as error:
                error.attempts = number
                raise

        def enough(state: RetryCallState) -> bool:
            return state.attempt_number >= patience.attempts or state.upcoming_sleep > time_left() - LEAST_TIME

        retrying = AsyncRetrying(
            sleep=self._clock.sleep,
            stop=enough,
            wait=self._pause,
            retry=retry_if_exception(lambda error: not request.spent and may_repeat(request.effect, error)),
            before_sleep=lambda state: LOG.info(
                "%s: attempt %d failed, trying again in %.1f s",
                request.operation,
                state.attempt_number,
                state.upcoming_sleep,
            ),
            reraise=True,
        )
        return await retrying(attempt)

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RemoteError) and error.retry_after is not None:
            return error.retry_after * (1 + self._random.uniform(0, JITTER))
        return self._random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**state.attempt_number))
