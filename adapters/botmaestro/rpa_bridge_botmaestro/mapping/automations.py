"""Automations in neutral words."""

from __future__ import annotations

from rpa_bridge.contract.automations import Argument, Automation, AutomationSchema
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


def schema(activity: Activity) -> AutomationSchema:
    """What the automation takes; it gives nothing but item counts and files."""
    return AutomationSchema(
        inputs=tuple(
            Argument(name=one.label, type=one.type or "", required=bool(one.required), raw_data=one.raw)
            for one in activity.parameters or ()
        ),
        raw_data=activity.raw,
    )
