"""Twenty processes that start at once on an empty cache make one token request; the sandbox counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpa_bridge.testing import SandboxThread

PROCESSES = 20
PROGRAM = """
import asyncio, sys
from rpa_bridge import Bridge

async def main(connection):
    async with Bridge.load() as bridge:
        await bridge[connection].queues.get("Invoices")

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main(sys.argv[1]))
"""
LOGIN = {"uipath": "/connect/token", "botmaestro": "/workspace/login"}


@pytest.mark.parametrize("vendor", ["uipath", "botmaestro"])
def test_twenty_processes_make_one_token_request(vendor: str, tmp_path: Path) -> None:
    with SandboxThread([vendor]) as sandbox:
        settings = tmp_path / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": sandbox.connections, "cache_dir": str(tmp_path / "cache")}))
        program = [sys.executable, "-c", PROGRAM, vendor]
        environment = {**os.environ, "RPA_BRIDGE_SETTINGS": str(settings)}
        running = [
            subprocess.Popen(
                program,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        ended = [process.communicate("go\n", timeout=120) for process in running]

        exchanges = list(sandbox.world.exchanges)

    assert [process.returncode for process in running] == [0] * PROCESSES, ended
    assert sum(one.path.endswith(LOGIN[vendor]) for one in exchanges) == 1
    assert sum("/datapool/" in one.path or "QueueDefinitions" in one.path for one in exchanges) == PROCESSES
