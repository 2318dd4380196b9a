"""Whether a failed request may be sent again. The one place where that is decided; the only file that knows tenacity.

The first attempt runs without tenacity in its way: it costs a third of a call's time even when nothing fails.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rpa_bridge.clock import Clock
from rpa_bridge.errors import (
    AuthError,
    BridgeError,
    Delivery,
    DeniedError,
    RateLimitedError,
    RemoteError,
    UnavailableError,
)

from .base import Effect, Request, Response, Transport
from .call import CURRENT, LEAST_TIME, Call
from .options import HttpOptions
from .retry_budget import RetryBudget

if TYPE_CHECKING:
    from tenacity import RetryCallState

LOG = logging.getLogger("rpa_bridge.retry")
LONGEST_PAUSE = 20.0
"""Seconds between two attempts, unless the platform asks for more."""
FIRST_PAUSE = 0.5
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
_SAY_NOTHING_OF_OTHERS = (RateLimitedError, AuthError, DeniedError)
"""Decided before anything is looked at: another attempt of the same request may have been carried out."""
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

    def __init__(self, inner: Transport, clock: Clock, rng: random.Random, options: HttpOptions | None = None) -> None:
        self._inner, self._clock, self._random = inner, clock, rng
        self._seconds = {effect: _deadline(effect, options or HttpOptions()) for effect in Effect}
        self._budgets: defaultdict[str, RetryBudget] = defaultdict(RetryBudget)

    async def send(self, request: Request) -> Response:
        call = Call(self._clock, self._seconds[request.effect])
        before = CURRENT.set(call)
        try:
            try:
                response = await self._inner.send(request)
            except RemoteError as error:
                if error.attempts == 0:  # it was held back: nothing was attempted
                    raise
                self._budgets[request.server].earn()
                if request.spent or not may_repeat(request.effect, error):
                    raise
                first = error
            else:
                self._budgets[request.server].earn()
                return response
            return await self._send_again(_Attempts(self._inner, request, first, call, self._budgets[request.server]))
        finally:
            CURRENT.reset(before)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _send_again(self, attempts: _Attempts) -> Response:
        from tenacity import AsyncRetrying, retry_if_exception  # here: most programs fail never, and start sooner

        operation = attempts.request.operation
        retrying = AsyncRetrying(
            sleep=self._clock.sleep,
            stop=attempts.are_enough,
            wait=self._pause,
            retry=retry_if_exception(attempts.may_go_on),
            before_sleep=lambda state: LOG.info(
                "%s: attempt %d failed, trying again in %.1f s", operation, state.attempt_number, state.upcoming_sleep
            ),
            reraise=True,
        )
        try:
            return await retrying(attempts.next)
        except BridgeError as error:
            told = attempts.complete(error)
            if told is error:
                raise
            raise told from None
        except asyncio.CancelledError:
            attempts.tell()
            raise

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RemoteError) and error.retry_after is not None:
            return error.retry_after * (1 + self._random.uniform(0, JITTER))
        return self._random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**state.attempt_number))


class _Attempts:
    """All attempts of one call whose first has failed."""

    def __init__(self, inner: Transport, request: Request, first: RemoteError, call: Call, budget: RetryBudget) -> None:
        self.request = request
        self._inner, self._call, self._budget = inner, call, budget
        self._last, self._number = first, 0
        self._may_have_happened = self._is_uncertain(first)
        self._is_over = self._is_too_much = False

    async def next(self) -> Response:
        """Makes the next attempt. Raises what it fails with."""
        self._number += 1
        if self._number == 1:
            raise self._last  # it has been made already, outside tenacity
        self._call.departed = False
        try:
            return await self._inner.send(self.request)
        except RemoteError as error:
            if error.attempts == 0:  # it was held back: what went wrong before says more
                self._is_over = True
                raise self._last from None
            error.attempts = self._number
            self._may_have_happened |= self._is_uncertain(error)
            self._last = error
            raise

    def may_go_on(self, error: BaseException) -> bool:
        """Whether the failure allows another attempt."""
        return not self._is_over and not self.request.spent and may_repeat(self.request.effect, error)

    def are_enough(self, state: RetryCallState) -> bool:
        """Whether attempts, time or budget are used up; else takes one out of the budget."""
        most = PATIENCE[self.request.effect].attempts
        if state.attempt_number >= most or state.upcoming_sleep > self._call.seconds_left - LEAST_TIME:
            return True
        self._is_too_much = not self._budget.spend(after_429=isinstance(self._last, RateLimitedError))
        return self._is_too_much

    def complete(self, error: BridgeError) -> BridgeError:
        """The failure, telling of all attempts, not only of the last."""
        if not self._may_have_happened:
            told: BridgeError = error
        elif isinstance(error, RemoteError):
            told = error
            error.uncertain_before = True
            if error.delivery is Delivery.NOT_SENT or isinstance(error, _SAY_NOTHING_OF_OTHERS):
                error.delivery = Delivery.MAYBE
        else:  # such as a certificate that is not trusted any more: of this attempt, nothing was sent
            told = UnavailableError(str(error), operation=self.request.operation, attempts=self._number)
            told.retryable = False
        if self._is_too_much:
            told.args = (f"{told}; too many attempts failed lately, so that it was not sent again",)
        return told

    def tell(self) -> None:
        """Logs for a cancelled call what nobody else has told."""
        if self._may_have_happened and not self._call.told:
            LOG.warning(
                "%s: cancelled before it was sent again; an earlier attempt may have been carried out",
                self.request.operation,
            )

    def _is_uncertain(self, error: RemoteError) -> bool:
        return error.maybe_applied and self.request.effect is not Effect.READ


def _deadline(effect: Effect, options: HttpOptions) -> float:
    """Seconds for a call: no less than what the settings allow one attempt."""
    attempt = options.timeout if effect in _REPEATABLE_WHEN_UNSURE else options.effect_timeout
    return max(PATIENCE[effect].deadline, attempt)
