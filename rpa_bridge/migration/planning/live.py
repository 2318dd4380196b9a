"""What is at work at the source, and how it is paused."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import Queue
from rpa_bridge.contract.schedules import Schedule
from rpa_bridge.errors import DeniedError
from rpa_bridge.migration import inventory
from rpa_bridge.redaction import REDACTOR


@dataclass(frozen=True, slots=True)
class Life:
    """What goes on at the source, a sentence each."""

    live: tuple[str, ...] = ()
    """What works on the queues, and must be paused."""
    perhaps: tuple[str, ...] = ()
    """What may work on them: a person must look."""


async def at_work(source: Adapter, queues: Sequence[Queue], taken: Mapping[str, int]) -> Life:
    """What works on these queues; `taken` has, by queue, how many items are being worked on."""
    if not queues:
        return Life()
    triggers, others = await _of_schedules(source, queues)
    worked = [_of_taken(name, number) for name, number in taken.items() if number]
    return Life((*_of_active(source, queues), *worked, *triggers), (*_always_open(source), *others))


def _always_open(source: Adapter) -> list[str]:
    """Where nobody can keep items from being taken, whether somebody takes them or not."""
    if Feature.QUEUE_DEACTIVATE in source.capabilities:
        return []
    return ["the source's queues cannot be deactivated: stop by hand what adds items to them, and what takes them"]


def _of_active(source: Adapter, queues: Sequence[Queue]) -> list[str]:
    if Feature.QUEUE_DEACTIVATE not in source.capabilities:
        return []
    command, on = "rpa-bridge queues deactivate", shlex.quote(source.connection)
    return [
        f"queue {one.name!r} is active: `{command} {shlex.quote(one.name)} --on {on}` keeps items from being taken"
        for one in queues
        if one.active
    ]


def _of_taken(queue: str, number: int) -> str:
    return (
        f"{number} of the items in queue {queue!r} are being worked on: let them end, since one that fails may come "
        f"back as a new item"
    )


async def _of_schedules(source: Adapter, queues: Sequence[Queue]) -> tuple[list[str], list[str]]:
    """The triggers of these queues, and the schedules of which nobody can tell what they work on."""
    if Feature.SCHEDULE_FIND not in source.capabilities:
        return [], []
    try:
        enabled = await inventory.schedules(source)
    except DeniedError as error:
        problem = REDACTOR.line(str(error))
        return [], [f"what starts jobs by itself cannot be read ({problem}): see in the portal, and disable it"]
    names = {queue.name.casefold() for queue in queues}
    triggers = [_of_trigger(one) for one in enabled if one.queue is not None and one.queue.casefold() in names]
    others = [one for one in enabled if one.queue is None]
    if not others:
        return triggers, []
    listed = ", ".join(f"{one.name!r}" + (f" ({one.automation})" if one.automation else "") for one in others)
    return triggers, [f"disable in the portal which of these schedules work on the queues: {listed}"]


def _of_trigger(schedule: Schedule) -> str:
    starts = f" starts {schedule.automation!r}" if schedule.automation else " starts jobs"
    return f"trigger {schedule.name!r}{starts} for queue {schedule.queue!r}: disable it in the portal"
