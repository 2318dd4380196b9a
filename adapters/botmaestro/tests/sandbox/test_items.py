from __future__ import annotations

from typing import Any

import pytest

FINAL = ("DONE", "ERROR", "CANCELED")


async def _in_state(wire: Any, state: str) -> Any:
    """An entry of Letters, which has no retries."""
    if state in ("PENDING", "CANCELED"):
        entry = await wire.push("Letters")
        if state == "CANCELED":
            await wire.ask("PUT", f"/datapool/Letters/entry/{entry['id']}/cancel", {"state": "CANCELED"}, status=200)
        return await wire.entry(entry)
    entry = await wire.take("Letters")
    return entry if state == "PROCESSING" else await wire.save(entry, state=state)


async def test_an_entry_comes_back_as_it_was_pushed(wire: Any) -> None:
    values = {"number": "R-1", "amount": "12.50", "outside": {"the": ["schema", None, 1.5]}}
    pushed = await wire.push(values=values, priority=7)
    assert (pushed["state"], pushed["values"], pushed["priority"]) == ("PENDING", values, 7)
    assert (pushed["uniqueKey"], pushed["displayValue"], pushed["retryIndex"]) == ("R-1", "R-1", 0)
    assert pushed["dataPoolLabel"] == "Invoices"
    assert pushed["dateProcessing"] is pushed["parent"] is pushed["child"] is pushed["taskId"] is None
    assert await wire.entry(pushed) == pushed


@pytest.mark.parametrize("body", [{"priority": 11}, {"priority": -1}, {"values": [1]}, {"priority": "high"}])
async def test_a_wrong_entry_is_refused(wire: Any, body: Any) -> None:
    await wire.post("/datapool/Invoices/push", body, status=400)
    assert (await wire.get("/datapool/Invoices/view"))["empty"]


async def test_a_pull_reserves_the_entry_and_ends_with_204(wire: Any) -> None:
    pushed = await wire.push()
    taken = await wire.pull()
    assert (taken["id"], taken["state"]) == (pushed["id"], "PROCESSING")
    assert taken["dateProcessing"] is not None
    assert await wire.entry(pushed) == taken
    assert await wire.pull(status=204) == b""


@pytest.mark.parametrize(
    ("policy", "order"), [("FIFO", ["high", "first", "second", "low"]), ("LIFO", ["high", "second", "first", "low"])]
)
async def test_entries_are_pulled_by_priority_and_then_by_the_policy(wire: Any, policy: str, order: list[str]) -> None:
    await wire.pool("Orders", consumptionPolicy=policy)
    for name, priority in {"low": 0, "first": 5, "second": 5, "high": 10}.items():
        await wire.push("Orders", values={"name": name}, priority=priority)
    assert [(await wire.pull("Orders"))["values"]["name"] for _ in range(4)] == order


async def test_a_new_policy_and_a_new_priority_change_the_order(wire: Any) -> None:
    first, second, third = [await wire.push("Letters") for _ in range(3)]
    await wire.post("/datapool/Letters", {"label": "Letters", "consumptionPolicy": "LIFO"})
    assert (await wire.pull("Letters"))["id"] == third["id"]
    await wire.save(first, priority=9)
    assert [(await wire.pull("Letters"))["id"] for _ in range(2)] == [first["id"], second["id"]]


async def test_an_inactive_datapool_takes_entries_and_gives_none(wire: Any) -> None:
    await wire.push()
    await wire.post("/datapool/Invoices", {"label": "Invoices", "active": False})
    await wire.push()
    await wire.pull(status=204)
    wire.switch(status_pull_inactive=400)
    assert "inactive" in (await wire.pull(status=400))["message"]
    await wire.post("/datapool/Invoices", {"label": "Invoices", "active": True})
    await wire.pull()


