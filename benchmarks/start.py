"""From nothing to the first job, what imports cost, and how long the command line takes to say something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .arena import PLAIN, ROOT, Arena
from .contenders.ours import document
from .figures import Figure, Goal, Row, Section

SCRIPTS = {"raw": "raw aiohttp", "ours": "ours", "floor": "standard library", "uipath_sdk": "UiPath's SDK"} | {
    "botcity_sdk": "BotCity's SDK"
}
COMMANDS: dict[str, Sequence[str]] = {
    "python": (sys.executable, "-c", ""),
    "import rpa_bridge": (sys.executable, "-c", "import rpa_bridge"),
    "import aiohttp": (sys.executable, "-c", "import aiohttp"),
    "import uipath.platform": (sys.executable, "-c", "from uipath.platform import UiPath"),
    "import botcity.maestro": (sys.executable, "-c", "import botcity.maestro"),
    "rpa-bridge --help": (str(Path(sys.executable).with_name("rpa-bridge")), "--help"),
}
HELP = "rpa-bridge --help"
WHY_COLD = (
    "on top of aiohttp come pydantic, which alone takes more than the goal leaves, the classes of the contract and the "
    "adapter, the settings file, the plug-in's entry point, the token in the cache folder, the outbox, and one more "
    "request: the automation's key is looked up by its name. Where a keyring seals the token, it is asked besides."
)
WHY_HELP = "click is imported, and the commands' names; their code is not."


def sections(arena: Arena) -> list[Section]:
    """One table."""
    environment = _compiling(arena)
    cold, imports = _cold(arena, environment), _commands(arena, environment)
    bare = imports["python"]
    rows = [_cold_row(name, cold) for name in SCRIPTS]
    for name, seconds in imports.items():
        over = Figure.of([1000 * (one - other) for one, other in zip(seconds, bare, strict=True)])
        goal = Goal(limit=120, unit=" ms", why=WHY_HELP) if name == HELP else None
        cells = (f"`{name}`", f"{1000 * Figure.of(seconds).middle:.0f} ms", f"{over} ms over bare Python")
        rows.append(Row(cells=cells, name=name, figure=over, goal=goal))
    return [
        Section(
            title="Starting",
            intro="Wall time from the start of the process to the first job started, and to the end of each command.",
            columns=("what", "wall", "measured"),
            rows=rows,
        )
    ]


def _cold_row(name: str, cold: Mapping[str, Sequence[float]]) -> Row:
    what, figure = f"first job: {SCRIPTS[name]}", Figure.ratio(cold[name], cold["raw"])
    goal = Goal(limit=1.3, unit=" × raw", why=WHY_COLD) if name == "ours" else None
    cells = (what, f"{1000 * Figure.of(cold[name]).middle:.0f} ms", f"{figure} × raw")
    return Row(cells=cells, name=what, figure=figure, goal=goal)


def _compiling(arena: Arena) -> dict[str, str]:
    """The environment of processes that find all modules compiled after their first run, as pip leaves a package.

    A checkout's own modules are else compiled anew by each process, where Python may not write beside them.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(arena.folder / "compiled")}


def _cold(arena: Arena, environment: Mapping[str, str]) -> dict[str, list[float]]:
    """Seconds to the first job, by script, after a round that only fills caches: ours with the token too."""
    settings = arena.folder / "settings.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps(document(arena.setup("start"))))
    found: dict[str, list[float]] = {name: [] for name in SCRIPTS}
    effort = arena.effort
    for _ in range(effort.warm_starts + effort.starts):
        for name, seconds in found.items():
            argument = str(settings) if name == "ours" else arena.addresses[PLAIN]
            script = str(ROOT / "benchmarks" / "starts" / f"{name}.py")
            seconds.append(_until_first_line((sys.executable, script, argument), environment))
    return {name: seconds[effort.warm_starts :] for name, seconds in found.items()}


def _until_first_line(command: Sequence[str], environment: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = time.perf_counter() - begun
    if not line or process.returncode:
        raise SystemExit(f"{' '.join(command)} did not start a job; what it says is above")
    return took


def _commands(arena: Arena, environment: Mapping[str, str]) -> dict[str, list[float]]:
    """Seconds to the end, by command, after a round that only fills caches."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    effort = arena.effort
    for _ in range(effort.warm_starts + effort.starts):
        for name, seconds in found.items():
            begun = time.perf_counter()
            subprocess.run(COMMANDS[name], stdout=subprocess.DEVNULL, check=True, cwd=ROOT, env=environment)
            seconds.append(time.perf_counter() - begun)
    return {name: seconds[effort.warm_starts :] for name, seconds in found.items()}
