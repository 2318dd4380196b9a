"""Runners: whether they are there, under the names that people know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, InvalidError, NotFoundError, UnavailableError
from rpa_bridge.contract.robots import RobotState
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_botmaestro.robots import BotMaestroRobots

Requests = Callable[[str], list[Exchange]]
Rewrite = Callable[[Callable[[Any], None]], None]


def scripted(script: Any) -> BotMaestroRobots:
    return BotMaestroRobots(script.client, script.clock)


async def test_a_runner_is_there_or_not(maestro: Adapter) -> None:
    found = [(one.id, one.name, one.state, one.native_state, one.machine) async for one in maestro.robots.find()]
    assert found == [
        ("1", "runner-1", RobotState.AVAILABLE, "online", "runner-1"),
        ("2", "runner-2", RobotState.DISCONNECTED, "offline", "runner-2"),
    ]


@pytest.mark.parametrize("name", ["Größe ☃", "a/b", "100 %?#", 'it\'s "quoted"'])
async def test_a_runner_is_had_by_any_name_on_any_page(
    sandbox: Sandbox, maestro: Adapter, rewrite: Rewrite, name: str
) -> None:
    def add(state: Any) -> None:
        state["machines"]["r-3"] = state["machines"]["runner-2"] | {"id": 3, "machine_id": "r-3", "name": name}

    rewrite(add)
    sandbox.world.switches["botmaestro.max_page_size"] = 1
    assert (await maestro.robots.get(name)).id == "3"


async def test_a_runner_that_is_not_there_is_not_found(maestro: Adapter, requests: Requests) -> None:
    with pytest.raises(NotFoundError, match="there is no robot 'runner-9'"):
        await maestro.robots.get("runner-9")
    asked = len(requests("*"))
    with pytest.raises(InvalidError):
        await maestro.robots.get(" ")
    assert len(requests("*")) == asked


async def test_a_list_that_cannot_be_read_is_not_an_empty_one(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="GET */machine/pagination*", times=99))
    with pytest.raises(UnavailableError):
        await maestro.robots.get("runner-1")


async def test_runners_that_have_nothing_but_a_name_are_all_listed(script: Any) -> None:
    script.page(
        {"name": "a", "isOnline": True},
        {"name": "b", "isOnline": None, "id": None, "machineId": None},
        {"name": None, "machineId": "c", "isOnline": False},
        {"name": "", "id": 4},
        {"name": "a", "isOnline": True},
        last=True,
    )
    found = [one async for one in scripted(script).find()]
    assert [(one.id, one.name) for one in found] == [("a", "a"), ("b", "b"), ("c", "c"), ("4", "4"), ("a", "a")]
    assert [one.state for one in found[1:3]] == [RobotState.UNKNOWN, RobotState.DISCONNECTED]
    assert found[1].native_state == "unknown"
