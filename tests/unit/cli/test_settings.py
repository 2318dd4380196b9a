from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

CANARY = "canary-user-key-1"
FLAT = {
    "OAuthUrl": "https://account.uipath.com",
    "url": "https://cloud.uipath.com",
    "AccountLogicName": "acme",
    "TenantName": "prod",
    "DefaultFolder": "Finance",
    "UserKey": CANARY,
    "ClientId": "client",
    "access_token": "canary-access-1",
    "RobotId": "7",
}


def test_settings_are_shown_without_their_secrets(run: Run, write_settings: Callable[..., Path]) -> None:
    write_settings("memory", address="there", password="canary-password-1")
    result = run("settings", "show")
    assert result.json["connections"]["memory"] == {"adapter": "fake", "address": "there", "password": "***"}
    assert "canary" not in result.out + result.err


def test_settings_as_jsonl_are_one_line(run: Run) -> None:
    assert run("settings", "show", "-o", "jsonl").out.count("\n") == 1


def test_the_path_of_the_settings_is_shown(run: Run, tmp_path: Path) -> None:
    assert run("settings", "path").out == f"{tmp_path / 'settings.json'}\n"
    assert run("settings", "path", "-o", "json").json == {"path": str(tmp_path / "settings.json")}


def test_flat_settings_become_ours_and_their_secrets_stay_behind(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(FLAT))
    result = run("settings", "convert", "old.json", "new.json")
    assert (result.code, result.out) == (0, "")
    written = (tmp_path / "new.json").read_text()
    assert json.loads(written)["connections"]["uipath"]["adapter"] == "uipath"
    assert "put the value of UserKey into the environment variable UIPATH_USER_KEY" in result.err
    assert "RobotId - dropped; " in result.err
    assert "canary" not in written + result.err


def test_a_conversion_may_go_to_stdout(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(FLAT))
    assert "uipath" in run("settings", "convert", "old.json").json["connections"]


def test_a_conversion_replaces_no_file_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(FLAT))
    assert run("settings", "convert", "old.json", "settings.json").code == 2
    assert run("settings", "convert", "old.json", "settings.json", "--force").code == 0


def test_settings_that_are_ours_already_are_not_converted(run: Run) -> None:
    result = run("settings", "convert", "settings.json")
    assert result.code == 2
    assert "nothing to convert" in result.err


def test_flat_settings_in_place_of_ours_name_the_command_to_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(FLAT))
    result = run("jobs", "list")
    assert result.code == 2
    assert "rpa-bridge settings convert" in result.err
    assert "canary" not in result.err
