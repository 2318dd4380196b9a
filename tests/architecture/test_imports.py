"""What importing costs: measured in fresh interpreters, as lists of modules and never as seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rpa_bridge.sandbox.server import write_private
from rpa_bridge.testing import SandboxThread

START = """
import asyncio
from rpa_bridge import Bridge

async def main():
    async with Bridge.load({settings!r}) as bridge:
        await bridge[{name!r}].jobs.start("Invoices")

asyncio.run(main())
"""


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running the code."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines())


def test_importing_the_package_imports_neither_aiohttp_nor_pydantic() -> None:
    loaded = modules_after("import rpa_bridge")

    assert not loaded & {"aiohttp", "pydantic", "rich", "click", "stevedore"}


def test_importing_the_bridge_imports_no_adapter_and_no_http() -> None:
    loaded = modules_after("import rpa_bridge; rpa_bridge.Bridge")

    assert not {name for name in loaded if name.startswith("rpa_bridge_")}
    assert not loaded & {"aiohttp", "rich"}


@pytest.mark.parametrize("arguments", [["--help"], ["migrate", "--help"], ["migrate", "plan", "-h"], ["backup", "-h"]])
def test_the_help_of_the_command_line_imports_neither_http_nor_an_adapter(arguments: list[str]) -> None:
    code = f"from rpa_bridge.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    print()"
    loaded = modules_after(code)

    assert not {name for name in loaded if name.startswith("rpa_bridge_")}
    assert not loaded & {"aiohttp", "pydantic", "rich", "stevedore"}


@pytest.mark.parametrize("name", ["uipath", "botmaestro"])
def test_a_job_is_started_without_what_only_a_new_token_or_a_failure_needs(name: str, tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    with SandboxThread([name]) as sandbox:
        for encryption in ("off", "auto"):  # the first leaves a token that is not sealed
            cache = {"cache_dir": str(tmp_path / "cache"), "cache": {"encryption": encryption}}
            write_private(settings, json.dumps({"connections": sandbox.sandbox.connections, **cache}))
            loaded = modules_after(START.format(settings=str(settings), name=name))

    assert f"rpa_bridge_{name}.jobs" in loaded
    assert not loaded & {"keyring", "secretstorage", "cryptography", "redis", "tenacity", "click", "rich"}


def test_models_that_are_built_late_can_be_built() -> None:
    code = (
        "import importlib, pkgutil\n"
        "import rpa_bridge.auth.records, rpa_bridge.auth.caching\n"
        "from pydantic import BaseModel\n"
        "for name in ('rpa_bridge_local', 'rpa_bridge_uipath', 'rpa_bridge_botmaestro'):\n"
        "    for one in pkgutil.walk_packages(importlib.import_module(name).__path__, name + '.'):\n"
        "        importlib.import_module(one.name)\n"
        "def late(model):\n"
        "    for one in model.__subclasses__():\n"
        "        yield from ([one] if one.model_config.get('defer_build') else [])\n"
        "        yield from late(one)\n"
        "found = list(late(BaseModel))\n"
        "[one.model_rebuild(force=True) for one in found]\n"
        "print('built', len(found), all(one.__pydantic_complete__ for one in found))"
    )
    told = next(line for line in modules_after(code) if line.startswith("built "))

    assert int(told.split()[1]) > 80, told
    assert told.endswith(" True")


def test_every_module_can_be_imported_first() -> None:
    code = (
        "import pkgutil, importlib, rpa_bridge\n"
        "names = [one.name for one in pkgutil.walk_packages(rpa_bridge.__path__, 'rpa_bridge.')]\n"
        "names = [name for name in names if not name.endswith('__main__') and '.conformance' not in name]\n"
        "assert len(names) > 60, names\n"
        "[importlib.import_module(name) for name in names]"
    )
    assert "rpa_bridge.cli.main" in modules_after(code)
