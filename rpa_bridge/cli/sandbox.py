"""`rpa-bridge sandbox`: play the platforms on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .commands import Command, Group, examples
from .options import Duration

if TYPE_CHECKING:
    from rpa_bridge.sandbox.server import Sandbox

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Group)
def sandbox() -> None:
    """Play the platforms on this machine, for tests and trials."""


@sandbox.command(
    "serve",
    cls=Command,
    epilog=examples(
        "(umask 077; rpa-bridge sandbox serve > settings.json)    # settings with secrets must be yours alone",
        "rpa-bridge sandbox serve uipath --port 8800 --seconds 5s --ready-file ready.json",
    ),
)
@click.argument("vendors", metavar="[VENDOR]...", nargs=-1)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="First port; without it, free ones are taken.")
@click.option("--seed", type=int, default=0, help="Where its ids come from.")
@click.option("--state", "state_file", type=_FILE, help="Keep the state in this file; without it, in memory.")
@click.option("--ready-file", type=_FILE, help="Written when it is ready, removed at the end.")
@click.option("--looks", type=click.IntRange(min=0), help="Jobs end after so many looks at them.")
@click.option("--seconds", type=Duration(), help="Jobs end after so long.")
@click.option("--chaos", type=click.FloatRange(0, 1), help="This share of all requests fails, such as 0.1.")
def serve(
    vendors: tuple[str, ...],
    *,
    port: int,
    seed: int,
    state_file: Path | None,
    ready_file: Path | None,
    looks: int | None,
    seconds: float | None,
    chaos: float | None,
) -> None:
    """Plays platforms on 127.0.0.1 until Ctrl-C, and prints the settings to use."""
    from rpa_bridge.sandbox.faults import Chaos
    from rpa_bridge.sandbox.server import Sandbox

    stage = Sandbox(vendors or None, port=port, seed=seed, state_file=state_file)
    if looks is not None:
        stage.world.lifecycle.looks = looks
    if seconds is not None:
        stage.world.lifecycle.seconds = seconds
    if chaos is not None:
        stage.faults.chaos = Chaos(chaos, seed=seed)
    asyncio.run(_serve(stage, ready_file))


async def _serve(stage: Sandbox, ready_file: Path | None) -> None:
    from .render import note, to_json

    ended = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM to listen to
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with stage:
        click.echo(to_json({"connections": stage.connections}, indent=2))
        note(f"THIS IS A SANDBOX of {' and '.join(stage.faces)}: nothing here is real. Ctrl-C ends it.")
        note(f"steer it at {stage.control_url}")
        with _announced(stage, ready_file):
            await ended.wait()


@contextlib.contextmanager
def _announced(stage: Sandbox, ready_file: Path | None) -> Iterator[None]:
    """Tells other programs that the sandbox is ready, for the length of a block."""
    from rpa_bridge.sandbox.server import write_ready_file

    if ready_file is None:
        yield
        return
    write_ready_file(ready_file, stage)
    try:
        yield
    finally:
        ready_file.unlink(missing_ok=True)
