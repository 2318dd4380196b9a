"""Automations in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.automations import Automation
from rpa_bridge_botmaestro.wire.automations import Activity


def automation(activity: Activity) -> Automation:
    """The automation in neutral words; its label is what starts it."""
    return Automation(
        id=str(activity.id if activity.id is not None else activity.label),
        name=activity.label,
        description=activity.description or activity.name,
        package=activity.botId,
        raw_data=activity.raw,
    )
