from __future__ import annotations

from typing import Any

import pytest


async def _claim(wire: Any, status: int = 200, **order: str) -> Any:
    return await wire.control("POST", "botmaestro/runner", order, status=status)


async def _task(wire: Any, task: Any) -> Any:
    return await wire.get(f"/task/{task['id']}")


async def test_a_claim_runs_the_task_and_answers_the_runners_command_line(wire: Any) -> None:
    task = await wire.start(parameters={"month": "2026-10"})
    claimed = await _claim(wire)
    server, task_id, token, organization = claimed["arguments"]
    assert (server, task_id, organization) == (wire.settings["server"], str(task["id"]), "acme")
    assert (claimed["task"], claimed["machine"]) == (task["id"], "runner-1")
    seen = await wire.ask("GET", f"/task/{task_id}", headers={"token": token, "organization": organization}, status=200)
    assert (seen.body["state"], seen.body["machineId"]) == ("RUNNING", "runner-1")
    assert seen.body["dateStartRunning"] is not None
    assert token not in wire.headers.values()


async def test_the_token_of_a_claim_ends_as_others_do_and_is_no_key(wire: Any) -> None:
    await wire.start()
    token = (await _claim(wire))["arguments"][2]
    assert (await wire.log_in(key=token)).status == 401
    wire.world.clock.advance(3600)
    await wire.ask("GET", "/task", headers={"token": token}, status=401)


async def test_a_claimed_task_is_left_to_its_bot_however_often_it_is_looked_at(wire: Any) -> None:
    wire.switch(token_lifetime=None)
    task = await wire.start()
    await _claim(wire)
    wire.world.clock.advance(3600)
    assert [(await _task(wire, task))["state"] for _ in range(3)] == ["RUNNING"] * 3
    done = {"state": "FINISHED", "finishStatus": "SUCCESS"}
    assert (await wire.post(f"/task/{task['id']}", done))["state"] == "FINISHED"


async def test_a_claimed_task_times_out_and_ends_when_it_is_killed(wire: Any) -> None:
    wire.switch(token_lifetime=None)
    slow, killed = await wire.start(), await wire.start()
    for _ in range(2):
        await _claim(wire)
    await wire.post(f"/task/{killed['id']}", {"interrupted": True, "killed": True})
    assert (await _task(wire, killed))["finishStatus"] == "FAILED"
    wire.world.clock.advance(24 * 3600)
    assert (await _task(wire, slow))["state"] == "TIMEOUT"


async def test_the_most_urgent_task_is_claimed_first_and_then_the_oldest(wire: Any) -> None:
    wire.world.lifecycle.hold = True
    low, first, second = [await wire.start(priority=priority) for priority in (0, 5, 5)]
    later = await wire.start(priority=10, minExecutionDate="2099-01-01T00:00:00")
    assert [(await _claim(wire))["task"] for _ in range(3)] == [first["id"], second["id"], low["id"]]
    await _claim(wire, status=204)
    assert (await _task(wire, later))["state"] == "START"


async def test_a_claim_may_name_the_automation_and_the_runner(wire: Any) -> None:
    await wire.start("Invoices")
    letter = await wire.start("Letters")
    claimed = await _claim(wire, automation="Letters", machine="runner-1")
    assert claimed["task"] == letter["id"]
    await _claim(wire, automation="Letters", status=204)


async def test_what_was_ended_or_canceled_is_not_claimed_and_what_was_restarted_is(wire: Any) -> None:
    ended, canceled = await wire.start(), await wire.start()
    await _task(wire, ended)
    await wire.post(f"/task/{canceled['id']}", {"state": "CANCELED"})
    await _claim(wire, status=204)
    await wire.post(f"/task/{ended['id']}", {"state": "START"})
    assert (await _claim(wire))["task"] == ended["id"]
    restarted = await wire.post(f"/task/{ended['id']}", {"state": "START"})
    assert (restarted["machineId"], (await _task(wire, ended))["state"]) == (None, "FINISHED")


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"machine": "runner-9"}, "there is no runner 'runner-9'; there are: runner-1, runner-2"),
        ({"machine": "runner-2"}, "runner 'runner-2' is offline"),
        ({"machin": "runner-1"}, "there is no 'machin'; did you mean 'machine'?"),
    ],
)
async def test_a_wrong_claim_is_answered_with_a_sentence_and_claims_nothing(
    wire: Any, order: dict[str, str], sentence: str
) -> None:
    wire.world.lifecycle.hold = True
    task = await wire.start()
    assert (await _claim(wire, status=400, **order))["error"] == sentence
    assert (await _task(wire, task))["state"] == "START"


async def test_a_claim_needs_no_body(wire: Any) -> None:
    task = await wire.start()
    assert (await wire.control("POST", "botmaestro/runner"))["task"] == task["id"]
