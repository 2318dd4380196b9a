from __future__ import annotations

from typing import Any


async def test_schedules_are_listed_in_pages_and_had_one_by_one(wire: Any) -> None:
    page = await wire.get("/scheduling", page=0, size=1000, sort="activityLabel,asc")
    (schedule,) = page["content"]
    assert (schedule["activityLabel"], schedule["cron"], schedule["parameters"]) == (
        "Letters",
        "0 30 6 ? * MON-FRI",
        {},
    )
    assert await wire.get(f"/scheduling/{schedule['id']}") == schedule


async def test_an_unknown_schedule_is_not_found(wire: Any) -> None:
    for unknown in ("99", "Letters", "-1"):
        await wire.get(f"/scheduling/{unknown}", status=404)
