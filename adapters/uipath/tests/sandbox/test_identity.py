from __future__ import annotations

from typing import Any

import pytest

from rpa_bridge_uipath.sandbox.connections import all_connections
from rpa_bridge_uipath.sandbox.older_logins import PASSWORD, USER_KEY, USER_KEY_CLIENT_ID, USERNAME
from rpa_bridge_uipath.sandbox.people import PERSON_CLIENT_ID
from rpa_bridge_uipath.sandbox.scopes import FAMILIES
from rpa_bridge_uipath.sandbox.tokens import PERSONAL_ACCESS_TOKEN

TOKEN = "/identity_/connect/token"
AUTHENTICATE = "/api/Account/Authenticate"
CREDENTIALS = {"tenancyName": "default", "usernameOrEmailAddress": USERNAME, "password": PASSWORD}
KEY = {"grant_type": "refresh_token", "client_id": USER_KEY_CLIENT_ID, "refresh_token": USER_KEY}
TENANT = {"X-UIPATH-TenantName": "default"}


async def _enter(wire: Any, token: str, **headers: str) -> int:
    """The status of a harmless request with this token."""
    answer = await wire.ask("GET", "/odata/Folders", headers={"Authorization": f"Bearer {token}"} | headers)
    status: int = answer.status
    return status


@pytest.mark.parametrize(
    "path", ["/identity_/connect/token", "/acme/identity_/connect/token", "/identity/connect/token"]
)
async def test_every_edition_gives_tokens_that_open_the_door(wire: Any, path: str) -> None:
    answer = await wire.log_in(path)
    assert answer.status == 200
    assert answer.body["expires_in"] == 3600
    assert (answer.body["token_type"], answer.body["scope"]) == ("Bearer", "OR.Default")
    assert "refresh_token" not in answer.body
    await wire.ask(
        "GET", "/odata/Folders", headers={"Authorization": f"Bearer {answer.body['access_token']}"}, status=200
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"scope": "OR.Everything"}, "invalid_scope"),
        ({"scope": "OR.Jobs offline_access"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unauthorized_client"),
        ({"client_id": PERSON_CLIENT_ID}, "unauthorized_client"),
    ],
)
async def test_a_wrong_login_is_a_400_in_oauth_words(wire: Any, change: dict[str, str], error: str) -> None:
    answer = await wire.log_in(**change)
    assert (answer.status, answer.body["error"]) == (400, error)


async def test_a_login_must_be_a_form(wire: Any) -> None:
    answer = await wire.ask("POST", f"{wire.origin}/identity_/connect/token", {"grant_type": "client_credentials"})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_a_field_may_not_come_twice(wire: Any) -> None:
    answer = await wire.ask(
        "POST",
        wire.origin + TOKEN,
        form=[("grant_type", "client_credentials"), ("scope", "a"), ("scope", "b")],
    )
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_every_family_of_scopes_can_be_asked_for(wire: Any) -> None:
    scope = " ".join(sorted(FAMILIES | {"OR.Audit.Read", "OR.TestSets.Write"}))
    assert (await wire.log_in(scope=scope)).body["scope"] == scope
    assert {"OR.Machines", "OR.Monitoring", "OR.Settings", "OR.Webhooks", "OR.License", "OR.Users"} <= FAMILIES


async def test_some_identity_servers_quote_the_lifetime(wire: Any) -> None:
    wire.world.switches.update({"uipath.expires_in_quoted": True, "uipath.token_lifetime": 90})
    assert (await wire.log_in()).body["expires_in"] == "90"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_without_a_good_token_nobody_enters(wire: Any, header: dict[str, str]) -> None:
    answer = await wire.ask("GET", "/odata/Jobs", headers=header, status=401)
    assert (answer.body["message"], answer.code) == ("You are not authenticated!", 0)


