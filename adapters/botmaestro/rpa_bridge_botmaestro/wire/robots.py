"""Runners. docs: botmaestro.md 10"""

from __future__ import annotations

from rpa_bridge.transport.decode import WireModel


class Machine(WireModel):
    """A runner."""

    id: int | str | None = None
    machineId: str | int | None = None
    name: str | None = None
    isOnline: bool | None = None
