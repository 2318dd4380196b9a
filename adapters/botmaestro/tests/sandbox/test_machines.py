from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["runner-1", "runner-2"]),
        ({"isOnline": "True"}, ["runner-1"]),
        ({"isOnline": "false"}, ["runner-2"]),
        ({"machineId": "runner-2"}, ["runner-2"]),
        ({"machineId": "runner-1", "isOnline": "false"}, []),
        ({"type": "RUNNER", "sort": "name,desc", "size": "1"}, ["runner-2"]),
        ({"type": "ELSE"}, []),
    ],
)
async def test_runners_are_listed_in_pages_by_id_type_and_whether_they_are_online(
    wire: Any, query: dict[str, str], names: list[str]
) -> None:
    page = await wire.get("/machine/pagination", **query)
    assert [one["name"] for one in page["content"]] == names


async def test_neither_true_nor_false_is_refused(wire: Any) -> None:
    await wire.get("/machine/pagination", isOnline="perhaps", status=400)


async def test_a_runner_is_had_by_its_number_and_by_its_machine_id(wire: Any) -> None:
    first = (await wire.get("/machine/pagination"))["content"][0]
    assert (first["isOnline"], first["machineId"]) == (True, "runner-1")
    assert await wire.get(f"/machine/{first['id']}") == await wire.get("/machine/runner-1") == first
    await wire.get("/machine/runner-9", status=404)
