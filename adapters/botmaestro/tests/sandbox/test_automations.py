from __future__ import annotations

from typing import Any


async def test_automations_are_listed_as_an_array(wire: Any) -> None:
    assert [one["label"] for one in await wire.get("/activity")] == ["Invoices", "Letters"]


async def test_an_automation_tells_its_parameters(wire: Any) -> None:
    invoices = await wire.get("/activity/Invoices")
    assert (invoices["name"], invoices["botId"]) == ("Invoices of the month", "invoices")
    assert invoices["parameters"] == [{"label": "month", "type": "TEXT", "required": False}]


async def test_an_unknown_automation_is_not_found(wire: Any) -> None:
    assert "'Nothing'" in (await wire.get("/activity/Nothing", status=404))["message"]
    wire.switch(status_unknown=400)
    await wire.get("/activity/Nothing", status=400)


async def test_pages_of_automations_are_filtered_by_label_and_name(wire: Any) -> None:
    async def found(**query: str) -> list[str]:
        return [one["label"] for one in (await wire.get("/activity/pagination", **query))["content"]]

    assert await found() == ["Invoices", "Letters"]
    assert await found(label="Letters") == ["Letters"]
    assert await found(name="customers") == ["Letters"]
    assert await found(automation="INVO") == ["Invoices"]
    assert await found(label="Letters", name="month") == []
