"""Single exchanges with an identity server on loopback; and what tells one log-in from another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from pydantic import SecretStr

from rpa_bridge import AuthError, Bridge, ProtocolError, RateLimitedError
from rpa_bridge.auth.tokens import Token, TokenKey
from rpa_bridge.settings import Settings
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.classify import Classify
from rpa_bridge.transport.http import Http
from rpa_bridge_uipath.auth.exchange import DEFAULT_LIFETIME, Exchange
from rpa_bridge_uipath.auth.ways import sign, source_of, token_key
from rpa_bridge_uipath.errors import explain
from rpa_bridge_uipath.settings import PersonalAccessToken, UiPathSettings

CANARY = "canary-4711-hunter2"
GOOD = {"access_token": "token-1", "expires_in": 86400, "token_type": "Bearer", "scope": "OR.Jobs OR.Queues"}


class IdentityServer:
    """Answers each log-in as ordered, and any other request with an empty list."""

    def __init__(self) -> None:
        self.origin = ""
        self.logins: list[tuple[str, dict[str, str], str]] = []
        """Path, headers and body of each."""
        self.others: list[str] = []
        """The Authorization of each other request."""
        self.answers: list[web.Response] = []

    async def login(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.logins.append((request.path, headers, await request.text()))
        return self.answers.pop(0) if self.answers else web.json_response(GOOD)

    async def other(self, request: web.Request) -> web.Response:
        self.others.append(request.headers.get("Authorization", ""))
        return web.json_response({"value": []})


@pytest.fixture
async def server() -> AsyncIterator[IdentityServer]:
    running = IdentityServer()
    app = web.Application()
    app.add_routes([web.post("/{path:.*}", running.login), web.get("/{path:.*}", running.other)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield running
    await runner.cleanup()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def user_key(server: IdentityServer, **settings: Any) -> dict[str, Any]:
    """Settings of a connection that logs in with the older user key."""
    auth = {
        "type": "refresh_token",
        "client_id": "me",
        "refresh_token": CANARY,
        "url": f"{server.origin}/oauth/token",
    }
    return {"url": f"{server.origin}/acme/production", "tenant": "production", "auth": auth} | settings


async def logged_in(settings: dict[str, Any], clock: ManualClock) -> Token:
    """The token that one log-in gives."""
    document = {"connections": {"erp": {"adapter": "uipath", **settings}}}
    valid = Settings.of(document).connections["erp"].validated(UiPathSettings)
    assert not isinstance(valid.auth, PersonalAccessToken)
    transport = Classify(Http(valid.url, valid.http), explain, clock)
    try:
        return await source_of(valid, valid.auth, Exchange(transport, clock), "erp").fetch()
    finally:
        await transport.aclose()


async def test_the_user_key_goes_as_json_with_the_tenant_and_lasts_a_day(
    server: IdentityServer, clock: ManualClock
) -> None:
    token = await logged_in(user_key(server), clock)

    path, headers, body = server.logins[0]
    assert path == "/oauth/token"
    assert headers["content-type"] == "application/json"
    assert headers["x-uipath-tenantname"] == "production"
    assert "authorization" not in headers
    expected = {"grant_type": "refresh_token", "client_id": "me", "refresh_token": CANARY}
    assert json.loads(body) == expected
    assert token.lifetime == 86400
    assert token.obtained_at == clock.now()
    assert token.scopes == ("OR.Jobs", "OR.Queues")
    assert sign(token) == {"Authorization": "Bearer token-1"}
    assert "token-1" not in repr(token)


async def test_client_credentials_go_as_a_form(server: IdentityServer, clock: ManualClock) -> None:
    secret = f"{CANARY}&=+ %ü"
    auth = {"type": "client_credentials", "client_id": "me", "client_secret": secret, "scope": "OR.Jobs OR.Queues"}

    await logged_in({"url": f"{server.origin}/acme/default/orchestrator_", "auth": auth}, clock)

    path, headers, body = server.logins[0]
    assert path == "/identity_/connect/token"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(body)) == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": secret,
        "scope": "OR.Jobs OR.Queues",
    }


def password(server: IdentityServer, **settings: Any) -> dict[str, Any]:
    """Settings of a connection to a server on premises."""
    auth = {"type": "password", "username": "jo@example.com", "password": CANARY}
    return {"url": f"{server.origin}/rpa", "tenant": "Finance", "auth": auth} | settings


async def test_a_password_goes_as_json_and_its_token_is_good_for_half_an_hour(
    server: IdentityServer, clock: ManualClock
) -> None:
    envelope = {"result": "token-1", "targetUrl": None, "success": True, "error": None, "__abp": True}
    server.answers.append(web.json_response(envelope))

    token = await logged_in(password(server), clock)

    path, headers, body = server.logins[0]
    assert path == "/rpa/api/Account/Authenticate"
    assert headers["content-type"] == "application/json"
    expected = {"tenancyName": "Finance", "usernameOrEmailAddress": "jo@example.com", "password": CANARY}
    assert json.loads(body) == expected
    assert (token.value.get_secret_value(), token.lifetime, token.refresh) == ("token-1", 1800, None)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_a_password_that_is_refused_is_an_auth_error_with_the_servers_sentence(
    server: IdentityServer, clock: ManualClock, status: int
) -> None:
    problem = {"code": 0, "message": f"Invalid credentials for {CANARY}.", "details": None}
    envelope = {"result": "token-of-nobody", "success": False, "error": problem, "unAuthorizedRequest": False}
    server.answers.append(web.json_response(envelope, status=status))

    with pytest.raises(AuthError, match=r"Invalid credentials .*; check auth\.username") as caught:
        await logged_in(password(server), clock)
    assert CANARY not in str(caught.value)
    assert "token-of-nobody" not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize(("told", "lifetime"), [(3600, 3600), ("3600", 3600), (None, DEFAULT_LIFETIME)])
async def test_a_lifetime_may_be_a_number_a_text_or_absent(
    server: IdentityServer, clock: ManualClock, told: Any, lifetime: float
) -> None:
    answer = {"access_token": "token-1"} | ({} if told is None else {"expires_in": told})
    server.answers.append(web.json_response(answer))

    assert (await logged_in(user_key(server), clock)).lifetime == lifetime


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": ""},
        {"access_token": None, "expires_in": 3600},
        {"access_token": "two words"},
        {"access_token": {"value": "x"}},
        {"access_token": "token-1", "expires_in": 0},
        {"access_token": "token-1", "expires_in": "soon"},
        {"access_token": "token-1", "expires_in": [1]},
        ["token-1"],
        None,
    ],
)
async def test_a_200_without_a_usable_token_is_a_protocol_error(
    server: IdentityServer, clock: ManualClock, answer: Any
) -> None:
    server.answers.append(web.json_response(answer))

    with pytest.raises(ProtocolError) as caught:
        await logged_in(user_key(server), clock)
    assert CANARY not in str(caught.value)
    assert "token-1" not in str(caught.value)


async def test_a_web_page_at_log_in_is_a_protocol_error_that_names_the_settings(
    server: IdentityServer, clock: ManualClock
) -> None:
    server.answers.append(web.Response(text="<!DOCTYPE html><title>UiPath</title>", content_type="text/html"))

    with pytest.raises(ProtocolError, match="web page instead of data; check the address"):
        await logged_in(user_key(server), clock)


@pytest.mark.parametrize(
    ("status", "error", "mend"),
    [
        (400, "invalid_client", "auth.client_secret"),
        (401, "invalid_client", "auth.client_secret"),
        (400, "invalid_scope", "auth.scope"),
        (403, "invalid_grant", "user key"),
        (400, "unauthorized_client", "external application"),
        (400, "something_new", "check auth in the settings"),
    ],
)
async def test_a_refused_log_in_is_an_auth_error_with_its_mend(
    server: IdentityServer, clock: ManualClock, status: int, error: str, mend: str
) -> None:
    server.answers.append(web.json_response({"error": error, "error_description": f"{CANARY} is wrong"}, status=status))

    with pytest.raises(AuthError, match=mend) as caught:
        await logged_in(user_key(server), clock)
    assert caught.value.code == error
    assert CANARY not in str(caught.value)


@pytest.fixture
async def bridge(server: IdentityServer, clock: ManualClock) -> AsyncIterator[Bridge]:
    document = {"connections": {"erp": {"adapter": "uipath", **user_key(server)}}}
    async with Bridge(document, clock=clock, cache_dir=None) as opened:
        yield opened


async def test_a_200_without_a_token_is_not_remembered_as_a_refusal(server: IdentityServer, bridge: Bridge) -> None:
    server.answers.append(web.json_response({"token_type": "Bearer"}))
    with pytest.raises(ProtocolError, match="without a usable token"):
        await bridge["erp"].queues.get("Invoices")

    assert [one async for one in bridge["erp"].automations.find()] == []
    assert server.others == ["Bearer token-1"]
    assert len(server.logins) == 2


async def test_a_refusal_is_remembered_and_nothing_is_sent_with_it(server: IdentityServer, bridge: Bridge) -> None:
    server.answers.append(web.json_response({"error": "invalid_client"}, status=400))
    for _ in range(3):
        with pytest.raises(AuthError):
            await bridge["erp"].queues.get("Invoices")

    assert len(server.logins) == 1
    assert server.others == []


@pytest.mark.parametrize(("status", "error"), [(429, "too_many_requests"), (503, "temporarily_unavailable")])
async def test_an_oauth_error_that_passes_is_waited_out_and_no_refusal(
    server: IdentityServer, bridge: Bridge, status: int, error: str
) -> None:
    headers = {"Retry-After": "2"}
    server.answers.append(web.json_response({"error": error}, status=status, headers=headers))

    assert [one async for one in bridge["erp"].automations.find()] == []
    assert len(server.logins) == 2


async def test_too_many_log_ins_are_rate_limited_and_not_a_wrong_secret(server: IdentityServer, bridge: Bridge) -> None:
    headers = {"Retry-After": "400"}
    server.answers.append(web.json_response({"error": "too_many_requests"}, status=429, headers=headers))

    with pytest.raises(RateLimitedError) as caught:
        await bridge["erp"].queues.get("Invoices")
    assert caught.value.retry_after == 400


async def test_who_we_are_is_told_without_the_token(server: IdentityServer, bridge: Bridge) -> None:
    before = await bridge["erp"].login_status()
    assert before is not None
    assert (before.identity, before.state, server.logins) == ("client id me", "absent", [])

    assert [one async for one in bridge["erp"].automations.find()] == []
    after = await bridge["erp"].login_status()

    assert after is not None
    assert (after.state, after.scopes) == ("fresh", ("OR.Jobs", "OR.Queues"))
    assert "token-1" not in repr(after)
    await bridge["erp"].forget_login()
    assert [one async for one in bridge["erp"].automations.find()] == []
    assert len(server.logins) == 2


AUTH = {"type": "client_credentials", "client_id": "me", "client_secret": CANARY, "scope": "OR.Jobs OR.Queues"}
BASE = {"url": "https://cloud.uipath.com/acme/production/orchestrator_", "auth": AUTH}


def digest(settings: dict[str, Any]) -> str:
    """The name of a log-in in the cache."""
    return key_of(settings).digest(b"installation")


def key_of(settings: dict[str, Any], connection: str = "erp") -> TokenKey:
    valid = UiPathSettings.model_validate(settings)
    assert not isinstance(valid.auth, PersonalAccessToken)
    return token_key(valid, valid.auth, connection)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://cloud.uipath.com/acme/test/orchestrator_"},
        {"url": "https://staging.uipath.com/acme/production/orchestrator_"},
        {"identity_url": "https://login.example.com/identity"},
        {"tenant": "production"},
        {"auth": AUTH | {"client_id": "you"}},
        {"auth": AUTH | {"client_secret": f"{CANARY}2"}},
        {"auth": AUTH | {"scope": "OR.Jobs"}},
        {"auth": {"type": "refresh_token", "client_id": "me", "refresh_token": CANARY}},
    ],
)
def test_another_identity_is_another_key(change: dict[str, Any]) -> None:
    assert digest(BASE | change) != digest(BASE)


def test_what_does_not_matter_to_a_token_keeps_the_key() -> None:
    scopes = {"auth": AUTH | {"scope": "OR.Queues  OR.Jobs OR.Jobs"}}
    assert digest(BASE | {"folder": "Finance", "http": {"timeout": 3}} | scopes) == digest(BASE)


def test_no_secret_is_in_the_repr_of_key_and_login() -> None:
    valid = UiPathSettings.model_validate(BASE)
    assert not isinstance(valid.auth, PersonalAccessToken)
    login = source_of(valid, valid.auth, Exchange(None, ManualClock()), "erp")  # type: ignore[arg-type]  # sends nothing
    assert key_of(BASE).secret == SecretStr(CANARY)
    assert CANARY not in repr(key_of(BASE)) + repr(login) + repr(vars(login))


def test_no_two_ways_to_log_in_share_a_key() -> None:
    url = "https://cloud.uipath.com/identity_/connect/token"
    user_key = {"type": "refresh_token", "client_id": "me", "refresh_token": CANARY, "url": url}
    person = {"type": "authorization_code", "client_id": "me", "client_secret": CANARY, "scope": ""}
    ways = [AUTH | {"scope": ""}, user_key, person]
    assert len({digest(BASE | {"auth": way}) for way in ways}) == len(ways)


def test_a_person_who_logs_in_on_one_connection_is_not_logged_in_on_another() -> None:
    person = BASE | {"auth": {"type": "authorization_code", "client_id": "me"}}
    assert key_of(person).digest(b"installation") != key_of(person, "hr").digest(b"installation")
    assert key_of(BASE).digest(b"installation") == key_of(BASE, "hr").digest(b"installation")
