from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rpa_bridge.sandbox.lifecycle import Ending


async def _task(wire: Any, task: Any) -> Any:
    return await wire.get(f"/task/{task['id']}")


async def _update(wire: Any, task: Any, *, status: int = 200, **members: Any) -> Any:
    return await wire.post(f"/task/{task['id']}", members, status=status)


async def test_a_task_comes_back_as_it_was_created(wire: Any) -> None:
    parameters = {"month": "2026-10", "n": 3, "price": 1.5, "deep": {"a": [1, None]}}
    task = await wire.start(parameters=parameters, priority=7, test=True)
    assert isinstance(task["id"], int)
    assert (task["state"], task["activityLabel"], task["parameters"]) == ("START", "Invoices", parameters)
    assert (task["priority"], task["test"], task["organizationLabel"]) == (7, True, "acme")
    assert task["finishStatus"] is task["interrupted"] is task["totalItems"] is task["dateStartRunning"] is None
    assert not {"looks", "queued", "claimed"} & task.keys()


async def test_a_task_is_over_at_the_first_look_unless_told_otherwise(wire: Any) -> None:
    task = await wire.start(parameters={"a": 1})
    ended = await _task(wire, task)
    assert (ended["state"], ended["finishStatus"], ended["machineId"]) == ("FINISHED", "SUCCESS", "runner-1")
    assert ended["parameters"] == {"a": 1}
    assert datetime.fromisoformat(ended["dateCreation"]) <= datetime.fromisoformat(ended["dateStartRunning"])


async def test_a_task_moves_on_with_every_look(wire: Any) -> None:
    wire.world.lifecycle.looks = 4
    task = await wire.start()
    assert [(await _task(wire, task))["state"] for _ in range(6)] == ["START"] * 2 + ["RUNNING"] * 2 + ["FINISHED"] * 2


async def test_a_task_moves_on_with_time(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.world.lifecycle.seconds = 10
    task, seen = await wire.start(), []
    for _ in range(3):
        seen.append((await _task(wire, task))["state"])
        wire.world.clock.advance(5)
    assert seen == ["START", "RUNNING", "FINISHED"]


async def test_an_ending_can_be_ordered(wire: Any) -> None:
    wire.world.lifecycle.endings["Letters"] = Ending(outcome="failed", message="no paper")
    failed = await _task(wire, await wire.start("Letters"))
    assert (failed["state"], failed["finishStatus"], failed["finishMessage"]) == ("FINISHED", "FAILED", "no paper")
    assert (await _task(wire, await wire.start("Invoices")))["finishStatus"] == "SUCCESS"


@pytest.mark.parametrize("given", ["2031-01-01T00:00:00", "2031-01-01T01:00:00+01:00", "2030-12-31T21:00:00.000-03:00"])
async def test_a_task_waits_for_its_date_which_is_utc_without_an_offset(wire: Any, given: str) -> None:
    wire.world.clock.freeze(datetime.fromisoformat("2030-12-31T23:59:00+00:00"))
    await wire.use_new_token()
    task = await wire.start(minExecutionDate=given)
    assert task["minExecutionDate"] == "2031-01-01T00:00:00.000+00:00"
    assert (await _task(wire, task))["state"] == "START"
    wire.world.clock.advance(60)
    assert (await _task(wire, task))["state"] == "FINISHED"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"activityLabel": "Invoices", "priority": 11},
        {"activityLabel": "Invoices", "parameters": [1]},
        {"activityLabel": "Invoices", "minExecutionDate": "soon"},
    ],
)
async def test_a_wrong_task_is_refused(wire: Any, body: Any) -> None:
    await wire.post("/task", body, status=400)
    assert (await wire.get("/task"))["totalElements"] == 0


async def test_a_task_of_an_unknown_automation_is_refused_as_the_switch_says(wire: Any) -> None:
    await wire.post("/task", {"activityLabel": "Nothing"}, status=404)
    wire.switch(status_unknown_automation=400)
    await wire.post("/task", {"activityLabel": "Nothing"}, status=400)


@pytest.mark.parametrize("task_id", ["999", "one", "-1"])
async def test_an_unknown_task_is_not_found(wire: Any, task_id: str) -> None:
    await wire.get(f"/task/{task_id}", status=404)
    await wire.post(f"/task/{task_id}", {"interrupted": True}, status=404)


