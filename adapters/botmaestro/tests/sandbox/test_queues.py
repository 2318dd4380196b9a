from __future__ import annotations

from typing import Any

import pytest

SCHEMA = [
    {"label": "number", "type": "TEXT", "uniqueId": True, "displayValue": False},
    {"label": "amount", "type": "DOUBLE", "uniqueId": False, "displayValue": True},
]


async def test_a_datapool_is_written_with_default_automation_and_read_with_default_activity(wire: Any) -> None:
    created = await wire.pool("Orders", defaultAutomation="Invoices", schema=SCHEMA, maxAutoRetry=2, trigger="ALWAYS")
    pool = await wire.get("/datapool/Orders")
    assert created == pool
    assert (pool["defaultActivity"], "defaultAutomation" in pool) == ("Invoices", False)
    assert (pool["name"], pool["schema"], pool["maxAutoRetry"], pool["trigger"]) == ("Orders", SCHEMA, 2, "ALWAYS")
    assert (pool["autoRetry"], pool["consumptionPolicy"], pool["active"]) == (True, "FIFO", True)
    assert isinstance(pool["id"], str)
    assert not {"entries", "errorsInARow"} & pool.keys()


@pytest.mark.parametrize("schema", [{}, {"schema": None}])
async def test_a_schema_comes_back_as_a_list(wire: Any, schema: Any) -> None:
    assert (await wire.pool("Orders", **schema))["schema"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": "x", "consumptionPolicy": "RANDOM"},
        {"label": "x", "maxAutoRetry": -1},
        {"label": "x", "schema": [{"label": "n", "type": "DATE"}]},
    ],
)
async def test_a_wrong_datapool_is_refused(wire: Any, body: Any) -> None:
    await wire.post("/datapool", body, status=400)


async def test_a_datapool_of_an_unknown_automation_is_refused(wire: Any) -> None:
    await wire.pool("Orders", defaultAutomation="Nothing", status=404)
    await wire.get("/datapool/Orders", status=404)


async def test_datapools_are_listed_in_pages(wire: Any) -> None:
    await wire.pool("Orders")
    page = await wire.get("/datapool", page=1, size=2)
    assert ([one["label"] for one in page["content"]], page["totalElements"]) == (["Orders"], 3)


async def test_a_label_is_taken_for_ever(wire: Any) -> None:
    refused = await wire.pool("Invoices", status=400)
    assert refused["details"] == "Label already exists"
    await wire.pool("Orders")
    await wire.ask("DELETE", "/datapool/Orders", status=204)
    await wire.get("/datapool/Orders", status=404)
    await wire.push("Orders", status=404)
    await wire.pool("Orders", status=400)
    wire.switch(reuse_deleted_labels=True)
    await wire.pool("Orders")
    await wire.pool("Orders", status=400)


async def test_an_update_sends_the_whole_object(wire: Any) -> None:
    await wire.push()
    pool = await wire.get("/datapool/Invoices")
    changed = await wire.post("/datapool/Invoices", pool | {"active": False, "defaultActivity": "Letters"})
    assert changed == pool | {"active": False, "defaultActivity": "Letters"}
    assert (await wire.get("/datapool/Invoices/view"))["totalElements"] == 1
    kept = await wire.post("/datapool/Invoices", {"label": "Invoices", "active": True})
    assert kept == pool | {"active": True, "defaultActivity": "Letters"}


async def test_an_update_cannot_rename_and_cannot_name_an_unknown_automation(wire: Any) -> None:
    await wire.post("/datapool/Invoices", {"label": "Bills"}, status=400)
    await wire.post("/datapool/Invoices", {"label": "Invoices", "defaultAutomation": "Nothing"}, status=404)
    await wire.post("/datapool/Nothing", {"label": "Nothing"}, status=404)


async def test_a_summary_counts_every_state(wire: Any) -> None:
    wire.world.clock.freeze()
    await wire.pool("Orders", itemMaxProcessingTime=1)
    for _ in range(6):
        await wire.push("Orders")
    await wire.pull("Orders")
    wire.world.clock.advance(60)
    done, failed, _ = [await wire.pull("Orders") for _ in range(3)]
    wire.world.clock.advance(30)
    await wire.save(done, state="DONE")
    await wire.save(failed, state="ERROR", errorType="BUSINESS")
    assert await wire.get("/datapool/Orders/summary") == {
        "countPending": 2,
        "countProcessing": 1,
        "countDone": 1,
        "countError": 1,
        "countTimeout": 1,
        "avgDone": 30.0,
        "active": True,
    }


async def test_a_summary_can_count_what_was_canceled(wire: Any) -> None:
    entry = await wire.push()
    await wire.ask("PUT", f"/datapool/Invoices/entry/{entry['id']}/cancel", {}, status=200)
    assert "countCanceled" not in await wire.get("/datapool/Invoices/summary")
    wire.switch(count_canceled=True)
    assert (await wire.get("/datapool/Invoices/summary"))["countCanceled"] == 1


async def test_an_empty_datapool_has_a_summary_of_zeros(wire: Any) -> None:
    summary = await wire.get("/datapool/Letters/summary")
    assert (summary["active"], set(summary.values())) == (True, {0, True})


@pytest.mark.parametrize(("trigger", "tasks"), [("NEVER", 0), ("ALWAYS", 3), ("NO_TASK_ACTIVE", 1)])
async def test_a_push_starts_the_automation_as_the_trigger_says(wire: Any, trigger: str, tasks: int) -> None:
    wire.world.lifecycle.hold = True
    await wire.pool("Orders", defaultAutomation="Letters", trigger=trigger)
    await wire.start("Invoices")
    for _ in range(3):
        await wire.push("Orders")
    page = await wire.get("/task", activityLabel="Letters")
    assert page["totalElements"] == tasks


async def test_a_trigger_waits_for_the_end_of_the_active_task(wire: Any) -> None:
    await wire.pool("Orders", defaultAutomation="Letters", trigger="NO_TASK_ACTIVE")
    await wire.push("Orders")
    await wire.push("Orders")
    (task,) = (await wire.get("/task"))["content"]
    assert task["state"] == "FINISHED"
    await wire.push("Orders")
    assert (await wire.get("/task"))["totalElements"] == 2


@pytest.mark.parametrize(("heeds_running", "tasks"), [(True, 1), (False, 2)])
async def test_a_running_task_holds_a_trigger_back_as_the_switch_says(
    wire: Any, heeds_running: bool, tasks: int
) -> None:
    wire.switch(running_is_active=heeds_running)
    await wire.pool("Orders", defaultAutomation="Letters", trigger="NO_TASK_ACTIVE")
    await wire.push("Orders")
    await wire.control("POST", "botmaestro/runner")
    await wire.push("Orders")
    await wire.push("Orders")
    assert (await wire.get("/task", activityLabel="Letters"))["totalElements"] == tasks


@pytest.mark.parametrize(("pulled", "tasks"), [(True, 1), (False, 0)])
async def test_a_push_into_an_inactive_datapool_pulls_its_trigger_as_the_switch_says(
    wire: Any, pulled: bool, tasks: int
) -> None:
    wire.switch(trigger_when_inactive=pulled)
    await wire.pool("Orders", defaultAutomation="Letters", trigger="ALWAYS", active=False)
    await wire.push("Orders")
    assert (await wire.get("/task"))["totalElements"] == tasks


async def test_a_trigger_without_an_automation_starts_nothing(wire: Any) -> None:
    await wire.pool("Orders", trigger="ALWAYS")
    await wire.push("Orders")
    assert (await wire.get("/task"))["totalElements"] == 0
