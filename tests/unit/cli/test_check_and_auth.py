from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rpa_bridge.contract.adapter import Finding

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run

GOOD = Finding(subject="reachable", ok=True, message="the server answers")
BAD = Finding(subject="folder", ok=False, message="there is no folder 'X'; correct `folder`")


def test_a_connection_that_works_passes(run: Run, platform: Platform) -> None:
    platform.findings = [GOOD]
    result = run("check", "-o", "json")
    assert result.code == 0
    assert result.json == [
        {"connection": "memory", "subject": "reachable", "ok": True, "message": "the server answers"}
    ]


def test_one_bad_finding_fails_the_check_and_names_the_mend(run: Run, platform: Platform) -> None:
    platform.findings = [GOOD, BAD]
    result = run("check")
    assert result.code == 1
    assert "correct `folder`" in result.out
    assert result.err == ""


def test_a_finding_shows_no_secret(run: Run, platform: Platform, write_settings: Callable[..., Path]) -> None:
    write_settings("memory", password="canary-check-1")
    platform.findings = [Finding(subject="login", ok=False, message="refused canary-check-1")]
    assert run("check", "-o", "json").json[0]["message"] == "refused ***"


def test_all_connections_are_checked_though_one_cannot_be_opened(
    run: Run, platform: Platform, write_settings: Callable[..., Path]
) -> None:
    platform.findings = [GOOD]
    write_settings("one", "two", addres="typo")
    result = run("check", "--all", "-o", "json")
    assert result.code == 1
    assert [(line["connection"], line["subject"]) for line in result.json] == [("one", "settings"), ("two", "settings")]
    assert "did you mean 'address'?" in result.json[0]["message"]


def test_one_connection_that_cannot_be_opened_is_an_error(run: Run, write_settings: Callable[..., Path]) -> None:
    write_settings("one", addres="typo")
    assert run("check").code == 2


def test_all_and_on_exclude_each_other(run: Run) -> None:
    assert run("check", "--all", "--on", "memory").code == 2


def test_logins_are_shown_for_all_connections_or_one(run: Run, write_settings: Callable[..., Path]) -> None:
    write_settings("one", "two")
    assert [line["connection"] for line in run("auth", "status", "-o", "json").json] == ["one", "two"]
    shown = run("auth", "status", "--on", "two", "-o", "json").json
    assert [(line["connection"], line["identity"], line["state"]) for line in shown] == [
        ("two", "robot@example.com", "fresh")
    ]


def test_a_login_is_forgotten_on_one_connection_only(
    run: Run, platform: Platform, write_settings: Callable[..., Path]
) -> None:
    write_settings("one", "two")
    assert run("auth", "clear").code == 2
    assert platform.forgotten == 0
    assert run("auth", "clear", "--on", "one").code == 0
    assert platform.forgotten == 1
