"""Every example runs, against the sandbox, as its own page says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpa_bridge.testing import SandboxThread

EXAMPLES = [
    path
    for path in sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
    if not path.name.startswith("botcity_")  # of one platform only: see test_botcity_tutorial.py
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("connection", ["uipath", "botmaestro"])
def test_an_example_runs_on_both_platforms(example: Path, connection: str, tmp_path: Path) -> None:
    with SandboxThread(["uipath", "botmaestro"]) as sandbox:
        settings = tmp_path / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": sandbox.connections, "cache_dir": str(tmp_path / "cache")}))
        done = subprocess.run(
            [sys.executable, str(example), connection],
            env={**os.environ, "RPA_BRIDGE_SETTINGS": str(settings)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not done.stderr.strip()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
