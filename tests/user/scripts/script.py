"""What a script is: something that takes only an adapter, and the neutral facts that it must see on every platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rpa_bridge import Adapter, Artifact, BridgeError

T = TypeVar("T")
Facts = dict[str, object]

PATIENCE = 60.0
"""Seconds for one job; a local one is a process, which a busy machine starts slowly."""
LOOK = 0.05
"""Seconds between two looks at a job."""


@dataclass(frozen=True)
class Difference:
    """Where one platform honestly differs: what is seen there instead, and why that cannot be otherwise."""

    facts: Facts
    reason: str


@dataclass(frozen=True)
class Script:
    """The script of one noun, with what it must see."""

    run: Callable[[Adapter], Awaitable[Facts]]
    facts: Facts
    but: Mapping[str, Difference] = field(default_factory=dict)
    """By the platform's name."""

    def facts_on(self, platform: str) -> Facts:
        """What the script must see on this platform."""
        return self.facts | (self.but[platform].facts if platform in self.but else {})


async def refusal(call: Awaitable[Any]) -> str:
    """Which error the call ends in; empty when it ends well."""
    try:
        await call
    except BridgeError as error:
        return type(error).__name__
    return ""


async def content_of(platform: Adapter, file: Artifact) -> bytes:
    """All bytes of a file."""
    async with platform.artifacts.open(file) as pieces:
        return b"".join(await listed(pieces))


async def listed(found: AsyncIterator[T]) -> list[T]:
    """All that an iterator gives."""
    return [one async for one in found]
