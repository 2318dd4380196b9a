"""How often the long lists may be asked for. docs: uipath.md 5.4"""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta
from email.utils import format_datetime

from rpa_bridge.sandbox.world import World

from .errors import RefusalError, refusal

WINDOW = timedelta(minutes=1)


class Budget:
    """The asks of one list in the last minute, by the sandbox's clock; without the switch nothing is counted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: deque[datetime] = deque()

    def spend(self) -> None:
        """Counts one; raises a 429 with Retry-After for one too many, which does not count."""
        most = self._world.switch("uipath.list_budget", None)
        if most is None:
            return
        now = self._world.clock.now()
        while self._asked and not timedelta(0) <= now - self._asked[0] < WINDOW:
            self._asked.popleft()
        if len(self._asked) >= most:
            raise self._refusal(now)
        self._asked.append(now)

    def _refusal(self, now: datetime) -> RefusalError:
        free_at = (self._asked[0] if self._asked else now) + WINDOW
        wait = str(max(1, math.ceil((free_at - now).total_seconds())))
        if self._world.switch("uipath.retry_after_as_date", False):
            wait = format_datetime(free_at + timedelta(seconds=1), usegmt=True)
        body = refusal(429, 0, "Too many requests.").body
        return RefusalError(429, body, {"Retry-After": wait})
