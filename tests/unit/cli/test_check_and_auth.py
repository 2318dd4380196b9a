from __future__ import annotations

import webbrowser
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rpa_bridge import registry
from rpa_bridge.clock import SystemClock
from rpa_bridge.contract.adapter import Adapter, Finding, LoginStatus
from rpa_bridge.errors import AuthError

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


ADDRESS = "https://login.example.com/connect/authorize?client_id=canary-reference&state=s-1"


@pytest.fixture
def opened(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was opened with."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


@pytest.fixture
def adapter(platform: Platform) -> type[Adapter]:
    """The adapter of the platform in memory."""
    return registry.load_adapter("fake")


@pytest.fixture
def person(adapter: type[Adapter], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes it one where people log in with a browser; the connections where somebody did."""
    logins: list[str] = []

    async def log_in(self: Adapter, show: Callable[[str], None]) -> None:
        show(ADDRESS)
        logins.append(self.connection)

    monkeypatch.setattr(adapter, "log_in", log_in)
    return logins


@pytest.mark.shows_secrets("output", why="a person cannot open an address with holes")
@pytest.mark.parametrize("arguments", [("two",), ("--on", "two")])
def test_a_person_is_sent_to_the_browser_and_the_address_stays_whole(
    run: Run, write_settings: Callable[..., Path], opened: list[str], person: list[str], arguments: tuple[str, ...]
) -> None:
    write_settings("one", "two", password="canary-reference")

    result = run("auth", "login", *arguments, "-o", "json")

    assert result.code == 0
    assert (person, opened) == (["two"], [ADDRESS])
    assert ADDRESS in result.err, "an address with a part masked leads nowhere"
    assert (result.json["connection"], result.json["identity"]) == ("two", "robot@example.com")


def test_without_a_browser_only_the_address_is_shown(
    run: Run, write_settings: Callable[..., Path], opened: list[str], person: list[str]
) -> None:
    write_settings("one")
    result = run("auth", "login", "--no-browser")

    assert (result.code, person, opened) == (0, ["one"], [])
    assert ADDRESS in result.err
    assert ADDRESS not in result.out


def test_a_person_who_is_refused_ends_with_the_code_of_logins(
    run: Run, adapter: type[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: Adapter, show: Callable[[str], None]) -> None:
        raise AuthError("auth.login: refused in the browser")

    monkeypatch.setattr(adapter, "log_in", refuse)
    assert run("auth", "login").code == 7


def test_where_no_person_logs_in_a_token_is_fetched_at_once(
    run: Run, adapter: type[Adapter], opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    async def fetch(self: Adapter) -> None:
        fetched.append(self.connection)

    monkeypatch.setattr(adapter, "fetch_login", fetch)
    result = run("auth", "login", "-o", "json")

    assert (result.code, fetched, opened) == (0, ["memory"], [])
    assert result.json["state"] == "fresh"


def test_where_nobody_logs_in_at_all_the_command_says_so(run: Run) -> None:
    result = run("auth", "login")
    assert result.code == 9
    assert "does not support logins" in result.err


def test_a_login_that_ends_with_the_command_says_how_to_keep_it(
    run: Run, adapter: type[Adapter], person: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_memory(self: Adapter) -> LoginStatus:
        return LoginStatus(identity="a person", state="fresh", refresh_kept=True)

    monkeypatch.setattr(adapter, "login_status", in_memory)
    assert "set `cache_dir`" in run("auth", "login", "--no-browser").err


def test_the_status_says_how_long_still_and_of_the_refresh_token(
    run: Run, adapter: type[Adapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()

    async def status(self: Adapter) -> LoginStatus:
        return LoginStatus(
            identity="a person",
            state="fresh",
            way="authorization_code",
            scopes=("OR.Jobs",),
            expires_at=now + timedelta(minutes=42, seconds=30),
            stored="file",
            refresh_kept=True,
            refresh_until=now + timedelta(days=60),
        )

    monkeypatch.setattr(adapter, "login_status", status)
    (line,) = run("auth", "status", "-o", "json").json
    assert line["left"].startswith("0:42:")
    assert (line["way"], line["refresh_kept"]) == ("authorization_code", True)
    assert line["refresh_until"] == (now + timedelta(days=60)).isoformat()
    shown = run("auth", "status").out
    assert all(word in shown for word in ("a person", "authorization_code", "0:42:", "yes", "OR.Jobs"))

    now -= timedelta(days=1)
    assert run("auth", "status", "-o", "json").json[0]["left"] == "0:00:00"
