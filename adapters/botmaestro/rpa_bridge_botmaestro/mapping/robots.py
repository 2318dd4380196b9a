"""Runners in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.robots import Robot, RobotState
from rpa_bridge_botmaestro.wire.robots import Machine

STATES = {
    True: (RobotState.AVAILABLE, "online"),
    False: (RobotState.DISCONNECTED, "offline"),
    None: (RobotState.UNKNOWN, "unknown"),
}
"""By `isOnline`: ours, and the portal's word."""


def robot(machine: Machine) -> Robot:
    """The runner. The platform tells whether it is there, not whether it is at work."""
    state, native_state = STATES[machine.isOnline]
    return Robot(
        id=_first(machine.id, machine.machineId, machine.name),
        name=_first(machine.name, machine.machineId, machine.id),
        state=state,
        native_state=native_state,
        machine=None if machine.machineId is None else str(machine.machineId),
        raw_data=machine.raw,
    )


def _first(*given: int | str | None) -> str:
    """The first that says something."""
    return next((str(one) for one in given if one not in (None, "")), "")
