"""Row 30 of the reliability targets, but for TLS: what a process leaves on disk, and how it does without one.

TLS is in tests/unit/transport/test_http_tls.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rpa_bridge.testing import SandboxThread

COMMANDS = (
    ["check"],
    ["jobs", "start", "Invoices", "--key", "invoices-2026-10", "--wait"],
    ["queues", "add", "Invoices", "-v", "number=4711"],
    ["auth", "status"],
)
NOWHERE = "/proc/rpa-bridge"
"""Where not even root can make a folder."""
_FROM_A_SHELL = 'ulimit -f 0; exec "$0" "$@"'
"""Runs a command that cannot write one byte into any file, as on a full disk; pipes still work."""


@dataclass(slots=True)
class Left:
    """How the commands ended, and what they left."""

    codes: list[int] = field(default_factory=list)
    said: str = ""
    """On stderr."""
    jobs: int = 0
    """Started on the platform."""
    modes: dict[str, int] = field(default_factory=dict)
    """By path below the home."""

    @property
    def open_to_others(self) -> list[str]:
        """What somebody else could read or change."""
        return sorted(path for path, mode in self.modes.items() if mode & 0o077)


def under_umask_zero(folder: Path, *, guard: bool = True) -> Left:
    """Runs all commands where each file would be everybody's. Without the guard it is a plain `open`."""
    home = _home(folder)
    if guard:
        return _run(home, home / ".cache" / "rpa-bridge", umask=0)
    _careless(home)
    return _listed(Left(), home)


def without_a_home(folder: Path) -> Left:
    """Runs all commands where nothing can be kept."""
    return _run(_home(folder), Path(NOWHERE))


def on_a_full_disk(folder: Path) -> Left:
    """Runs all commands where nothing can be written."""
    home = _home(folder)
    return _run(home, home / ".cache" / "rpa-bridge", before=["bash", "-c", _FROM_A_SHELL])


def _home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir(mode=0o700)
    return home


def _run(home: Path, cache: Path, *, before: list[str] | None = None, umask: int = -1) -> Left:
    left = Left()
    with SandboxThread(["uipath"]) as sandbox:
        settings = home / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": sandbox.connections, "cache_dir": str(cache)}))
        program = [*(before or []), sys.executable, "-m", "rpa_bridge", "--settings", str(settings)]
        for command in COMMANDS:
            done = subprocess.run(
                [*program, *command],
                env={**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
                umask=umask,
                capture_output=True,
                text=True,
                timeout=60,
            )
            left.codes.append(done.returncode)
            left.said += done.stderr
        left.jobs = sum(one.executed and "StartJobs" in one.path for one in sandbox.world.exchanges)
    return _listed(left, home)


def _listed(left: Left, home: Path) -> Left:
    left.modes = {str(path.relative_to(home)): path.stat().st_mode & 0o777 for path in home.rglob("*")}
    return left


def _careless(home: Path) -> None:
    code = f"import pathlib; pathlib.Path({str(home)!r}, 'tokens').mkdir(); open({str(home / 'tokens' / 'a')!r}, 'w')"
    subprocess.run([sys.executable, "-c", code], umask=0, check=True, timeout=60)
