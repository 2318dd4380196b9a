"""What is asked of a platform by many processes, and by a program that waits for many jobs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from urllib.parse import unquote

from rpa_bridge import Job
from rpa_bridge.contract.adapter import AdapterContext
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge_uipath.adapter import UiPathAdapter
from rpa_bridge_uipath.settings import UiPathSettings

from .arena import Arena, Child
from .contenders.base import READ_ASSET
from .figures import Figure, Goal, Row, Section

RUN = 600.0
"""Seconds that a job runs, on the sandbox's clock: nobody waits for them."""
STARTED_TOGETHER = 50
MINUTE = timedelta(minutes=1)
ALLOWED = 90
_LIST = re.compile(r"/odata/Jobs\?.*Id in \(([\d,]+)\)")


def sections(arena: Arena) -> list[Section]:
    """One table."""
    return [
        Section(
            title="Many processes, many jobs",
            intro="The processes start at once with an empty cache folder. The jobs run on the sandbox's clock, and "
            "are waited for by the adapter as it speaks to UiPath's cloud; each is started within ten minutes and runs "
            "for ten more.",
            columns=("what", "measured"),
            rows=[_token_row(arena), *asyncio.run(_waiting_rows(arena.effort.jobs))],
        )
    ]


def _token_row(arena: Arena) -> Row:
    effort, before = arena.effort, arena.tokens()
    with ExitStack() as children:
        setup = arena.setup("fleet")
        workers = [children.enter_context(arena.worker()) for _ in range(effort.processes)]
        fleet = [Child(worker, "ours", setup) for worker in workers]
        for child in fleet:
            child.order(do="calls", kind=READ_ASSET, count=effort.calls_each, at_once=1)
        for child in fleet:
            child.answer()
    asked = Figure.of([arena.tokens() - before])
    what = f"{effort.processes} processes, {effort.calls_each} calls each: token requests"
    why = "the processes did not find each other's token in the cache folder."
    return Row(cells=(what, f"{asked.middle:.0f}"), name=what, figure=asked, goal=Goal(limit=1, why=why))


class OnCloud(UiPathSettings):
    """A sandbox that is spoken to as carefully as UiPath's cloud."""

    @property
    def is_cloud(self) -> bool:
        return True


class SandboxTime(ManualClock):
    """Moves the sandbox's time with its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        sandbox.world.clock.freeze()
        super().__init__(sandbox.world.clock.now())
        self._sandbox = sandbox

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._sandbox.world.clock.advance(seconds)


async def _waiting_rows(count: int) -> list[Row]:
    async with Sandbox(["uipath"]) as sandbox:
        sandbox.world.lifecycle.seconds = RUN
        settings = {name: value for name, value in sandbox.connections["uipath"].items() if name != "adapter"}
        clock = SandboxTime(sandbox)
        adapter = UiPathAdapter.open(OnCloud.model_validate(settings), AdapterContext(connection="erp", clock=clock))
        try:
            jobs: list[Job] = []
            while len(jobs) < count:
                jobs += await adapter.jobs.start_many("Invoices", min(STARTED_TOGETHER, count - len(jobs)))
                clock.advance(RUN * STARTED_TOGETHER / count)
            began = clock.now()
            ended = [job async for job in adapter.jobs.as_finished(jobs)]
        finally:
            await adapter.aclose()
        lists = [one for one in sandbox.world.exchanges if one.at >= began and "/odata/Jobs?" in one.path]
    return _judged(count, lists, ended)


def _judged(count: int, lists: Sequence[Exchange], ended: Sequence[Job]) -> list[Row]:
    a_minute, polls = Figure.of([_most_in_a_minute([one.at for one in lists])]), Figure.of([_most_polls(lists, ended)])
    what = f"waiting for {count:,} jobs on one tenant"
    lists_why = "more lists were asked for than the published budget allows; look at `UiPathSettings.list_rates`."
    polls_why = "an outcome was not taken from the first list that showed it."
    return [
        Row(
            cells=(f"{what}: lists in the busiest minute ({len(lists):,} in all)", f"{a_minute.middle:.0f}"),
            name=f"{what}: lists",
            figure=a_minute,
            goal=Goal(limit=ALLOWED, why=lists_why),
        ),
        Row(
            cells=(f"{what}: polls until an outcome is seen, at most", f"{polls.middle:.0f}"),
            name=f"{what}: polls",
            figure=polls,
            goal=Goal(limit=2, why=polls_why),
        ),
    ]


def _most_in_a_minute(moments: Sequence[datetime]) -> int:
    return max((sum(1 for one in moments if begin <= one < begin + MINUTE) for begin in moments), default=0)


def _most_polls(lists: Sequence[Exchange], ended: Sequence[Job]) -> int:
    """In how many lists a job stood after it had ended, at most."""
    looks: dict[str, list[datetime]] = {}
    for one in lists:
        found = _LIST.search(unquote(one.path))
        for job_id in found[1].split(",") if found else ():
            looks.setdefault(job_id, []).append(one.at)
    ends = {job.id: job.ended_at for job in ended}
    return max(sum(1 for at in looks.get(job_id, ()) if end and at >= end) for job_id, end in ends.items())