async def test_entries_are_viewed_in_pages_whatever_became_of_them(wire: Any) -> None:
    entries = [await wire.push("Letters") for _ in range(3)]
    await wire.save(await wire.pull("Letters"), state="DONE")
    page = await wire.get("/datapool/Letters/view", page=0, size=2)
    assert [one["id"] for one in page["content"]] == [one["id"] for one in entries[:2]]
    assert (page["content"][0]["state"], page["totalElements"], page["last"]) == ("DONE", 3, False)


async def test_an_entry_is_found_in_its_own_datapool_only(wire: Any) -> None:
    entry = await wire.push("Letters")
    await wire.get(f"/datapool/Invoices/entry/{entry['id']}", status=404)
    await wire.get("/datapool/Letters/entry/nothing", status=404)
    await wire.get(f"/datapool/Nothing/entry/{entry['id']}", status=404)


async def test_a_report_keeps_message_values_and_task(wire: Any) -> None:
    taken = await wire.take(values={"number": "R-1"})
    values = {"number": "R-1", "booked": "yes"}
    done = await wire.save(taken, state="DONE", message="fine", values=values, taskId=123, runner="r-9")
    assert (done["state"], done["message"], done["values"]) == ("DONE", "fine", values)
    assert (done["taskId"], done["runner"]) == ("123", "r-9")
    assert done["dateFinished"] >= done["dateProcessing"]
    assert await wire.entry(taken) == done


async def test_an_entry_is_saved_without_being_reported_and_by_clients_of_fewer_members(wire: Any) -> None:
    taken = await wire.take(values={"a": 1}, priority=3)
    path = f"/datapool/Invoices/entry/{taken['id']}"
    saved = await wire.post(path, {"values": {"a": 2}, "priority": 4, "taskId": None})
    assert saved == taken | {"values": {"a": 2}, "priority": 4}


async def test_links_and_retry_index_are_the_servers_own(wire: Any) -> None:
    taken = await wire.take()
    saved = await wire.save(taken, parent="p", child="c", retryIndex=9)
    assert (saved["parent"], saved["child"], saved["retryIndex"]) == (None, None, 0)
    await wire.save(taken, dataPoolLabel="Invoices", state="DONE")
    body = taken | {"dataPoolLabel": "Letters"}
    await wire.post(f"/datapool/Invoices/entry/{taken['id']}", body, status=400)


@pytest.mark.parametrize(
    ("before", "allowed"),
    [
        ("PENDING", {"PENDING", "PROCESSING", "CANCELED"}),
        ("PROCESSING", {"PROCESSING", "DONE", "ERROR", "TIMEOUT"}),
        ("TIMEOUT", {"TIMEOUT", "DONE", "ERROR"}),
        *((state, {state}) for state in FINAL),
    ],
)
async def test_only_the_steps_of_the_state_machine_are_taken(wire: Any, before: str, allowed: set[str]) -> None:
    reached = set()
    for after in ("PENDING", "PROCESSING", "DONE", "ERROR", "TIMEOUT", "CANCELED"):
        entry = await _in_state(wire, before)
        path = f"/datapool/Letters/entry/{entry['id']}"
        answer = await wire.ask("POST", path, {"state": after, "message": "changed"})
        now = await wire.entry(entry)
        if answer.status == 200:
            reached.add(after)
            assert (now["state"], now["message"]) == (after, "changed")
        else:
            assert (answer.status, now) == (400, entry)
    assert reached == allowed


async def test_final_states_can_be_left_unguarded(wire: Any) -> None:
    wire.switch(guard_final_entries=False)
    entry = await _in_state(wire, "DONE")
    assert (await wire.save(entry, state="ERROR"))["state"] == "ERROR"
    await wire.save(entry, state="PENDING")
    assert (await wire.pull("Letters"))["id"] == entry["id"]


async def test_a_step_that_is_not_allowed_is_answered_as_the_switch_says(wire: Any) -> None:
    wire.switch(status_conflict=409)
    await wire.save(await wire.push("Letters"), state="DONE", status=409)


