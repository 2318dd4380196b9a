"""Standard tests of robots."""

from __future__ import annotations

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.robots import RobotState
from rpa_bridge.errors import NotFoundError

from .stage import Stage, listed
from .standard import requires


class RobotTests:
    """Standard tests of who can run jobs."""

    @requires("robots.find")
    async def test_each_robot_has_a_state_we_know(self, stage: Stage) -> None:
        found = await listed(stage.adapter.robots.find())
        assert found, "the harness's platform has no robot"
        for robot in found:
            assert robot.id
            assert robot.name
            assert robot.native_state
            assert robot.state is not RobotState.UNKNOWN

    @requires(Feature.ROBOT_GET, "robots.find")
    async def test_a_robot_is_had_by_its_name(self, stage: Stage) -> None:
        for robot in await listed(stage.adapter.robots.find()):
            got = await stage.adapter.robots.get(robot.name)
            assert (got.id, got.name) == (robot.id, robot.name)

    @requires(Feature.ROBOT_MACHINES)
    async def test_each_machine_is_listed_once(self, stage: Stage) -> None:
        found = await listed(stage.adapter.robots.machines())
        assert found, "the harness's platform has no machine"
        assert all(one.id and one.name for one in found)
        assert len({one.id for one in found}) == len(found)

    @requires(Feature.ROBOT_GET)
    async def test_an_unknown_robot_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("robot")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.robots.get(name)
        assert name in str(caught.value), "the error must name what is not there"
