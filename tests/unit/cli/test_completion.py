from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.code == 0
    assert f"_RPA_BRIDGE_COMPLETE={shell}_complete" in result.out


def completed(folder: Path, *words: str) -> list[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RPA_BRIDGE_")},
        "_RPA_BRIDGE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("rpa-bridge", *words)),
        "COMP_CWORD": str(len(words)),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "rpa_bridge"], capture_output=True, text=True, check=False, cwd=folder, env=environment
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines() if line]


def test_commands_verbs_and_words_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "auto") == ["automations"]
    assert completed(tmp_path, "jobs", "re") == ["restart", "resume", "report"]
    assert completed(tmp_path, "jobs", "list", "--state", "s") == ["suspended", "stopping"]


def test_connections_are_completed_from_the_settings(
    platform: object, write_settings: Callable[..., Path], tmp_path: Path
) -> None:
    write_settings("uipath-prod", "uipath-test", "maestro")
    assert completed(tmp_path, "jobs", "list", "--on", "uipath") == ["uipath-prod", "uipath-test"]


def test_connections_are_completed_from_the_settings_that_were_named(
    platform: object, write_settings: Callable[..., Path], tmp_path: Path
) -> None:
    write_settings("elsewhere").rename(tmp_path / "other.json")
    assert completed(tmp_path, "--settings", "other.json", "jobs", "list", "--on", "e") == ["elsewhere"]


def test_broken_settings_complete_nothing_and_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{")
    assert completed(tmp_path, "jobs", "list", "--on", "x") == []
