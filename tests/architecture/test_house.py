"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    path for folder in ("rpa_bridge", "adapters") for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts
]


def offenders(pattern: str, *, but: frozenset[str] = frozenset()) -> list[str]:
    """Source lines that match, outside the files named."""
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.name not in but
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if found.search(line)
    ]


def test_only_the_clock_tells_the_time() -> None:
    clocks = frozenset({"clock.py", "world.py"})  # the sandbox has a clock of its own

    assert not offenders(r"datetime\.now\(|datetime\.utcnow\(|time\.time\(|time\.monotonic\(|time\.sleep\(", but=clocks)
    assert not offenders(r"asyncio\.sleep\((?!0\))", but=frozenset({"clock.py", "stage.py"}))


def test_tls_is_never_switched_off() -> None:
    assert not offenders(r"ssl=False|verify=False|CERT_NONE|verify_mode|check_hostname\s*=\s*False")


def test_no_pickle_and_no_shell() -> None:
    assert not offenders(r"\bpickle\b|shell=True|os\.system\(|\beval\(|\bexec\(")


def test_the_adapters_want_the_core_that_stands_beside_them() -> None:
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    major_minor = ".".join(core.split(".")[:2])

    for path in ROOT.glob("adapters/*/pyproject.toml"):
        wanted = tomllib.loads(path.read_text())["project"]["dependencies"]
        assert any(one.startswith(f"rpa-bridge>={major_minor}") for one in wanted), path


def test_both_roads_to_a_developers_installation_name_the_same_tools() -> None:
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    by_uv = {re.split(r"[<>=\[]", one)[0] for one in group if not one.startswith("rpa-bridge")}
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    by_pip = {line for line in lines if line and not line.startswith(("#", "-"))}

    assert by_uv == by_pip


def test_nothing_tracked_names_a_download_host_or_a_lock_file() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()

    assert "uv.lock" not in tracked
    pins = (ROOT / "constraints.txt").read_text()
    assert "://" not in pins
    assert "@" not in pins
