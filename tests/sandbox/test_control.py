from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from rpa_bridge.sandbox.server import Sandbox


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[ClientSession]:
    async with ClientSession(sandbox.control_url) as session:
        yield session


async def _ask(control: ClientSession, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    async with control.request(method, path, json=body) as response:
        assert response.status == status
        return await response.json()


async def test_the_root_tells_what_is_here(sandbox: Sandbox, control: ClientSession) -> None:
    here = await _ask(control, "GET", "")
    assert here["faces"]["counter"] == {"title": "Counter", "origin": sandbox.origins["counter"]}
    assert here["connections"] == sandbox.connections
    assert "POST /_sandbox/clock" in here["routes"]


async def test_the_clock_is_set_frozen_moved_and_let_go(sandbox: Sandbox, control: ClientSession) -> None:
    noon = "2031-05-06T12:00:00+00:00"
    assert await _ask(control, "POST", "clock", {"now": noon, "freeze": True}) == {"now": noon, "frozen": True}
    moved = await _ask(control, "POST", "clock", {"advance": 90})
    assert moved == {"now": "2031-05-06T12:01:30+00:00", "frozen": True}
    assert await _ask(control, "GET", "clock") == moved
    again = await _ask(control, "POST", "clock", {"now": noon})
    assert again == {"now": noon, "frozen": True}
    running = await _ask(control, "POST", "clock", {"freeze": False})
    assert running["frozen"] is False
    assert 0 <= (sandbox.world.clock.now() - datetime.fromisoformat(noon)).total_seconds() < 60


async def test_faults_are_ordered_shown_played_and_cancelled(
    sandbox: Sandbox, control: ClientSession, client: ClientSession
) -> None:
    shown = await _ask(control, "POST", "faults", [{"kind": "status", "status": 503, "times": 2}, {"kind": "cut"}])
    assert [fault["kind"] for fault in shown["faults"]] == ["status", "cut"]
    async with client.post("/count/a") as response:
        assert response.status == 503
    assert (await _ask(control, "GET", "faults"))["faults"][0]["times"] == 1
    assert await _ask(control, "DELETE", "faults") == {"faults": []}
    async with client.post("/count/a") as response:
        assert response.status == 200


async def test_chaos_is_set_shown_and_ended(sandbox: Sandbox, control: ClientSession, client: ClientSession) -> None:
    wanted = {"probability": 1.0, "match": "POST *", "seed": 3, "longest_delay": 5.0}
    assert await _ask(control, "POST", "chaos", wanted) == {"chaos": wanted}
    with suppress(ClientError):
        async with client.post("/count/a") as response:
            await response.json()
    assert await _ask(control, "DELETE", "chaos") == {"chaos": None}
    assert await _ask(control, "GET", "chaos") == {"chaos": None}
    async with client.post("/count/a") as response:
        assert response.status == 200


async def test_what_is_late_is_shown_and_is_carried_out_when_the_clock_is_moved(
    sandbox: Sandbox, control: ClientSession, client: ClientSession
) -> None:
    await _ask(control, "POST", "clock", {"now": "2031-05-06T12:00:00+00:00", "freeze": True})
    await _ask(control, "POST", "faults", {"kind": "status", "status": 504, "when": "late", "delay": 20})
    async with client.post("/count/a") as response:
        assert response.status == 504
    assert await _ask(control, "GET", "late") == {"on_their_way": ["2031-05-06T12:00:20+00:00"]}
    await _ask(control, "POST", "clock", {"advance": 30})
    assert await _ask(control, "GET", "late") == {"on_their_way": []}
    (late,) = (await _ask(control, "GET", "requests"))["requests"]
    assert (late["executed"], late["executed_at"]) == (True, "2031-05-06T12:00:30+00:00")
    assert sandbox.faces["counter"].dump()["counts"]["a"] == 1


async def test_a_list_with_one_wrong_fault_orders_none(sandbox: Sandbox, control: ClientSession) -> None:
    await _ask(control, "POST", "faults", [{"kind": "cut"}, {"kind": "melt"}], status=400)
    assert sandbox.faults.faults == []


async def test_the_lifecycle_changes_only_where_told(sandbox: Sandbox, control: ClientSession) -> None:
    await _ask(control, "POST", "lifecycle", {"looks": 3, "endings": {"Invoices": {"outcome": "failed"}}})
    shown = await _ask(control, "POST", "lifecycle", {"hold": True})
    assert (shown["looks"], shown["hold"], shown["endings"]["Invoices"]["outcome"]) == (3, True, "failed")
    assert sandbox.world.lifecycle.ending("Invoices").outcome == "failed"
    assert sandbox.world.lifecycle.ending("Letters").outcome == "succeeded"


async def test_switches_are_set_and_set_back(sandbox: Sandbox, control: ClientSession) -> None:
    assert await _ask(control, "POST", "switches", {"counter.mood": "bad", "counter.speed": 2}) == {
        "counter.mood": "bad",
        "counter.speed": 2,
    }
    assert sandbox.world.switch("counter.mood", "good") == "bad"
    assert await _ask(control, "POST", "switches", {"counter.mood": None}) == {"counter.speed": 2}
    assert sandbox.world.switch("counter.mood", "good") == "good"


async def test_requests_are_listed_by_face_and_path_and_cleared(
    sandbox: Sandbox, control: ClientSession, client: ClientSession
) -> None:
    for face, name in (("counter", "a"), ("counter", "b"), ("other", "a")):
        async with client.post(f"{sandbox.origins[face]}/count/{name}") as response:
            assert response.status == 200
    everything = (await _ask(control, "GET", "requests"))["requests"]
    assert [(one["face"], one["path"]) for one in everything] == [
        ("counter", "/count/a"),
        ("counter", "/count/b"),
        ("other", "/count/a"),
    ]
    assert datetime.fromisoformat(everything[0]["at"]).tzinfo is not None
    chosen = (await _ask(control, "GET", "requests?face=counter&path=*/a"))["requests"]
    assert [one["number"] for one in chosen] == [1]
    assert await _ask(control, "DELETE", "requests") == {"requests": []}


async def test_reset_brings_back_the_day_of_birth(
    sandbox: Sandbox, control: ClientSession, client: ClientSession
) -> None:
    async with client.post("/count/a") as response:
        first = await response.json()
    await _ask(control, "POST", "clock", {"advance": 1e6})
    await _ask(control, "POST", "faults", {"kind": "cut"})
    await _ask(control, "POST", "lifecycle", {"hold": True})
    await _ask(control, "POST", "switches", {"counter.mood": "bad"})
    assert (await _ask(control, "GET", "state"))["faces"]["counter"] == {"counts": {"born": 1, "a": 1}}
    await _ask(control, "POST", "reset")
    assert sandbox.world.exchanges == []
    assert sandbox.faults.faults == []
    assert sandbox.world.lifecycle.hold is False
    assert sandbox.world.switches == {}
    assert (await _ask(control, "GET", "state"))["faces"]["counter"] == {"counts": {"born": 1}}
    async with client.post("/count/a") as response:
        assert await response.json() == first


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("clock", {"advnce": 3}, "there is no 'advnce'; did you mean 'advance'?"),
        ("clock", {"now": "noon"}, "now: "),
        ("clock", {"now": "2031-05-06T12:00:00"}, "now: Input should have timezone info"),
        ("clock", [], "expected an object with any of: freeze, now, advance"),
        ("faults", {"kind": "melt"}, "kind: "),
        ("faults", {"match": "*"}, "kind: "),
        ("faults", {"kind": "status", "status": 7}, "a fault's status must be from 200 to 599"),
        ("chaos", {"probability": 3}, "the probability of chaos must be from 0 to 1"),
        ("lifecycle", {"looks": "many"}, "looks: "),
        ("lifecycle", {"endings": {"Invoices": {"outcome": 3}}}, "endings.Invoices.outcome: "),
        ("switches", 3, "switches are an object such as"),
    ],
)
async def test_wrong_input_is_answered_with_a_sentence(
    control: ClientSession, path: str, body: Any, sentence: str
) -> None:
    answer = await _ask(control, "POST", path, body, status=400)
    assert sentence in answer["error"]


async def test_a_body_that_is_not_json_is_answered_with_a_sentence(control: ClientSession) -> None:
    async with control.post("clock", data=b"{") as response:
        assert (response.status, await response.json()) == (400, {"error": "the body must be JSON"})


async def test_each_face_has_its_own_routes_below_its_name(sandbox: Sandbox, control: ClientSession) -> None:
    for name, origin in sandbox.origins.items():
        assert await _ask(control, "GET", f"{name}/tell/origin") == {"face": name, "origin": origin}
        assert f"GET /_sandbox/{name}/tell/{{what}}" in (await _ask(control, "GET", ""))["routes"]
    answer = await _ask(control, "GET", "counter/tell/tales", status=400)
    assert answer["error"] == "only the origin can be told"


async def test_an_unknown_route_points_to_the_list(control: ClientSession) -> None:
    answer = await _ask(control, "GET", "clokc", status=404)
    assert answer["error"] == "there is no /_sandbox/clokc; see GET /_sandbox/"