async def test_an_entry_times_out_by_the_minutes_of_its_datapool_and_can_still_be_reported(wire: Any) -> None:
    wire.world.clock.freeze()
    await wire.pool("Orders", itemMaxProcessingTime=10)
    taken = await wire.take("Orders")
    wire.world.clock.advance(599)
    assert (await wire.entry(taken))["state"] == "PROCESSING"
    wire.world.clock.advance(1)
    assert (await wire.entry(taken))["state"] == "TIMEOUT"
    assert (await wire.save(taken, state="DONE"))["state"] == "DONE"


@pytest.mark.parametrize(
    "limit", [{"itemMaxProcessingTime": 0}, {"itemMaxProcessingTime": 1, "enableProcessingTime": False}]
)
async def test_without_a_limit_nothing_times_out(wire: Any, limit: Any) -> None:
    wire.switch(token_lifetime=None)
    await wire.pool("Orders", **limit)
    taken = await wire.take("Orders")
    wire.world.clock.advance(30 * 24 * 3600)
    assert (await wire.entry(taken))["state"] == "PROCESSING"


@pytest.mark.parametrize("state", ["PENDING", "PROCESSING", "TIMEOUT", *FINAL])
async def test_only_pending_entries_are_canceled(wire: Any, state: str) -> None:
    entry = await _in_state(wire, state)
    path = f"/datapool/Letters/entry/{entry['id']}/cancel"
    answer = await wire.ask("PUT", path, {"state": "CANCELED", "message": "no longer needed"})
    if state == "PENDING":
        assert (answer.status, answer.body["state"], answer.body["message"]) == (200, "CANCELED", "no longer needed")
        await wire.pull("Letters", status=204)
    else:
        assert (answer.status, await wire.entry(entry)) == (400, entry)


async def test_a_cancellation_names_no_other_state(wire: Any) -> None:
    entry = await wire.push()
    await wire.ask("PUT", f"/datapool/Invoices/entry/{entry['id']}/cancel", {"state": "DONE"}, status=400)


@pytest.mark.parametrize(
    ("state", "status"),
    [("PENDING", 204), ("CANCELED", 204), ("DONE", 204), ("ERROR", 204), ("PROCESSING", 400), ("TIMEOUT", 400)],
)
async def test_entries_that_nobody_works_on_are_deleted(wire: Any, state: str, status: int) -> None:
    entry = await _in_state(wire, state)
    path = f"/datapool/Letters/entry/{entry['id']}"
    await wire.ask("DELETE", path, status=status)
    await wire.get(path, status=404 if status == 204 else 200)
    await wire.pull("Letters", status=204)


async def test_an_older_server_neither_cancels_nor_deletes_entries(wire: Any) -> None:
    wire.switch(cancel_entries=False)
    entry = await wire.push()
    path = f"/datapool/Invoices/entry/{entry['id']}"
    await wire.ask("PUT", f"{path}/cancel", {"state": "CANCELED"}, status=404)
    await wire.ask("DELETE", path, status=404)
    assert await wire.entry(entry) == entry


async def test_a_schema_can_be_enforced(wire: Any) -> None:
    await wire.pool("Orders", schema=[{"label": "n", "type": "INTEGER"}, {"label": "x", "type": "DOUBLE"}])
    await wire.push("Orders", values={"n": "many"})
    wire.switch(check_schema=True)
    for values in ({"n": "many"}, {"n": [1]}, {"x": "much"}):
        await wire.push("Orders", values=values, status=400)
    for allowed in ({"n": "3", "x": "1.5"}, {"n": 3}, {"other": "?"}, {"n": None}):
        await wire.push("Orders", values=allowed)


async def test_unique_keys_can_be_enforced(wire: Any) -> None:
    await wire.push(values={"number": "R-1"})
    await wire.push(values={"number": "R-1"})
    wire.switch(refuse_duplicate_keys=True)
    await wire.push(values={"number": "R-1"}, status=400)
    await wire.push(values={"number": "R-2"})
    await wire.push(values={})
    await wire.push(values={})
