"""`rpa-bridge demo`: every platform that can be played here does the same work, through one interface."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from rpa_bridge.contract.model import Neutral

from .commands import Command, examples
from .state import Output, State, current_state

if TYPE_CHECKING:
    from .demo_moves import Tour
    from .demo_steps import Story

ABSENT = "not on this platform"
LOCAL = "local"
SETTLE_WINDOW = 0.5
"""Seconds after which a request can no longer arrive: the platforms played here carry none out late."""
_LOCAL_PROGRAM = """
import json, os, sys
inputs = json.load(sys.stdin)
with open(os.environ["RPA_BRIDGE_JOB_OUTPUT"], "w") as file:
    json.dump({"closed": inputs["month"]}, file)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Neutral):
    """What happened on all of them."""

    stories: tuple[Story, ...]
    tour: Tour
    seconds: float


@click.command(cls=Command, epilog=examples("rpa-bridge demo", "rpa-bridge demo --output json"))
def demo() -> None:
    """Runs a job, works a queue, and moves a file, a credential, a log line and an alert, on each platform.

    Then a queue moves house from platform to platform and back; the process that copies is killed on the way. The
    platforms are played on this machine, and nothing is left behind.
    """
    asyncio.run(_demo(current_state()))


async def _demo(state: State) -> None:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.clock import SystemClock
    from rpa_bridge.sandbox.server import Sandbox

    from .demo_moves import tour
    from .demo_steps import story
    from .render import note, show

    clock = SystemClock()
    began = clock.monotonic()
    with TemporaryDirectory() as folder:
        async with Sandbox() as stage:
            stage.world.lifecycle.looks = 2
            note(f"playing {' and '.join(stage.faces)} on this machine; nothing leaves it")
            played = {name: one | {"settle_window": SETTLE_WINDOW} for name, one in stage.connections.items()}
            connections = {**played, **_local_connection()}
            async with Bridge({"connections": connections}, cache_dir=None) as bridge:
                stories = [await story(bridge[name]) for name in bridge]
                toured = await tour(bridge, played, clock, Path(folder))
    report = Report(stories=tuple(stories), tour=toured, seconds=round(clock.monotonic() - began, 1))
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


def _draw(report: Report) -> None:
    from .render import print_rich, table

    names = [story.connection for story in report.stories]
    click.echo("One job on each platform, in the same words:\n")
    print_rich(table(list(_job_rows(report.stories)), ("", *names)))
    click.echo("\nTwo items on each queue, worked under a lease:\n")
    columns = ("platform", "item", "values", "state", "its_own_word", "what_came_of_it")
    print_rich(table(list(_item_rows(report.stories)), columns))
    click.echo("\nA file, a credential, a log line and an alert, written and read back:\n")
    print_rich(table(list(_kept_rows(report.stories)), ("", *names)))
    click.echo("\nA queue moves house and comes back; each time it is read back and compared:\n")
    print_rich(table(list(_move_rows(report.tour)), ("from", "to", "items", "verified", "on_the_way")))
    click.echo(f"\n{report.tour.back} of {report.tour.sent} items are back, each once and the same.")
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


def _move_rows(tour: Tour) -> Iterable[dict[str, Any]]:
    for leg in tour.legs:
        killed = f"its process was killed when {leg.killed_at} were there; another went on"
        yield {
            "from": leg.source,
            "to": leg.target,
            "items": leg.items,
            "verified": leg.verified,
            "on_the_way": killed if leg.killed_at is not None else "",
        }


def _kept_rows(stories: Iterable[Story]) -> Iterable[dict[str, Any]]:
    kept = {story.connection: _kept(story) for story in stories}
    for title in ("file", "credential", "its values", "log line", "alert"):
        yield {"": title, **{name: one.get(title, ABSENT) for name, one in kept.items()}}


def _kept(story: Story) -> dict[str, Any]:
    """What the platform has kept, by the titles of the rows; what it does not have is left out."""
    kept: dict[str, Any] = {}
    if story.file:
        kept["file"] = f"{story.file.name}, {story.file.size} bytes"
    if story.credential:
        kept["credential"] = story.credential.keys
        kept["its values"] = "read back" if story.revealed else "not shown to this identity"
    if story.log_line:
        kept["log line"] = story.log_line.values
    if story.alert:
        kept["alert"] = f"{story.alert.severity}: {story.alert.message}"
    return kept
