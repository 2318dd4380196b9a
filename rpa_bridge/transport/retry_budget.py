"""How many attempts may be repeated: in an outage the platform gets hardly more requests than on a good day."""

from __future__ import annotations

AT_FIRST = 200
"""All figures are tenths of an attempt."""
MOST = 1000
EARNED = 1
COST = 10
COST_AFTER_429 = 5


class RetryBudget:
    """What one process may repeat at one server with one credential."""

    __slots__ = ("_tenths",)

    def __init__(self) -> None:
        self._tenths = AT_FIRST

    def earn(self) -> None:
        """A first attempt is over, however it ended."""
        if self._tenths < MOST:
            self._tenths += EARNED

    def spend(self, *, after_429: bool) -> bool:
        """Takes one repetition out; False when not enough is left."""
        cost = COST_AFTER_429 if after_429 else COST
        if self._tenths < cost:
            return False
        self._tenths -= cost
        return True
