"""Time, as something one can hand in: nobody else calls `datetime.now()` or `sleep`."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC. It may jump when somebody sets the machine's clock."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment, the same for all processes of the machine until it starts anew.

        Counted on while the machine sleeps; never jumps.
        """

    async def sleep(self, seconds: float) -> None:
        """Wait."""


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC) if hasattr(time, "clock_gettime") else None


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@cache
def boot_id() -> str:
    """Which start of which machine the monotonic clock counts from; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
