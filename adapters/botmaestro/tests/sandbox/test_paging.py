from __future__ import annotations

from typing import Any

import pytest


async def _ids(wire: Any, **query: Any) -> list[int]:
    return [row["id"] for row in (await wire.get("/task", **query))["content"]]


async def test_pages_count_from_zero_and_know_their_place(wire: Any) -> None:
    for _ in range(5):
        await wire.start()
    first, last = await wire.get("/task", size=2), await wire.get("/task", size=2, page=2)
    assert [row["id"] for row in first["content"]] == [1, 2]
    assert [row["id"] for row in last["content"]] == [5]
    assert (first["first"], first["last"], last["first"], last["last"]) == (True, False, False, True)
    assert (last["totalElements"], last["totalPages"], last["numberOfElements"], last["number"]) == (5, 3, 1, 2)
    assert last["pageable"]["offset"] == 4


async def test_a_page_beyond_the_end_is_empty(wire: Any) -> None:
    await wire.start()
    beyond = await wire.get("/task", page=7)
    assert (beyond["content"], beyond["empty"], beyond["last"], beyond["totalElements"]) == ([], True, True, 1)


async def test_no_rows_are_one_empty_last_page(wire: Any) -> None:
    page = await wire.get("/task", sort="dateCreation,desc")
    assert (page["empty"], page["first"], page["last"], page["totalPages"]) == (True, True, True, 0)


@pytest.mark.parametrize("query", [{"page": "x"}, {"page": "-1"}, {"size": "0"}, {"size": "many"}, {"sort": ""}])
async def test_what_cannot_be_a_page_counts_as_absent(wire: Any, query: dict[str, str]) -> None:
    await wire.start()
    assert await _ids(wire, **query) == [1]


async def test_sizes_have_a_usual_and_a_largest_value(wire: Any) -> None:
    wire.switch(default_page_size=2, max_page_size=3)
    for _ in range(4):
        await wire.start()
    assert await _ids(wire) == [1, 2]
    assert await _ids(wire, size=1000) == [1, 2, 3]


async def test_rows_are_sorted_by_several_members(wire: Any) -> None:
    for priority in (1, 9, 1, 9):
        await wire.start(priority=priority)
    assert await _ids(wire, sort="priority") == [1, 3, 2, 4]
    page = await wire.ask("GET", "/task", query=[("sort", "priority,desc"), ("sort", "id,desc")])
    assert [row["id"] for row in page.rows] == [4, 2, 3, 1]
    page = await wire.ask("GET", "/task", query=[("sort", "priority,desc"), ("sort", "id,asc")])
    assert [row["id"] for row in page.rows] == [2, 4, 1, 3]


async def test_what_is_empty_comes_before_texts_and_what_is_absent_last(wire: Any) -> None:
    for message in ("b", "", None, "a"):
        task = await wire.start()
        if message is not None:
            done = {"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": message}
            await wire.post(f"/task/{task['id']}", done)
    wire.world.lifecycle.hold = True
    assert await _ids(wire, sort="finishMessage") == [2, 4, 1, 3]


@pytest.mark.parametrize("sort", ["colour", "looks", "parameters", "priority,up"])
async def test_what_cannot_be_sorted_by_is_refused(wire: Any, sort: str) -> None:
    await wire.start()
    await wire.get("/task", sort=sort, status=400)


@pytest.mark.parametrize("days", ["x", "-1", "99999999999"])
async def test_a_window_that_is_no_number_of_days_is_refused(wire: Any, days: str) -> None:
    await wire.get("/task", days=days, status=400)


@pytest.mark.parametrize(("layout", "ending"), [("offset", "+00:00"), ("zulu", "Z"), ("compact", "+0000")])
async def test_dates_end_as_the_switch_says(wire: Any, layout: str, ending: str) -> None:
    wire.switch(date_format=layout)
    date = (await wire.start())["dateCreation"]
    assert date.endswith(ending)
    assert len(date) == len("2026-11-20T09:43:52.959") + len(ending)
