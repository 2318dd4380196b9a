"""Robots, sessions and machines in neutral words."""

from __future__ import annotations

from collections.abc import Iterable

from rpa_bridge.contract.robots import Machine, Robot, RobotState
from rpa_bridge_uipath.wire.robots import MachineDto, RobotRow, SessionDto

ROBOT_STATES: dict[str, RobotState] = {  # docs: uipath.md 3.4
    "Available": RobotState.AVAILABLE,
    "Busy": RobotState.BUSY,
    "Disconnected": RobotState.DISCONNECTED,
    "Unknown": RobotState.UNKNOWN,
}
UNRESPONSIVE, NO_SESSION = "Unresponsive", "Disconnected"
_LIVELIEST = (
    RobotState.BUSY,
    RobotState.AVAILABLE,
    RobotState.UNRESPONSIVE,
    RobotState.UNKNOWN,
    RobotState.DISCONNECTED,
)
"""Which of a robot's sessions speaks for it: the first of these states."""


def robot(row: RobotRow, sessions: Iterable[SessionDto]) -> Robot:
    """The robot, as its liveliest session tells of it; without one it is disconnected."""
    best = min(sessions, key=lambda one: _LIVELIEST.index(_state(one)), default=None)
    return Robot(
        id=str(row.Id),
        name=row.Name,
        state=RobotState.DISCONNECTED if best is None else _state(best),
        native_state=NO_SESSION if best is None else _native(best),
        machine=(best and (best.HostMachineName or best.MachineName)) or row.MachineName or None,
        raw_data=row.raw if best is None else row.raw | {"Session": best.raw},
    )


def machine(dto: MachineDto) -> Machine:
    """The machine."""
    return Machine(id=str(dto.Id), name=dto.Name, type=dto.Type or "", description=dto.Description, raw_data=dto.raw)


def _state(session: SessionDto) -> RobotState:
    return (
        RobotState.UNRESPONSIVE if session.IsUnresponsive else ROBOT_STATES.get(session.State or "", RobotState.UNKNOWN)
    )


def _native(session: SessionDto) -> str:
    return UNRESPONSIVE if session.IsUnresponsive else session.State or "Unknown"
