"""Automations. docs: botmaestro.md 10"""

from __future__ import annotations

from rpa_bridge.transport.decode import WireModel


class Parameter(WireModel):
    """One input of an automation."""

    label: str
    type: str | None = None
    required: bool | None = None


class Activity(WireModel):
    """An automation."""

    id: int | str | None = None
    label: str
    name: str | None = None
    description: str | None = None
    botId: str | None = None
    parameters: list[Parameter] | None = None
