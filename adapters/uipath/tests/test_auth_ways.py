"""Every way to log in, from the settings to the first call, over HTTP against the sandbox's identity server."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import traceback
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from rpa_bridge import (
    Adapter,
    AuthError,
    Bridge,
    BridgeError,
    ConfigError,
    OutcomeUnknownError,
    UnsupportedError,
    sync,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock, SandboxThread
from rpa_bridge_uipath.sandbox.older_logins import PASSWORD, USER_KEY, USER_KEY_CLIENT_ID, USERNAME
from rpa_bridge_uipath.sandbox.people import PERSON_CLIENT_ID
from rpa_bridge_uipath.sandbox.tokens import PERSONAL_ACCESS_TOKEN
from tests.ports import free_port

Requests = Callable[[str], list[Exchange]]
TOKEN = "POST *connect/token"
HOUR = 3600.0


def origin(connection: dict[str, Any]) -> str:
    """Where the sandbox stands."""
    parts = urlsplit(connection["url"])
    return f"{parts.scheme}://{parts.netloc}"


def user_key(connection: dict[str, Any]) -> dict[str, Any]:
    url = f"{origin(connection)}/oauth/token"
    auth = {"type": "refresh_token", "client_id": USER_KEY_CLIENT_ID, "refresh_token": USER_KEY, "url": url}
    return connection | {"url": f"{origin(connection)}/acme/default", "tenant": "default", "auth": auth}


def pat(connection: dict[str, Any]) -> dict[str, Any]:
    return connection | {"auth": {"type": "pat", "token": PERSONAL_ACCESS_TOKEN}}


def password(connection: dict[str, Any]) -> dict[str, Any]:
    auth = {"type": "password", "username": USERNAME, "password": PASSWORD}
    return connection | {"url": origin(connection), "tenant": "default", "auth": auth}


def person(connection: dict[str, Any]) -> dict[str, Any]:
    redirect = f"http://127.0.0.1:{free_port()}/back"
    return connection | {
        "auth": {"type": "authorization_code", "client_id": PERSON_CLIENT_ID, "redirect_url": redirect}
    }


def as_it_is(connection: dict[str, Any]) -> dict[str, Any]:
    return connection


class Browser:
    """Follows the address that it is told, as a person's browser does."""

    def __init__(self, change: Callable[[str], str] = lambda address: address) -> None:
        self._change = change
        self._visits: list[asyncio.Task[None]] = []
        self.addresses: list[str] = []
        self.pages: list[str] = []

    def show(self, address: str) -> None:
        self.addresses.append(address)
        self._visits.append(asyncio.create_task(self._visit(self._change(address))))

    async def _visit(self, address: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            self.pages.append(await answer.text())


Opens = Callable[..., Adapter]


@pytest.fixture
async def opens(sandbox: Sandbox, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Opens]:
    """Opens one more connection of these settings, as another process would that shares the folder of tokens."""
    bridges: list[Bridge] = []

    def open_one(way: Callable[[dict[str, Any]], dict[str, Any]] | dict[str, Any], cache: bool = True) -> Adapter:
        settings = way if isinstance(way, dict) else way(sandbox.connections["uipath"])
        cache_dir = tmp_path / "cache" if cache else None
        bridges.append(Bridge({"connections": {"erp": settings}}, clock=clock, cache_dir=cache_dir))
        return bridges[-1]["erp"]

    yield open_one
    for bridge in bridges:
        await bridge.aclose()


@pytest.fixture
def pass_time(sandbox: Sandbox, clock: ManualClock) -> Callable[[float], None]:
    """Lets time pass on both sides."""

    def go_on(seconds: float) -> None:
        sandbox.world.clock.advance(seconds)
        clock.advance(seconds)

    return go_on


PassTime = Callable[[float], None]


def records(folder: Path) -> list[dict[str, Any]]:
    """What is kept of log-ins below the folder, in files that nobody else may read."""
    found = list(folder.rglob("tokens/*.json"))
    assert {path.stat().st_mode & 0o777 for path in found} <= {0o600}
    return [json.loads(path.read_text()) for path in found]


@pytest.mark.parametrize(
    ("way", "identity", "state", "seconds"),
    [
        (as_it_is, "client id 11111111-2222-4333-8444-555555555555", "fresh", 3600),
        (user_key, f"client id {USER_KEY_CLIENT_ID}", "fresh", 86_400),
        (password, f"user {USERNAME}", "fresh", 1800),
        (pat, "personal access token", "fixed", None),
    ],
)
async def test_a_way_without_a_person_works_from_the_first_call_and_says_who_it_is(
    opens: Opens,
    way: Callable[[dict[str, Any]], dict[str, Any]],
    identity: str,
    state: str,
    seconds: int | None,
    clock: ManualClock,
) -> None:
    erp = opens(way)

    assert (await erp.queues.get("Invoices")).name == "Invoices"

    status = await erp.login_status()
    assert status is not None
    left = status.expires_at and (status.expires_at - clock.now()).total_seconds()
    assert (status.identity, status.state, left, status.refresh_kept) == (identity, state, seconds, False)
    with pytest.raises(UnsupportedError, match="interactive log-in"):
        await erp.log_in(print)
    await erp.fetch_login()
    assert (await erp.queues.get("Invoices")).name == "Invoices"


@pytest.mark.parametrize("way", [as_it_is, user_key, password])
async def test_when_the_token_ends_a_way_without_a_person_just_logs_in_again(
    opens: Opens, requests: Requests, pass_time: PassTime, way: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    erp = opens(way)
    await erp.queues.get("Invoices")
    pass_time(2 * 86_400.0)

    await erp.queues.get("Invoices")

    logins = [*requests("POST *token"), *requests("POST *Authenticate")]
    assert len(logins) == 2


async def test_a_personal_access_token_is_neither_asked_for_nor_written_down(
    opens: Opens, requests: Requests, tmp_path: Path
) -> None:
    erp = opens(pat)
    await erp.queues.get("Invoices")

    assert requests("POST *") == []
    assert not (tmp_path / "cache" / "tokens").exists()
    with pytest.raises(ConfigError, match="stands in the settings"):
        await erp.forget_login()


async def test_a_personal_access_token_that_was_revoked_says_to_make_a_new_one(
    opens: Opens, sandbox: Sandbox, requests: Requests, pass_time: PassTime
) -> None:
    erp = opens(pat)
    await erp.queues.get("Invoices")
    pass_time(60.0)
    sandbox.world.switches["uipath.pat_revoked"] = True
    before = len(requests("*"))

    with pytest.raises(AuthError, match=r"queues\.get: the personal access token .* make a new one") as caught:
        await erp.queues.get("Invoices")

    assert caught.value.status == 401
    assert len(requests("*")) == before + 1


@pytest.mark.parametrize("status", [200, 401, 500])
async def test_a_wrong_password_is_asked_about_once_so_that_nobody_is_locked_out(
    opens: Opens, sandbox: Sandbox, requests: Requests, status: int
) -> None:
    sandbox.world.switches["uipath.password_refused_status"] = status
    settings = password(sandbox.connections["uipath"])
    settings["auth"] |= {"password": "wrong-canary-4711"}
    erp = opens(settings)

    for _ in range(3):
        with pytest.raises(AuthError, match=r"Invalid credentials|is not asked again until") as caught:
            await erp.queues.get("Invoices")
        assert "wrong-canary" not in str(caught.value)
    assert len(requests("*")) == 1

    with pytest.raises(AuthError, match="Invalid credentials"):
        await erp.fetch_login()
    assert len(requests("*")) == 2, "`auth login` asks at once"


async def test_a_person_logs_in_once_and_refresh_tokens_do_the_rest(
    opens: Opens, requests: Requests, pass_time: PassTime, tmp_path: Path
) -> None:
    erp, browser = opens(person), Browser()
    with pytest.raises(AuthError, match="run `rpa-bridge auth login erp`"):
        await erp.queues.get("Invoices")
    assert requests("*") == []

    await erp.log_in(browser.show)

    assert (await erp.queues.get("Invoices")).name == "Invoices"
    status = await erp.login_status()
    assert status is not None
    assert (status.identity, status.way) == (f"a person, with client id {PERSON_CLIENT_ID}", "authorization_code")
    assert (status.refresh_kept, status.stored) == (True, "file")
    assert "OR.Queues" in status.scopes
    assert status.refresh_until is not None
    assert "You may close this window" in browser.pages[0]
    asked = dict(parse_qsl(urlsplit(browser.addresses[0]).query))
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"].endswith(" offline_access")

    for _ in range(3):
        pass_time(2 * HOUR)
        await erp.queues.get("Invoices")
    assert len(requests(TOKEN)) == 4
    assert len(records(tmp_path)) == 1


async def test_another_process_goes_on_with_the_log_in_and_forgetting_it_ends_it_for_all(
    opens: Opens, sandbox: Sandbox, requests: Requests, pass_time: PassTime
) -> None:
    settings = person(sandbox.connections["uipath"])
    await opens(settings).log_in(Browser().show)
    pass_time(2 * HOUR)
    others = [opens(settings) for _ in range(5)]

    await asyncio.gather(*(other.queues.get("Invoices") for other in others))

    assert len(requests(TOKEN)) == 2, "the code, and one renewal"
    await others[0].forget_login()
    with pytest.raises(AuthError, match="nobody is logged in"):
        await opens(settings).queues.get("Invoices")


async def test_without_a_folder_for_tokens_the_log_in_lasts_as_long_as_the_program(
    opens: Opens, sandbox: Sandbox, pass_time: PassTime, tmp_path: Path
) -> None:
    settings = person(sandbox.connections["uipath"])
    erp = opens(settings, cache=False)
    await erp.log_in(Browser().show)
    pass_time(2 * HOUR)

    assert (await erp.queues.get("Invoices")).name == "Invoices"
    assert records(tmp_path) == []
    with pytest.raises(AuthError, match="nobody is logged in"):
        await opens(settings, cache=False).queues.get("Invoices")


async def test_a_token_that_the_platform_no_longer_takes_is_renewed_without_the_person(
    opens: Opens, sandbox: Sandbox, requests: Requests, pass_time: PassTime
) -> None:
    erp = opens(person)
    await erp.log_in(Browser().show)
    pass_time(60.0)
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match="GET */odata/*", status=401))

    assert (await erp.queues.get("Invoices")).name == "Invoices"
    assert len(requests(TOKEN)) == 2


