"""The smaller nouns: what is said on the command line reaches the verb of the contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("50", "-t", "integer"), 50),
        (("TRUE", "-t", "boolean"), True),
        (("false", "-t", "boolean"), False),
        (("50",), "50"),
    ],
)
def test_assets_are_written_with_their_type(
    run: Run, platform: Platform, arguments: tuple[str, ...], value: object
) -> None:
    assert run("assets", "put", "limit", *arguments).code == 0
    assert platform.assets["limit"].value == value
    assert type(platform.assets["limit"].value) is type(value)


@pytest.mark.parametrize("arguments", [("x", "-t", "integer"), ("1", "-t", "boolean"), ("x", "-t", "other")])
def test_asset_values_of_a_wrong_type_are_refused_unasked(
    run: Run, platform: Platform, arguments: tuple[str, ...]
) -> None:
    assert run("assets", "put", "limit", *arguments).code == 2
    assert platform.asked == []


def test_assets_are_listed_shown_and_deleted(run: Run, platform: Platform) -> None:
    run("assets", "put", "mailbox", "post@example.com")
    assert run("assets", "list", "-o", "json").json[0]["value"] == "post@example.com"
    assert run("assets", "get", "mailbox", "-o", "json").json["name"] == "mailbox"
    result = run("assets", "delete", "mailbox", "--yes")
    assert (result.out, result.err) == ("", "memory: deleted asset 'mailbox'\n")
    assert platform.assets == {}


def test_a_message_reaches_people(run: Run, platform: Platform) -> None:
    assert run("messages", "send", "Done", "-", "--email", "a@b.c", "--html", input="<b>all</b>").code == 0
    assert platform.asked == [
        (
            "messages.send",
            {"subject": "Done", "body": "<b>all</b>", "emails": ("a@b.c",), "users": (), "group": None, "html": True},
        )
    ]


def test_a_message_to_nobody_is_refused(run: Run, platform: Platform) -> None:
    assert run("messages", "send", "Done", "all").code == 2
    assert platform.asked == []


def test_an_incident_is_reported_as_an_exception_of_that_name(run: Run, platform: Platform) -> None:
    result = run("incidents", "report", "no page", "--job", "7", "--type", "LoginError", "-o", "json")
    assert result.json["type"] == "LoginError"
    assert [str(error) for error in platform.reported] == ["no page"]


def test_a_name_that_no_exception_has_is_refused(run: Run, platform: Platform) -> None:
    assert run("incidents", "report", "no page", "--job", "7", "--type", "Login Error").code == 2
    assert platform.reported == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("automations", "schema", "Invoices"),
        ("automations", "packages"),
        ("automations", "download-package", "p"),
        ("automations", "upload-package", __file__),
        ("jobs", "start", "Invoices", "--count", "2"),
        ("robots", "list"),
        ("robots", "machines"),
        ("robots", "get", "r"),
        ("logs", "list"),
        ("logs", "create", "log", "a", "b"),
        ("logs", "append", "log", "-v", "a=b"),
        ("logs", "export", "log"),
        ("logs", "delete", "log", "--yes"),
        ("alerts", "send", "t", "m", "--severity", "error"),
        ("alerts", "list"),
        ("incidents", "list"),
        ("folders", "list"),
        ("folders", "get", "f"),
        ("schedules", "list"),
        ("webhooks", "list"),
        ("webhooks", "create", "w", "https://hooks.example.com/in"),
        ("webhooks", "ping", "w"),
        ("webhooks", "delete", "w", "--yes"),
    ],
)
def test_what_the_platform_lacks_is_refused(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    before = set(tmp_path.iterdir())
    result = run(*arguments)
    assert result.code == 9
    assert result.err.startswith("error: fake does not support ")
    assert set(tmp_path.iterdir()) == before


def test_automations_are_listed_in_a_table(run: Run) -> None:
    lines = run("automations", "list").out.splitlines()
    assert lines[0].split() == ["NAME", "VERSION", "DESCRIPTION", "ID"]
    assert [line.split()[0] for line in lines[1:]] == ["Invoices", "Letters"]