async def test_a_token_ends_by_the_sandboxs_clock(wire: Any) -> None:
    wire.world.clock.freeze()
    wire.world.switches["uipath.token_lifetime"] = 60
    token = (await wire.log_in()).body["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    wire.world.clock.advance(59)
    await wire.ask("GET", "/odata/Folders", headers=header, status=200)
    wire.world.clock.advance(1)
    await wire.ask("GET", "/odata/Folders", headers=header, status=401)


@pytest.mark.parametrize(
    ("scope", "jobs", "start"),
    [
        ("OR.Jobs", 200, 400),
        ("OR.Jobs.Read", 200, 403),
        ("OR.Jobs.Write", 403, 400),
        ("OR.Queues OR.Folders", 403, 403),
    ],
)
async def test_scopes_open_only_their_doors(wire: Any, scope: str, jobs: int, start: int) -> None:
    token = (await wire.log_in(scope=scope)).body["access_token"]
    headers = wire.headers | {"Authorization": f"Bearer {token}"}
    read = await wire.ask("GET", "/odata/Jobs", headers=headers)
    written = await wire.ask("POST", "/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs", {}, headers=headers)
    assert (read.status, written.status) == (jobs, start)
    for answer in (read, written):
        assert answer.status != 403 or "Expect to have 'OR.Jobs'" in answer.body["errorMessage"]


async def test_secrets_do_not_get_into_the_list_of_requests(wire: Any) -> None:
    await wire.ask("GET", "/odata/Folders")
    noted = repr(wire.world.exchanges)
    assert "/connect/token" in noted
    assert wire.settings["auth"]["client_secret"] not in noted
    assert wire.headers["Authorization"].partition(" ")[2] not in noted


async def test_there_is_a_connection_for_each_way_in(wire: Any) -> None:
    every = all_connections(wire.origin)
    assert next(iter(every.items())) == ("uipath", wire.settings)
    auth = {name: settings["auth"] for name, settings in every.items()}
    assert await _enter(wire, auth["uipath-pat"]["token"]) == 200
    person = {"usernameOrEmailAddress": auth["uipath-password"]["username"]}
    person |= {"password": auth["uipath-password"]["password"], "tenancyName": every["uipath-password"]["tenant"]}
    logged_in = await wire.ask("POST", every["uipath-password"]["url"] + AUTHENTICATE, person)
    assert logged_in.body["success"] is True
    key = {name: auth["uipath-user-key"][name] for name in ("client_id", "refresh_token")}
    headers = {"X-UIPATH-TenantName": every["uipath-user-key"]["tenant"]}
    address = auth["uipath-user-key"]["url"]
    await wire.ask("POST", address, key | {"grant_type": "refresh_token"}, headers=headers, status=200)
    assert auth["uipath-person"]["client_id"] == PERSON_CLIENT_ID


async def test_a_personal_access_token_opens_the_door_until_it_is_a_year_old_or_revoked(wire: Any) -> None:
    token = PERSONAL_ACCESS_TOKEN
    assert await _enter(wire, token) == 200
    wire.world.switches["uipath.pat_revoked"] = True
    assert await _enter(wire, token) == 401
    assert await _enter(wire, wire.headers["Authorization"].partition(" ")[2]) == 200, "others are as good as before"
    wire.world.switches.clear()
    wire.world.clock.advance(365 * 24 * 3600 - 60)
    assert await _enter(wire, token) == 200
    wire.world.clock.advance(61)
    assert await _enter(wire, token) == 401
    await wire.log_in()
    assert await _enter(wire, token) == 401


async def test_a_user_key_gives_a_day_and_stays_as_it_is(wire: Any) -> None:
    wire.world.clock.freeze()
    for _ in range(2):
        answer = await wire.ask("POST", f"{wire.origin}/oauth/token", KEY, headers=TENANT, status=200)
    assert (answer.body["expires_in"], answer.body["token_type"]) == (86400, "Bearer")
    assert {"id_token", "scope"} <= set(answer.body)
    assert "refresh_token" not in answer.body
    wire.world.clock.advance(86399)
    assert await _enter(wire, answer.body["access_token"]) == 200
    wire.world.clock.advance(1)
    assert await _enter(wire, answer.body["access_token"]) == 401


@pytest.mark.parametrize(
    ("change", "headers", "error"),
    [
        ({"refresh_token": "wrong"}, TENANT, "invalid_grant"),
        ({"client_id": "wrong"}, TENANT, "invalid_client"),
        ({"grant_type": "client_credentials"}, TENANT, "unsupported_grant_type"),
        ({}, {}, "invalid_request"),
        ({}, {"X-UIPATH-TenantName": "other"}, "invalid_request"),
    ],
)
async def test_a_wrong_user_key_is_a_400_in_oauth_words(wire: Any, change: Any, headers: Any, error: str) -> None:
    answer = await wire.ask("POST", f"{wire.origin}/oauth/token", KEY | change, headers=headers)
    assert (answer.status, answer.body["error"]) == (400, error)


async def test_a_user_key_comes_as_a_json_object(wire: Any) -> None:
    for body in ({"form": list(KEY.items())}, {"body": [KEY]}):
        answer = await wire.ask("POST", f"{wire.origin}/oauth/token", headers=TENANT, **body)
        assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_a_password_gives_half_an_hour_on_premises_and_nobody_is_told(wire: Any) -> None:
    wire.world.clock.freeze()
    body = CREDENTIALS | {"usernameOrEmailAddress": USERNAME.upper()}
    answer = await wire.ask("POST", wire.origin + AUTHENTICATE, body, headers=TENANT, status=200)
    token = answer.body.pop("result")
    assert answer.body == {
        "targetUrl": None,
        "success": True,
        "error": None,
        "unAuthorizedRequest": False,
        "__abp": True,
    }
    wire.world.clock.advance(1799)
    assert await _enter(wire, token) == 200
    wire.world.clock.advance(1)
    assert await _enter(wire, token) == 401
    assert PASSWORD not in repr(wire.world.exchanges)


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("change", [{"password": "wrong"}, {"usernameOrEmailAddress": "x"}, {"tenancyName": "other"}])
async def test_a_wrong_password_is_an_envelope_that_says_no_success(wire: Any, change: Any, status: int) -> None:
    wire.world.switches["uipath.password_refused_status"] = status
    answer = await wire.ask("POST", wire.origin + AUTHENTICATE, CREDENTIALS | change, status=status)
    assert (answer.body["success"], answer.body["result"]) == (False, None)
    assert answer.body["error"]["message"]


async def test_a_password_that_is_not_even_asked_for_rightly_is_a_400(wire: Any) -> None:
    answer = await wire.ask("POST", wire.origin + AUTHENTICATE, CREDENTIALS | {"rememberMe": True}, status=400)
    assert answer.body["success"] is False


async def test_the_cloud_knows_no_passwords(wire: Any) -> None:
    assert (await wire.ask("POST", AUTHENTICATE, CREDENTIALS, status=404)).code == 0


async def test_a_token_is_good_in_its_own_tenant_only(wire: Any) -> None:
    token = wire.headers["Authorization"].partition(" ")[2]
    assert await _enter(wire, token, **{"X-UIPATH-TenantName": "Default"}) == 200
    assert await _enter(wire, token, **{"X-UIPATH-TenantName": "other"}) == 401


async def test_automation_suite_answers_with_a_page_where_the_last_segment_is_missing(wire: Any) -> None:
    wire.world.switches["uipath.orchestrator_segment_required"] = True
    for path in ("/odata/Folders", "/odata/Nothing"):
        page = await wire.ask("GET", f"{wire.origin}/acme/default{path}", headers={}, status=200)
        assert "<!DOCTYPE html>" in page.body
    await wire.ask("GET", "/odata/Folders", status=200)
    await wire.ask("GET", f"{wire.origin}/acme/default/orchestrator_/odata/Nothing", status=404)
