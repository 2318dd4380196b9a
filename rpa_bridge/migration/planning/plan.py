"""Plans: both ends are read, and every thing that is selected gets its verdict. Nothing is changed anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import rpa_bridge
from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.queues import ItemState
from rpa_bridge.migration.documents import Plan, Side, Verdict
from rpa_bridge.migration.rules import Rules
from rpa_bridge.migration.running import Progress
from rpa_bridge.migration.selection import Selection

from .artifacts import weigh_artifacts
from .assets import weigh_assets
from .common import Survey
from .credentials import weigh_credentials
from .estimate import estimated
from .items import Stats, read_stats, weigh_items
from .live import at_work
from .queues import weigh_queues

OF_ITEMS = (
    "items that are not new: no platform lets one be made that is done, failed or taken",
    "of items: ids, times of creation, attempts before, outputs, comments, and who worked on them",
    "of items: priorities finer than low, normal and high",
    "of queues: settings that only the source knows",
)
OF_FILES = (
    "of files: ids and times of creation",
    "files that the source lists only when it is asked for their job",
)


def _ignore(_: Progress) -> None:
    return None


async def plan(
    source: Adapter,
    target: Adapter,
    select: Selection,
    *,
    rules: Rules | None = None,
    clock: Clock | None = None,
    on_progress: Callable[[Progress], None] = _ignore,
) -> Plan:
    """What a migration would do; both ends are only read, the source once.

    Items and files are streamed: of those that must have a name of their own eight bytes each are kept. Raises
    RemoteError when an end cannot be read.
    """
    survey = Survey(source=source, target=target, select=select, rules=rules or Rules(), on_progress=on_progress)
    queues = await weigh_queues(survey)
    steps = [one.step for one in queues]
    stats = {one.queue.name: await read_stats(survey, one.queue.name) for one in queues}
    life = await at_work(
        source, [one.queue for one in queues if one.step.verdict is not Verdict.BLOCKED], _taken(stats)
    )
    survey.warnings += life.perhaps
    steps += [await weigh_items(survey, one, stats[one.queue.name]) for one in queues]
    steps += await weigh_assets(survey)
    steps += await weigh_credentials(survey)
    steps += await weigh_artifacts(survey)
    return Plan(
        made_at=(clock or SystemClock()).now(),
        tool=rpa_bridge.__version__,
        source=_side(source),
        target=_side(target),
        select=select.as_json(),
        rules=survey.rules.as_json(),
        conflicts=survey.rules.by_kind,
        steps=tuple(steps),
        live=life.live,
        warnings=tuple(survey.warnings),
        left_behind=(
            *(OF_ITEMS if select.queues else ()),
            *(OF_FILES if select.artifacts else ()),
            *survey.left_behind,
        ),
        estimate=estimated(steps, source.capabilities.limits, target.capabilities.limits),
    )


def _taken(stats: Mapping[str, Stats]) -> dict[str, int]:
    return {queue: counts.get(ItemState.TAKEN, 0) for queue, counts in stats.items()}


def _side(adapter: Adapter) -> Side:
    return Side(connection=adapter.connection, adapter=adapter.info.name, place=adapter.place)
