from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from rpa_bridge.redaction import REDACTOR

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run

CANARY = "canary-credential-1"


def test_values_are_masked_unless_one_asks_for_them(run: Run, platform: Platform) -> None:
    platform.secrets["sap"] = {"password": SecretStr(CANARY)}
    assert run("credentials", "reveal", "sap", "-o", "json").json == {"password": "***"}
    assert CANARY not in run("credentials", "reveal", "sap").out
    assert run("credentials", "reveal", "sap", "--show", "-o", "json").json == {"password": CANARY}
    assert CANARY in run("credentials", "reveal", "sap", "--show").out


def test_a_list_has_names_only(run: Run, platform: Platform) -> None:
    platform.secrets["sap"] = {"password": SecretStr(CANARY)}
    result = run("credentials", "list", "-o", "json")
    assert result.json[0]["keys"] == ["password"]
    assert CANARY not in result.out


def test_values_are_read_from_standard_input_in_their_order(run: Run, platform: Platform) -> None:
    result = run("credentials", "put", "sap", "--field", "user", "--field", "password", input=f"robot\n{CANARY}\n")
    assert result.code == 0
    assert {key: one.get_secret_value() for key, one in platform.secrets["sap"].items()} == {
        "user": "robot",
        "password": CANARY,
    }
    assert CANARY not in result.out + result.err
    assert CANARY not in REDACTOR.clean(f"then {CANARY} is known")


def test_values_are_asked_for_without_an_echo(run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpa_bridge.cli.secrets._is_asked", lambda: True)
    result = run("credentials", "put", "sap", "--field", "password", input=f"{CANARY}\n")
    assert platform.secrets["sap"]["password"].get_secret_value() == CANARY
    assert CANARY not in result.out + result.err


def test_values_come_from_references(run: Run, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAP_PASSWORD", CANARY)
    assert run("credentials", "put", "sap", "--field", "password=${env:SAP_PASSWORD}").code == 0
    assert platform.secrets["sap"]["password"].get_secret_value() == CANARY


def test_a_missing_reference_names_the_variable(run: Run, platform: Platform) -> None:
    result = run("credentials", "put", "sap", "--field", "password=${env:ABSENT_VARIABLE}")
    assert result.code == 2
    assert "ABSENT_VARIABLE" in result.err
    assert platform.secrets == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--field", f"password={CANARY}"),
        ("--field", f"password={CANARY}${{env:HOME}}"),
        ("--field", "password", CANARY),
        ("--field", "password", f"--password={CANARY}"),
        ("--field", "password", f"-p{CANARY}"),
    ],
)
def test_a_value_on_the_command_line_is_refused_and_not_repeated(
    run: Run, platform: Platform, arguments: tuple[str, ...]
) -> None:
    result = run("credentials", "put", "sap", *arguments, input="x\n")
    assert result.code == 2
    assert "process list" in result.err
    assert CANARY not in result.out + result.err
    assert platform.secrets == {}


def test_a_field_named_twice_is_refused(run: Run, platform: Platform) -> None:
    assert run("credentials", "put", "sap", "--field", "a", "--field", "a", input="x\ny\n").code == 2
    assert platform.secrets == {}


@pytest.mark.parametrize("given", ["", "\n"])
def test_an_empty_value_is_refused(run: Run, platform: Platform, given: str) -> None:
    assert run("credentials", "put", "sap", "--field", "password", input=given).code == 2
    assert platform.secrets == {}


def test_no_file_keeps_a_value(run: Run, tmp_path: Path) -> None:
    run("--debug", "credentials", "put", "sap", "--field", "password", input=f"{CANARY}\n")
    assert all(CANARY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_deleting_is_refused_where_the_platform_cannot(run: Run) -> None:
    assert run("credentials", "delete", "sap", "--key", "password", "--yes").code == 9
