from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from rpa_bridge.errors import ProtocolError
from rpa_bridge.helpers.paging import Page, keyset, pages


class Shelf:
    """A platform's list of numbers, handed out in pages, which counts its requests."""

    def __init__(self, numbers: list[int], size: int = 3) -> None:
        self.numbers = numbers
        self.size = size
        self.asked: list[int | None] = []

    async def page(self, number: int) -> Page[int]:
        self.asked.append(number)
        start = number * self.size
        return Page(self.numbers[start : start + self.size], last=start + self.size >= len(self.numbers))

    async def after(self, last: int | None) -> Page[int]:
        self.asked.append(last)
        found = [one for one in self.numbers if last is None or one > last][: self.size]
        return Page(found, last=len(found) < self.size)


async def everything(numbers: AsyncIterator[int]) -> list[int]:
    return [one async for one in numbers]


def itself(number: int) -> int:
    return number


async def test_numbered_pages_are_read_to_the_last_and_no_further() -> None:
    shelf = Shelf(list(range(7)))
    assert [one async for one in pages(shelf.page, operation="tasks.find")] == list(range(7))
    assert shelf.asked == [0, 1, 2]


async def test_an_empty_list_is_one_page() -> None:
    shelf = Shelf([])
    assert [one async for one in pages(shelf.page, operation="tasks.find", first=0)] == []
    assert [one async for one in keyset(shelf.after, itself, operation="jobs.find")] == []
    assert shelf.asked == [0, None]


async def test_a_page_is_fetched_only_when_it_is_needed() -> None:
    shelf = Shelf(list(range(9)))
    async for one in pages(shelf.page, operation="tasks.find"):
        if one == 2:
            break
    assert shelf.asked == [0]


async def test_keys_are_followed_although_items_come_and_go_meanwhile() -> None:
    shelf = Shelf([1, 3, 5, 7, 9])
    seen = []
    async for one in keyset(shelf.after, itself, operation="jobs.find"):
        seen.append(one)
        if one == 3:
            shelf.numbers.remove(1)
            shelf.numbers.append(11)
    assert seen == [1, 3, 5, 7, 9, 11]
    assert shelf.asked == [None, 5, 11]


@pytest.mark.parametrize("numbers", [[1, 2, 2], [3, 1, 2]])
async def test_a_list_out_of_order_is_refused(numbers: list[int]) -> None:
    async def one_page(_: int | None) -> Page[int]:
        return Page(numbers, last=True)

    with pytest.raises(ProtocolError, match=r"jobs\.find: the platform's list is out of order"):
        await everything(keyset(one_page, itself, operation="jobs.find"))


async def test_a_filter_that_the_platform_ignores_does_not_read_for_ever() -> None:
    async def always_the_same(_: int | None) -> Page[int]:
        return Page([1, 2], last=False)

    with pytest.raises(ProtocolError, match=r"1 follows 2"):
        await everything(keyset(always_the_same, itself, operation="jobs.find"))


@pytest.mark.parametrize(
    "read",
    [
        lambda fetch: pages(fetch, operation="tasks.find"),
        lambda fetch: keyset(fetch, itself, operation="tasks.find"),
    ],
)
async def test_an_empty_page_that_is_not_the_last_does_not_read_for_ever(
    read: Callable[..., AsyncIterator[int]],
) -> None:
    async def nothing(_: int | None) -> Page[int]:
        return Page([], last=False)

    with pytest.raises(ProtocolError, match="not the last"):
        await everything(read(nothing))
