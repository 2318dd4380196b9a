"""BotCity's tutorial, written with the official SDK and with ours, leaves the same behind on the platform."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from rpa_bridge.testing import SandboxThread

EXAMPLES = Path(__file__).parents[2] / "examples"
FLEETING = re.compile(r"id|tokens|queued|looks|stack_trace|date|date_\w+")
"""Members that differ from run to run, or count how often somebody looked."""
MACHINE_TAGS = {"user_name", "os_version"}
"""What the official SDK finds out in another way: both are asked of the machine."""
UNASKED = "piplist.txt"
"""The list of all installed packages, which the official SDK sends with each error."""


def run(example: str, *arguments: str, sandbox: SandboxThread, folder: Path) -> tuple[str, Any]:
    """What the example prints, and what the platform keeps after it."""
    sandbox.world.lifecycle.looks = 8  # so that a task can be met while it runs
    ours = sandbox.connections["botmaestro"]
    settings = folder / "settings.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"connections": sandbox.connections, "cache_dir": None}))
    told = {"RPA_BRIDGE_SETTINGS": str(settings)} | {f"BOTCITY_{name.upper()}": str(one) for name, one in ours.items()}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *arguments],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip()
    return done.stdout, sandbox.sandbox.dump()["faces"]["botmaestro"]


def lasting(kept: Any) -> Any:
    """What is kept, without ids, dates and tokens; what lies under ids becomes a list."""
    if isinstance(kept, list):
        return [lasting(one) for one in kept]
    if not isinstance(kept, dict):
        return kept
    if all(re.fullmatch(r"[0-9]+|[0-9a-f-]{36}", name) for name in kept):
        return [lasting(one) for one in kept.values()]
    return {
        name: lasting(one) for name, one in kept.items() if not FLEETING.fullmatch(name) and name not in MACHINE_TAGS
    }


def test_both_tutorials_have_the_same_effect(tmp_path: Path) -> None:
    with SandboxThread(["botmaestro"]) as sandbox:
        said, kept = run("botcity_tutorial.py", "botmaestro", sandbox=sandbox, folder=tmp_path)
    with SandboxThread(["botmaestro"]) as sandbox:
        officially_said, officially_kept = run("botcity_tutorial_official.py", sandbox=sandbox, folder=tmp_path)

    assert said == officially_said
    for incident in officially_kept["incidents"].values():
        assert UNASKED in [one["file_name"] for one in incident["attachments"]]
        incident["attachments"] = [one for one in incident["attachments"] if one["file_name"] != UNASKED]
    assert lasting(kept) == lasting(officially_kept)

    tasks = lasting(kept)["tasks"]
    assert [(one["state"], one["finish_status"], one["interrupted"]) for one in tasks] == [
        ("FINISHED", "SUCCESS", None),
        ("FINISHED", "PARTIALLY_COMPLETED", True),
    ]
    assert not kept["logs"]
    assert [len(kept[noun]) for noun in ("alerts", "messages", "artifacts", "incidents")] == [1, 1, 1, 1]
    assert [one["key"] for one in kept["credentials"]["bank"]["secrets"]] == ["pin"]
