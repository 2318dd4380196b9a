"""Plans between two ends, and their steps."""

from __future__ import annotations

from typing import Any

from rpa_bridge.migration.documents import Kind, Plan, Step
from rpa_bridge.migration.planning.plan import plan
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.selection import Selection
from tests.migration.ends import EVERYTHING, Ends

QUEUES = Selection(queues=("*",))


async def planned(ends: Ends, select: Selection = EVERYTHING, **rules: Any) -> Plan:
    """The plan with these rules."""
    return await plan(ends.source.adapter, ends.target.adapter, select, rules=Rules.of(rules), clock=ends.clock)


def steps(made: Plan, kind: Kind) -> dict[str, Step]:
    """The plan's steps of one kind, by name."""
    return {one.name: one for one in made.steps if one.kind is kind}
