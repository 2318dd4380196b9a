"""After an uncertain answer: look, do not repeat."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rpa_bridge.clock import Clock
from rpa_bridge.errors import (
    BridgeError,
    ConflictError,
    Delivery,
    OutcomeUnknownError,
    RemoteError,
    UnavailableError,
)

from .call import apart, at_most

T = TypeVar("T")
LOG = logging.getLogger("rpa_bridge.reconcile")
SETTLE_WINDOW = 120.0
"""Seconds in which a request that seemed lost may still be carried out: longer than any gateway holds one."""
LOOKS = (0.5, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds after the failure at which to look; then every 60 s, and once at the end of the window."""
LAST_LOOK = 1.0
"""Seconds of a deadline that are kept for the look at its end."""


async def once(
    send: Callable[[], Awaitable[T]],
    look_up: Callable[[], Awaitable[T | None]],
    *,
    clock: Clock,
    operation: str,
    what: str,
    window: float = SETTLE_WINDOW,
) -> T:
    """What `send` did, even if its answer was lost: then it is looked up until the settle window is over.

    It is never sent a second time, and not looked for beyond a deadline. Raises OutcomeUnknownError when it was not
    found (`what` names the thing, and where a person can look for it), and the ConflictError of a look-up that found
    more than one, or somebody else's, as one that may have happened.
    """
    try:
        return await send()
    except RemoteError as error:
        if error.delivery is not Delivery.MAYBE:
            raise
        lost = error
    LOG.warning("%s: the answer is uncertain (%s); looking for %s", operation, type(lost).__name__, what)
    window = at_most(window, spare=LAST_LOOK)
    try:
        found = await _settle(look_up, clock, window)
    except ConflictError as error:  # it may be ours all the same, such as two of them: never told as "refused"
        error.delivery = Delivery.MAYBE
        raise
    except asyncio.CancelledError:
        LOG.warning("%s: cancelled while it looked for %s, which may be there; look before you repeat", operation, what)
        raise
    if found is not None:
        return found
    raise OutcomeUnknownError(
        f"{operation}: no usable answer came, and {what} was not found within {window:g} seconds; "
        f"look for it on the platform before you repeat",
        status=lost.status,
        code=lost.code,
        operation=operation,
        request_id=lost.request_id,
        attempts=lost.attempts,
    ) from None


async def wait_out(
    left: float, look_up: Callable[[], Awaitable[T | None]], *, clock: Clock, operation: str, what: str, window: float
) -> T | None:
    """What an earlier request made that may still be carried out for so many seconds; None once it no longer can.

    For whoever wants to send the same again: what `look_up` does not find may be on its way yet. Waits no longer than
    the window, or a deadline. Raises OutcomeUnknownError when the request can still come then, and what the last look
    raises.
    """
    if left > 0:
        LOG.warning("%s: an earlier request may still be carried out; looking for %s", operation, what)
        patience = at_most(min(left, window), spare=LAST_LOOK)
        found = await _settle(look_up, clock, patience)
        if found is not None:
            return found
        if patience < left:
            raise OutcomeUnknownError(
                f"{operation}: an earlier request may still be carried out, and {what} was not found within "
                f"{patience:g} seconds; try again in {math.ceil(left - patience)} seconds",
                operation=operation,
            )
    with apart():
        return await look_up()  # after it was settled, and answered: a look that fails is not "absent"


@contextmanager
def afterwards() -> Iterator[None]:
    """Round a look at what an effect has done: where the look fails, that must not sound as if nothing had been done.

    A ConflictError stays as it is: the look has seen something that needs a person.
    """
    try:
        yield
    except ConflictError:
        raise
    except RemoteError as error:
        error.delivery = Delivery.MAYBE
        raise
    except BridgeError as error:
        raise UnavailableError(str(error)) from None


@contextmanager
def blindly(what: str) -> Iterator[None]:
    """Round a request that can neither be repeated nor looked up: an uncertain end becomes OutcomeUnknownError.

    `what` says what may have happened, and where a person can look.
    """
    try:
        yield
    except RemoteError as error:
        if error.delivery is not Delivery.MAYBE:
            raise
        raise OutcomeUnknownError(
            f"{error.operation}: no usable answer came; {what}",
            status=error.status,
            code=error.code,
            operation=error.operation,
            request_id=error.request_id,
            attempts=error.attempts,
        ) from None


async def _settle(look_up: Callable[[], Awaitable[T | None]], clock: Clock, window: float) -> T | None:
    started = clock.monotonic()
    for moment in _moments(window):
        wait = moment - (clock.monotonic() - started)
        if wait < 0 and moment < window:
            continue  # the look before took that long
        await clock.sleep(max(0.0, wait))
        try:
            with apart():
                found = await look_up()
        except ConflictError:  # it looked, and what it saw needs a person: two of them, or somebody else's
            raise
        except BridgeError as error:  # a look-up that fails is not "absent", nor "not sent" when settings fail it
            LOG.info("the look-up failed (%s); looking again", type(error).__name__)
            continue
        if found is not None:
            return found
    return None


def _moments(window: float) -> list[float]:
    moments = [moment for moment in LOOKS if moment < window]
    late = LOOKS[-1] * 2
    while late < window:
        moments.append(late)
        late += LOOKS[-1]
    return [*moments, window]
