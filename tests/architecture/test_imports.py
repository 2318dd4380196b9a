"""What importing costs: measured in fresh interpreters, as lists of modules and never as seconds."""

from __future__ import annotations

import subprocess
import sys


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


def test_the_help_of_the_command_line_imports_neither_http_nor_an_adapter() -> None:
    code = "from rpa_bridge.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    print()"
    loaded = modules_after(code)

    assert not {name for name in loaded if name.startswith("rpa_bridge_")}
    assert not loaded & {"aiohttp", "pydantic", "rich", "stevedore"}


def test_every_module_can_be_imported_first() -> None:
    code = (
        "import pkgutil, importlib, rpa_bridge\n"
        "names = [one.name for one in pkgutil.walk_packages(rpa_bridge.__path__, 'rpa_bridge.')]\n"
        "names = [name for name in names if not name.endswith('__main__') and '.conformance' not in name]\n"
        "assert len(names) > 60, names\n"
        "[importlib.import_module(name) for name in names]"
    )
    assert "rpa_bridge.cli.main" in modules_after(code)
