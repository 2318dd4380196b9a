"""Robots as their sessions tell of them, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from rpa_bridge import Adapter, NotFoundError, RobotState
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge_uipath.mapping.robots import ROBOT_STATES, robot
from rpa_bridge_uipath.robots import UiPathRobots
from rpa_bridge_uipath.wire.robots import RobotRow, SessionDto

SESSION_WORDS = ("Available", "Busy", "Disconnected", "Unknown")  # docs: uipath.md 3.4


def session(state: str, *, unresponsive: bool = False, host: str | None = None) -> SessionDto:
    row = {"Id": 1, "State": state, "IsUnresponsive": unresponsive, "HostMachineName": host, "Robot": {"Id": 7}}
    return SessionDto.of(row, "test")


def test_the_table_of_states_is_whole() -> None:
    assert set(ROBOT_STATES) == set(SESSION_WORDS)


@pytest.mark.parametrize(
    ("sessions", "state"),
    [
        ([], RobotState.DISCONNECTED),
        ([session("Disconnected"), session("Available")], RobotState.AVAILABLE),
        ([session("Available"), session("Busy")], RobotState.BUSY),
        ([session("Available", unresponsive=True)], RobotState.UNRESPONSIVE),
        ([session("Sleeping")], RobotState.UNKNOWN),
    ],
)
def test_the_liveliest_session_speaks_for_a_robot(sessions: list[SessionDto], state: RobotState) -> None:
    found = robot(RobotRow.of({"Id": 7, "Name": "r"}, "test"), sessions)

    assert found.state is state
    assert found.native_state


@pytest.mark.parametrize(
    ("ordered", "state"),
    [("Disconnected", RobotState.DISCONNECTED), ("Unresponsive", RobotState.UNRESPONSIVE)],
)
async def test_a_robot_that_cannot_be_heard_says_so(
    erp: Adapter, sandbox: Sandbox, ordered: str, state: RobotState
) -> None:
    sandbox.world.switches["uipath.robot_state"] = ordered

    (found,) = [one async for one in erp.robots.find()]

    assert (found.state, found.native_state) == (state, ordered)
    assert found.machine
    assert await erp.robots.get(found.name.upper()) == found


async def test_a_robot_at_work_is_busy(erp: Adapter, sandbox: Sandbox) -> None:
    sandbox.world.lifecycle.looks = 20
    job = await erp.jobs.start("Invoices")
    while (await erp.jobs.get(job.id)).native_state != "Running":
        assert not (await erp.jobs.get(job.id)).finished

    (found,) = [one async for one in erp.robots.find()]

    assert found.state is RobotState.BUSY


async def test_a_robots_name_is_escaped(script: Any) -> None:
    script.page()

    with pytest.raises(NotFoundError, match="O'Brien"):
        await UiPathRobots(script.client, script.clock).get("O'Brien")

    assert script.requests[0].params["$filter"] == "Name eq 'O''Brien'"