async def test_a_refresh_token_that_was_withdrawn_asks_for_the_person(
    opens: Opens, requests: Requests, pass_time: PassTime
) -> None:
    erp = opens(person)
    await erp.log_in(Browser().show)
    pass_time(61 * 86_400.0)

    for _ in range(3):
        with pytest.raises(AuthError, match=r"auth\.login: nobody is logged in on connection 'erp'"):
            await erp.queues.get("Invoices")

    assert len(requests(TOKEN)) == 2, "it is sent once"
    await erp.log_in(Browser().show)
    await erp.queues.get("Invoices")


@pytest.mark.parametrize(("when", "ends_well"), [(When.BEFORE, True), (When.AFTER, False)])
async def test_after_a_lost_answer_the_same_refresh_token_is_sent_once_more(
    opens: Opens, sandbox: Sandbox, requests: Requests, pass_time: PassTime, when: When, ends_well: bool
) -> None:
    erp = opens(person)
    await erp.log_in(Browser().show)
    pass_time(2 * HOUR)
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=TOKEN, when=when))

    if ends_well:
        await erp.queues.get("Invoices")
    else:
        with pytest.raises(AuthError, match="nobody is logged in"):
            await erp.queues.get("Invoices")

    assert len(requests(TOKEN)) == 3, "the code, and the refresh token twice"


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE])
async def test_a_code_is_never_redeemed_twice(
    opens: Opens, sandbox: Sandbox, requests: Requests, kind: FaultKind
) -> None:
    erp = opens(person)
    sandbox.world.faults.add(Fault(kind, match=TOKEN, when=When.AFTER))

    with pytest.raises(OutcomeUnknownError, match="the code of this log-in may be spent; log in again"):
        await erp.log_in(Browser().show)

    assert len(requests(TOKEN)) == 1
    await erp.log_in(Browser().show)
    await erp.queues.get("Invoices")


