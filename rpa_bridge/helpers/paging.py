"""Paging: one iterator over what a platform hands out in pages. The next page is fetched when it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rpa_bridge.errors import ProtocolError

T = TypeVar("T")


class Ordered(Protocol):
    """What can stand in order: a number, a text, a date."""

    def __gt__(self, other: Any, /) -> bool: ...


K = TypeVar("K", bound=Ordered)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. Its adapter knows how the platform says that no other follows."""

    items: Sequence[T]
    last: bool


async def pages(fetch: Callable[[int], Awaitable[Page[T]]], *, operation: str, first: int = 0) -> AsyncIterator[T]:
    """What stands on the pages numbered from `first` on.

    Things that come or go meanwhile may be repeated or missed: use `keyset` where the platform can.
    Raises ProtocolError for an empty page that is not the last, which would never end.
    """
    number = first
    while True:
        page = await fetch(number)
        for one in page.items:
            yield one
        if page.last:
            return
        if not page.items:
            raise ProtocolError(
                f"{operation}: page {number} is empty, but not the last; try again, or tell the platform's operator",
                operation=operation,
            )
        number += 1


async def keyset(
    fetch: Callable[[K | None], Awaitable[Page[T]]], key: Callable[[T], K], *, operation: str
) -> AsyncIterator[T]:
    """What stands on the pages of `keyset_pages`."""
    async for items in keyset_pages(fetch, key, operation=operation):
        for one in items:
            yield one


async def keyset_pages(
    fetch: Callable[[K | None], Awaitable[Page[T]]], key: Callable[[T], K], *, operation: str
) -> AsyncIterator[Sequence[T]]:
    """What stands after the last key seen, page by page: nothing is repeated or missed while others write.

    `fetch` takes the last key, None for the first page, and gives what follows it in ascending order.
    Raises ProtocolError when keys do not strictly grow: the platform ignored the filter or the order.
    """
    last: K | None = None
    while True:
        page = await fetch(last)
        for one in page.items:
            here = key(one)
            if last is not None and not here > last:
                raise ProtocolError(
                    f"{operation}: the platform's list is out of order ({here} follows {last}), so that it cannot be "
                    f"read whole; is it of a version we do not know?",
                    operation=operation,
                )
            last = here
        yield page.items
        if page.last:
            return
        if not page.items:
            raise ProtocolError(
                f"{operation}: an empty page is not the last; try again, or tell the platform's operator",
                operation=operation,
            )
