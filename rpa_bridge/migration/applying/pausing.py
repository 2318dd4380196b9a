"""Waiting for a platform that is down: a migration pauses, and does not fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rpa_bridge.errors import (
    BridgeError,
    MigrationError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    UnavailableError,
)
from rpa_bridge.migration.running import Run

FIRST, LONGEST = 1.0, 60.0
"""Seconds of the first pause and of the longest; each is twice the one before."""
STAGE = "paused"
PASSING = (UnavailableError, RateLimitedError, OutcomeUnknownError, ProtocolError)
"""Errors that may be over later."""


class Patience:
    """How long a migration waits for the two platforms, in all of its steps together."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pause = FIRST
        self._down_since: float | None = None

    def done(self) -> None:
        """Both are well."""
        self._pause, self._down_since = FIRST, None

    async def through(self, run: Run, subject: str, work: Callable[[], Awaitable[None]]) -> None:
        """Does the work, again after each pause: it must go on from what the journal says. Ends early to drain."""
        while not run.draining.is_set():
            try:
                await work()
            except PASSING as error:
                await self._wait(error, run, subject)
            else:
                self.done()
                return

    async def _wait(self, error: BridgeError, run: Run, subject: str) -> None:
        """Waits a while. Raises MigrationError when nothing has worked for longer than the patience."""
        now = run.clock.monotonic()
        self._down_since = now if self._down_since is None else self._down_since
        if now - self._down_since >= self._seconds:
            raise MigrationError(
                f"nothing has worked for {now - self._down_since:.0f} seconds ({error}); "
                f"`rpa-bridge migrate resume` goes on when both platforms are well"
            ) from None
        pause = max(self._pause, (error.retry_after or 0.0) if isinstance(error, RateLimitedError) else 0.0)
        run.tell(STAGE, subject, 0, None, f"{error}; going on in {pause:.0f} s")
        self._pause = min(self._pause * 2, LONGEST)
        await run.pause(pause)