async def test_what_the_person_or_the_browser_refuses_is_an_auth_error_and_redeems_nothing(
    opens: Opens, sandbox: Sandbox, requests: Requests
) -> None:
    erp = opens(person)
    tampered = Browser(lambda address: f"{address.partition('&state=')[0]}&state=another")
    with pytest.raises(AuthError, match="wrong state"):
        await erp.log_in(tampered.show)
    sandbox.world.switches["uipath.login_denied"] = True
    with pytest.raises(AuthError, match=r"refused in the browser \(access_denied\)"):
        await erp.log_in(Browser().show)

    assert requests(TOKEN) == []
    assert "The log-in failed" in tampered.pages[0]


async def test_when_the_port_is_taken_nobody_is_sent_to_a_browser(
    opens: Opens, sandbox: Sandbox, requests: Requests
) -> None:
    settings, browser = person(sandbox.connections["uipath"]), Browser()
    port = urlsplit(settings["auth"]["redirect_url"]).port
    with (
        socket.create_server(("127.0.0.1", port or 0)),
        pytest.raises(ConfigError, match=rf"port {port} of this machine"),
    ):
        await opens(settings).log_in(browser.show)

    assert (browser.addresses, requests("*")) == ([], [])


async def test_scopes_that_a_person_may_not_ask_for_are_named(opens: Opens, sandbox: Sandbox) -> None:
    settings = person(sandbox.connections["uipath"])
    settings["auth"] |= {"scope": "OR.Default"}

    with pytest.raises(AuthError, match=r"failed in the browser \(invalid_scope\); check auth"):
        await opens(settings).log_in(Browser().show)


