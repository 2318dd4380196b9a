"""Twenty processes that start at once on an empty cache make one token request; the sandbox counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpa_bridge.testing import SandboxThread

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks")
PROCESSES = 20
PROGRAM = """
import asyncio, os, sys
from rpa_bridge import Bridge
from rpa_bridge.registry import load_adapter

async def main(connection):
    async with Bridge.load() as bridge:
        await bridge[connection].queues.get("Invoices")

connection, processes = sys.argv[1], int(sys.argv[2])
load_adapter(connection)  # before they are many, so that none is held up by it and all ask at once
gate, opened = os.pipe()
children = []
for _ in range(processes):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(opened)
    os.read(gate, 1)  # ends when nobody holds the other end any more
    asyncio.run(main(connection))
    sys.exit()
os.close(opened)
print([os.waitpid(child, 0)[1] for child in children])
"""
LOGIN = {"uipath": "/connect/token", "botmaestro": "/workspace/login"}


@pytest.mark.parametrize("vendor", ["uipath", "botmaestro"])
def test_twenty_processes_make_one_token_request(vendor: str, tmp_path: Path) -> None:
    with SandboxThread([vendor]) as sandbox:
        settings = tmp_path / "settings.json"
        settings.touch(mode=0o600)
        settings.write_text(json.dumps({"connections": sandbox.connections, "cache_dir": str(tmp_path / "cache")}))
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, vendor, str(PROCESSES)],
            env={**os.environ, "RPA_BRIDGE_SETTINGS": str(settings)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        exchanges = list(sandbox.world.exchanges)

    assert json.loads(ended.stdout) == [0] * PROCESSES, ended.stderr
    assert sum(one.path.endswith(LOGIN[vendor]) for one in exchanges) == 1
    assert sum("/datapool/" in one.path or "QueueDefinitions" in one.path for one in exchanges) == PROCESSES
