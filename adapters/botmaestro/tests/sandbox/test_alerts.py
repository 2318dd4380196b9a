from __future__ import annotations

from typing import Any

import pytest

ALERT = {"title": "Look", "message": "No paper", "type": "WARN"}


@pytest.mark.parametrize("as_text", [False, True])
async def test_an_alert_names_its_task_by_number_or_text(wire: Any, as_text: bool) -> None:
    task = await wire.start("Letters")
    given = str(task["id"]) if as_text else task["id"]
    alert = await wire.post("/alerts", ALERT | {"taskId": given})
    assert alert["taskId"] == task["id"]
    assert {name: alert[name] for name in ALERT} == ALERT
    assert (alert["activityLabel"], alert["botId"], alert["organizationLabel"]) == ("Letters", "letters", "acme")
    assert isinstance(alert["id"], str)


async def test_alerts_are_listed_by_task(wire: Any) -> None:
    first, second = await wire.start(), await wire.start()
    for task in (first, second, first):
        await wire.post("/alerts", ALERT | {"taskId": task["id"]})
    page = await wire.get("/alerts", taskId=first["id"])
    assert [one["taskId"] for one in page["content"]] == [first["id"]] * 2
    assert (await wire.get("/alerts"))["totalElements"] == 3


async def test_alerts_are_sorted_by_date_when_told(wire: Any) -> None:
    wire.world.clock.freeze()
    task = await wire.start()
    for number in range(3):
        await wire.post("/alerts", ALERT | {"taskId": task["id"], "title": f"alert {number}"})
        wire.world.clock.advance(1)
    page = await wire.get("/alerts", sort="date,desc", size=2)
    assert [one["title"] for one in page["content"]] == ["alert 2", "alert 1"]


@pytest.mark.parametrize("change", [{"type": "SHOUT"}, {"title": None}, {"taskId": "one"}, {"taskId": None}])
async def test_a_wrong_alert_is_refused(wire: Any, change: dict[str, Any]) -> None:
    task = await wire.start()
    await wire.post("/alerts", ALERT | {"taskId": task["id"]} | change, status=400)
    assert (await wire.get("/alerts"))["empty"]


async def test_an_unknown_task_is_refused_unless_the_switch_lets_it_through(wire: Any) -> None:
    await wire.post("/alerts", ALERT | {"taskId": 999}, status=404)
    wire.switch(check_task_ids=False)
    assert (await wire.post("/alerts", ALERT | {"taskId": 999}))["activityLabel"] is None