async def test_no_secret_of_any_way_shows_in_logs_errors_and_reprs(
    opens: Opens, sandbox: Sandbox, pass_time: PassTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    keep, root = logging.Handler(), logging.getLogger()
    formatter = logging.Formatter("%(name)s %(message)s")
    keep.emit = lambda record: seen.append(formatter.format(record))  # type: ignore[method-assign]
    monkeypatch.setattr(root, "handlers", [*root.handlers, keep])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    secrets = {PASSWORD, USER_KEY, PERSONAL_ACCESS_TOKEN}

    def kept() -> set[str]:
        found = records(tmp_path)
        tokens = {one["token"]["value"] for one in found if one["token"]}
        return tokens | {one["refresh"] for one in found if one["refresh"]}

    async def attempt(call: Any) -> None:
        try:
            seen.append(repr(await call))
        except BridgeError as error:
            seen.append("".join(traceback.format_exception(error)) + repr(vars(error)))

    for way in (user_key, password, pat, person):
        erp = opens(way)
        for fault in (
            None,
            Fault(FaultKind.CUT, match="POST *", when=When.AFTER),
            Fault(FaultKind.HTML, match="POST *"),
            Fault(FaultKind.TRUNCATE, match="POST *", when=When.AFTER),
            Fault(FaultKind.STATUS, status=401, times=9),
            Fault(FaultKind.STATUS, match="POST *", status=400, body=json.dumps({"error": "invalid_grant"})),
        ):
            sandbox.world.faults.clear()
            if way is person:
                await attempt(erp.log_in(Browser().show))
            secrets |= kept()
            if fault is not None:
                sandbox.world.faults.add(fault)
            pass_time(2 * HOUR)
            await attempt(erp.queues.get("Invoices"))
            await attempt(erp.login_status())
            secrets |= kept()
        seen.append(repr(erp) + repr(vars(erp)))

    shown = "\n".join(seen)
    assert "auth.login" in shown
    assert sum(one.startswith("refresh-") for one in secrets) > 5
    assert not [secret for secret in secrets if secret in shown]
    for word in ("code-", "refresh-", "code_verifier", "redirect_uri", PASSWORD):  # the sandbox's begin like that
        assert word not in shown.replace("refresh-token", ""), word


def test_a_plain_script_logs_in_without_await(tmp_path: Path) -> None:
    with SandboxThread(["uipath"]) as sandbox:
        settings = {"connections": {"erp": person(sandbox.connections["uipath"])}, "cache_dir": str(tmp_path / "cache")}
        pages: list[str] = []

        def show(address: str) -> None:
            with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - the sandbox's own
                pages.append(answer.read().decode())

        with sync.Bridge(settings) as bridge:
            bridge["erp"].log_in(show)
            assert bridge["erp"].queues.get("Invoices").name == "Invoices"
    assert "You may close this window" in pages[0]


BROWSER = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
"""


def test_a_person_logs_in_on_the_command_line_and_the_next_commands_are_theirs(tmp_path: Path) -> None:
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    with SandboxThread(["uipath"]) as sandbox:
        settings = tmp_path / "settings.json"
        settings.touch(mode=0o600)
        connections = {"erp": person(sandbox.connections["uipath"]), "hr": pat(sandbox.connections["uipath"])}
        settings.write_text(json.dumps({"connections": connections, "cache_dir": str(tmp_path / "cache")}))

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "rpa_bridge", "--settings", str(settings), *arguments],
                env=os.environ | {"BROWSER": f"{sys.executable} {script} %s"},
                capture_output=True,
                text=True,
                timeout=60,
            )

        nobody = run("queues", "get", "Invoices", "--on", "erp")
        login = run("auth", "login", "erp", "-o", "json")
        found = run("queues", "get", "Invoices", "--on", "erp")
        status = run("auth", "status", "-o", "jsonl")
        fixed = run("auth", "login", "hr")

    assert (nobody.returncode, "rpa-bridge auth login erp" in nobody.stderr) == (7, True)
    assert login.returncode == 0, login.stderr
    assert "/connect/authorize?response_type=code" in login.stderr
    assert found.returncode == 0, found.stderr
    erp, hr = (json.loads(line) for line in status.stdout.splitlines())
    assert (erp["way"], erp["state"], erp["refresh_kept"], erp["stored"]) == (
        "authorization_code",
        "fresh",
        True,
        "file",
    )
    assert erp["left"].startswith("0:59:")
    assert (hr["way"], hr["state"], hr["left"], hr["stored"]) == ("pat", "fixed", None, "settings")
    assert fixed.returncode == 0, fixed.stderr
    shown = "".join(one.stdout + one.stderr for one in (nobody, login, found, status, fixed))
    assert PERSONAL_ACCESS_TOKEN not in shown
    assert not [word for word in ("sandbox-refresh", "sandbox-code", "verifier") if word in shown]