async def test_a_task_is_finished_straight_from_start_and_once_more(wire: Any) -> None:
    wire.world.lifecycle.hold = True
    task = await wire.start()
    done: dict[str, Any] = {"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "all", "totalItems": 3}
    finished = await _update(wire, task, **done, processedItems=2, failedItems=1)
    assert (finished["id"], finished["state"], finished["finishMessage"]) == (task["id"], "FINISHED", "all")
    assert [finished[f"{word}Items"] for word in ("total", "processed", "failed")] == [3, 2, 1]
    again = await _update(wire, task, state="FINISHED", finishStatus="PARTIALLY_COMPLETED")
    assert (again["finishStatus"], again["totalItems"]) == ("PARTIALLY_COMPLETED", None)
    assert (await _update(wire, task, interrupted=True))["interrupted"] is True


@pytest.mark.parametrize("counts", [(3, 2, 2), (1, 2, -1), (3, 2, None)])
async def test_item_counts_that_do_not_add_up_are_refused_as_the_switch_says(wire: Any, counts: Any) -> None:
    wire.world.lifecycle.hold = True
    task = await wire.start()
    members = dict(zip(("totalItems", "processedItems", "failedItems"), counts, strict=True))
    done = {"state": "FINISHED", "finishStatus": "SUCCESS"} | members
    await _update(wire, task, **done, status=400)
    assert (await _task(wire, task))["state"] == "START"
    wire.switch(check_item_counts=False)
    await _update(wire, task, **done)


@pytest.mark.parametrize("members", [{}, {"state": "FINISHED"}, {"state": "RUNNING"}, {"state": "SLEEPING"}])
async def test_a_wrong_update_is_refused(wire: Any, members: Any) -> None:
    await _update(wire, await wire.start(), **members, status=400)


async def test_an_interruption_is_only_a_flag(wire: Any) -> None:
    wire.world.lifecycle.looks = 2
    task = await wire.start()
    await _update(wire, task, interrupted=True)
    states = [(seen["state"], seen["interrupted"]) for seen in [await _task(wire, task) for _ in range(3)]]
    assert states == [("START", True), ("RUNNING", True), ("FINISHED", True)]


async def test_a_waiting_task_is_canceled_and_a_running_one_only_as_the_switch_says(wire: Any) -> None:
    wire.world.lifecycle.looks = 2
    waiting, running = await wire.start(), await wire.start()
    assert (await _update(wire, waiting, state="CANCELED"))["state"] == "CANCELED"
    assert (await _task(wire, waiting))["state"] == "CANCELED"
    await _update(wire, waiting, state="FINISHED", finishStatus="SUCCESS", status=400)
    for _ in range(2):
        await _task(wire, running)
    await _update(wire, running, state="CANCELED", status=400)
    wire.switch(cancel_running=True)
    assert (await _update(wire, running, state="CANCELED"))["state"] == "CANCELED"


@pytest.mark.parametrize(("ends", "finish_status"), [("FINISHED", "FAILED"), ("CANCELED", None)])
async def test_a_killed_task_ends_as_the_switch_says(wire: Any, ends: str, finish_status: str | None) -> None:
    wire.world.lifecycle.looks = 100
    wire.switch(killed_task_ends=ends)
    task = await wire.start()
    await _update(wire, task, interrupted=True, killed=True)
    killed = await _task(wire, task)
    assert (killed["state"], killed["finishStatus"], killed["killed"]) == (ends, finish_status, True)


async def test_a_restarted_task_waits_again_with_nothing_left_of_its_end(wire: Any) -> None:
    task = await wire.start()
    await _task(wire, task)
    restarted = await _update(wire, task, state="START")
    assert (restarted["state"], restarted["finishStatus"], restarted["machineId"]) == ("START", None, None)
    assert (await _task(wire, task))["state"] == "FINISHED"


async def test_restarting_can_be_for_test_tasks_only(wire: Any) -> None:
    wire.switch(restart_production=False)
    await _update(wire, await wire.start(), state="START", status=400)
    await _update(wire, await wire.start(test=True), state="START")


async def test_only_test_tasks_are_deleted(wire: Any) -> None:
    trial, real = await wire.start(test=True), await wire.start()
    await wire.ask("DELETE", f"/task/{trial['id']}", status=204)
    await wire.get(f"/task/{trial['id']}", status=404)
    await wire.ask("DELETE", f"/task/{real['id']}", status=400)


async def test_a_task_that_runs_too_long_times_out_and_can_still_be_finished(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.switch(token_lifetime=None)
    wire.world.lifecycle.looks = 2
    task = await wire.start()
    for _ in range(2):
        await _task(wire, task)
    wire.world.lifecycle.hold = True
    wire.world.clock.advance(24 * 3600)
    assert (await _task(wire, task))["state"] == "TIMEOUT"
    assert (await _update(wire, task, state="FINISHED", finishStatus="SUCCESS"))["state"] == "FINISHED"


async def test_the_state_of_a_task_that_timed_out_is_called_as_the_switch_says(wire: Any) -> None:
    wire.switch(token_lifetime=None, task_timeout_state="TIMED_OUT")
    wire.world.lifecycle.looks = 2
    task = await wire.start()
    for _ in range(2):
        await _task(wire, task)
    wire.world.lifecycle.hold = True
    wire.world.clock.advance(24 * 3600)
    assert (await _task(wire, task))["state"] == "TIMED_OUT"
    assert [one["id"] for one in (await wire.get("/task", stateFilter="TIMED_OUT"))["content"]] == [task["id"]]
    await wire.get("/task", stateFilter="TIMEOUT", status=400)


async def test_tasks_are_listed_by_automation_state_machine_and_age(wire: Any) -> None:
    async def found(**query: Any) -> list[int]:
        return [one["id"] for one in (await wire.get("/task", **query))["content"]]

    wire.world.clock.freeze()
    wire.switch(token_lifetime=None)
    old = await wire.start()
    await _task(wire, old)
    wire.world.clock.advance(timedelta(days=3).total_seconds())
    wire.world.lifecycle.hold = True
    letter, new = await wire.start("Letters"), await wire.start()
    assert await found(activityLabel="Letters") == [letter["id"]]
    assert await found(stateFilter="START") == [letter["id"], new["id"]]
    assert await found(stateFilter="FINISHED,CANCELED") == [old["id"]]
    assert await found(machineId="runner-1") == [old["id"]]
    assert await found(days=2) == [letter["id"], new["id"]]
    assert await found(sort="dateCreation,desc", size=1) == [letter["id"]]
    wire.switch(days_on_tasks=False)
    assert await found(days=2) == [old["id"], letter["id"], new["id"]]
    await wire.get("/task", stateFilter="ASLEEP", status=400)
