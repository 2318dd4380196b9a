"""Several things at once, and not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8
"""Under way together; the connections' own paces hold for them too."""


async def together(work: Callable[[T], Awaitable[R]], things: Sequence[T]) -> list[R]:
    """The results, in order. After an error what is under way is finished, nothing more begun, and the error raised."""
    results: list[R] = []
    for some in groups(things):
        ended = await asyncio.gather(*map(work, some), return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
            results.append(one)
    return results


def groups(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """All of them, in order, as many at once as are under way together."""
    return (things[start : start + AT_ONCE] for start in range(0, len(things), AT_ONCE))
