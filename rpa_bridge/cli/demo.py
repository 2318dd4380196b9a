"""`rpa-bridge demo`: a job and a queue on every platform that can be played here, through one interface."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rpa_bridge.contract.jobs import Job
from rpa_bridge.contract.model import Neutral
from rpa_bridge.contract.queues import Item, ItemDraft

from .commands import Command, examples
from .state import Output, State, current_state

if TYPE_CHECKING:
    from rpa_bridge.contract.adapter import Adapter

T = TypeVar("T")

INPUTS = {"month": "2026-10"}
DRAFTS = (
    ItemDraft(reference="demo-1", values={"number": "4711", "amount": 12.5}),
    ItemDraft(reference="demo-2", values={"number": "4712"}),
)
LONGEST_WAIT = 30.0
"""Seconds for one job; it takes about one."""

LOCAL = "local"
_LOCAL_PROGRAM = """
import json, os, sys
inputs = json.load(sys.stdin)
with open(os.environ["RPA_BRIDGE_JOB_OUTPUT"], "w") as file:
    json.dump({"closed": inputs["month"]}, file)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Neutral):
    """What happened on one platform."""

    connection: str
    platform: str
    job: Job
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Neutral):
    """What happened on all of them."""

    stories: tuple[Story, ...]
    seconds: float


@click.command(cls=Command, epilog=examples("rpa-bridge demo", "rpa-bridge demo --output json"))
def demo() -> None:
    """Starts a job and works a queue on each platform, played on this machine; leaves nothing behind."""
    asyncio.run(_demo(current_state()))


async def _demo(state: State) -> None:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.clock import SystemClock
    from rpa_bridge.sandbox.server import Sandbox

    from .render import note, show

    clock = SystemClock()
    began = clock.monotonic()
    async with Sandbox() as stage:
        stage.world.lifecycle.looks = 2
        note(f"playing {' and '.join(stage.faces)} on this machine; nothing leaves it")
        connections = {**stage.connections, **_local_connection()}
        async with Bridge({"connections": connections}, cache_dir=None) as bridge:
            stories = [await _story(bridge[name]) for name in bridge]
    report = Report(stories=tuple(stories), seconds=round(clock.monotonic() - began, 1))
    if state.output is Output.TABLE:
        _draw(report)
    else:
        show(report, state.output)


def _local_connection() -> dict[str, dict[str, Any]]:
    """The offline platform in memory with one automation, if it is installed."""
    from rpa_bridge.registry import installed

    if LOCAL not in {one.name for one in installed()}:
        return {}
    command = [sys.executable, "-c", _LOCAL_PROGRAM]
    return {LOCAL: {"adapter": LOCAL, "path": ":memory:", "automations": {"Invoices": {"command": command}}}}


async def _story(adapter: Adapter) -> Story:
    from .render import note

    job = await _run_a_job(adapter)
    note(f"{adapter.connection}: job {job.id} is over, now the queue")
    return Story(
        connection=adapter.connection,
        platform=adapter.info.title,
        job=job,
        items=tuple(await _work_a_queue(adapter)),
    )


async def _run_a_job(adapter: Adapter) -> Job:
    automation = await _first(adapter.automations.find(), f"{adapter.connection} has no automation to start")
    job = await adapter.jobs.start(automation.name, INPUTS)
    return await adapter.jobs.wait(job, timeout=LONGEST_WAIT)


async def _work_a_queue(adapter: Adapter) -> list[Item]:
    """The items that were added, after each was worked under a lease: one goes well, one is itself at fault."""
    from rpa_bridge.errors import BusinessError

    service = adapter.queues
    queue = await _queue(adapter)
    added = [(await service.add(queue, draft)).id for draft in DRAFTS]
    waiting = set(added)
    while waiting:
        with suppress(BusinessError):  # by then the lease has reported it
            async with service.lease(queue) as item:
                if item is None:
                    break
                waiting.discard(item.id)
                if "amount" not in item.values:
                    raise BusinessError(f"invoice {item.values.get('number')} has no amount")
                item.output["booked"] = item.values["amount"]
    return [await service.get_item(queue, item_id) for item_id in added]


async def _queue(adapter: Adapter) -> str:
    """A queue to work: a new one where the platform lets us make it, else the first that is there."""
    from rpa_bridge.contract.features import Feature
    from rpa_bridge.contract.queues import QueueDraft

    if Feature.QUEUE_CREATE in adapter.capabilities:
        return (await adapter.queues.create(QueueDraft(name="Demo"))).name
    return (await _first(adapter.queues.find(), f"{adapter.connection} has no queue to work")).name


async def _first(found: AsyncIterator[T], otherwise: str) -> T:
    """The first of what is found. Raises NotFoundError with this sentence when there is none."""
    from rpa_bridge.errors import NotFoundError

    async for one in found:
        return one
    raise NotFoundError(otherwise)


def _draw(report: Report) -> None:
    from .render import print_rich, table

    names = [story.connection for story in report.stories]
    click.echo("One job on each platform, in the same words:\n")
    print_rich(table(list(_job_rows(report.stories)), ("", *names)))
    click.echo("\nTwo items on each queue, worked under a lease:\n")
    columns = ("platform", "item", "values", "state", "its_own_word", "what_came_of_it")
    print_rich(table(list(_item_rows(report.stories)), columns))
    click.echo(f"\nDone in {report.seconds} s; the platforms were played on this machine, and nothing is left of them.")


def _job_rows(stories: Iterable[Story]) -> Iterable[dict[str, Any]]:
    yield {"": "platform", **{one.connection: one.platform for one in stories}}
    for title, name in (
        ("automation", "automation"),
        ("inputs", "inputs"),
        ("state", "state"),
        ("outcome", "outcome"),
        ("its own word", "native_state"),
        ("outputs", "outputs"),
        ("message", "message"),
    ):
        yield {"": title, **{one.connection: getattr(one.job, name) for one in stories}}


def _item_rows(stories: Iterable[Story]) -> Iterable[dict[str, Any]]:
    for story in stories:
        for item in story.items:
            yield {
                "platform": story.connection,
                "item": item.reference,
                "values": item.values,
                "state": item.state,
                "its_own_word": item.native_state,
                "what_came_of_it": item.failure.reason if item.failure else item.output,
            }
