"""The flat settings of UiPath's Python community become ours, without a secret in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rpa_bridge.errors import ConfigError
from rpa_bridge.settings import MovedSecret, Settings, convert_flat
from rpa_bridge.settings.flat import is_flat
from rpa_bridge_uipath.settings import UiPathSettings

KEY = "canary-user-key-0123456789"
FLAT: dict[str, Any] = {
    "OAuthUrl": "https://account.uipath.com",
    "url": "https://cloud.uipath.com",
    "AccountLogicName": "acme",
    "TenantName": "DefaultTenant",
    "DefaultFolder": "Shared/Finance",
    "UserKey": KEY,
    "ClientId": "8DEv1AMNXczW3y4U15LL3jYf62jK93n5",
    "access_token": "canary-access",
    "id_token": "canary-id",
    "scope": "openid profile offline_access",
    "expires_in": 86400,
    "token_type": "Bearer",
    "init_time": 1700000000,
    "RobotId": 42,
    "ReleaseKey": "11111111-2222-3333-4444-555555555555",
}


def connection(**changes: Any) -> dict[str, Any]:
    """The converted connection after these changes of the flat file; None takes a key away."""
    flat = {key: value for key, value in {**FLAT, **changes}.items() if value is not None}
    converted: dict[str, Any] = convert_flat(flat).document["connections"]["uipath"]
    return converted


def test_the_whole_file_becomes_one_connection() -> None:
    conversion = convert_flat(FLAT)
    assert conversion.document == {
        "connections": {
            "uipath": {
                "adapter": "uipath",
                "url": "https://cloud.uipath.com/acme/DefaultTenant",
                "tenant": "DefaultTenant",
                "folder": "Shared/Finance",
                "auth": {
                    "type": "refresh_token",
                    "url": "https://account.uipath.com/oauth/token",
                    "client_id": "8DEv1AMNXczW3y4U15LL3jYf62jK93n5",
                    "refresh_token": "${env:UIPATH_USER_KEY}",
                },
            }
        }
    }
    assert conversion.secrets == (MovedSecret("UserKey", "UIPATH_USER_KEY"),)
    assert "canary" not in json.dumps(conversion.document) + repr(conversion)


def test_what_is_dropped_is_said() -> None:
    notes = convert_flat({**FLAT, "Surprise": "canary"}).notes
    dropped = [note.partition(": dropped; ")[0] for note in notes]
    assert dropped == [
        "access_token, id_token, scope, expires_in, token_type, init_time",
        "ReleaseKey",
        "RobotId",
        "Surprise",
    ]


def test_the_adapter_takes_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UIPATH_USER_KEY", KEY)
    valid = Settings.of(convert_flat(FLAT).document).connections["uipath"].validated(UiPathSettings)
    assert valid.auth.type == "refresh_token"
    assert valid.auth.refresh_token.get_secret_value() == KEY
    assert valid.auth.url == "https://account.uipath.com/oauth/token"


@pytest.mark.parametrize(
    ("login", "address"),
    [
        ("https://account.uipath.com/", "https://account.uipath.com/oauth/token"),
        ("https://account.uipath.com/oauth/token", "https://account.uipath.com/oauth/token"),
        ("https://account.uipath.com/oauth/token/", "https://account.uipath.com/oauth/token"),
        (None, "https://account.uipath.com/oauth/token"),
    ],
)
def test_the_login_address_is_made_whole(login: str | None, address: str) -> None:
    assert connection(OAuthUrl=login)["auth"]["url"] == address


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({"url": "https://platform.uipath.com/"}, "https://platform.uipath.com/acme/DefaultTenant"),
        ({"url": "https://cloud.uipath.com/acme/DefaultTenant"}, "https://cloud.uipath.com/acme/DefaultTenant"),
        (
            {"url": "https://cloud.uipath.com/acme/DefaultTenant/orchestrator_"},
            "https://cloud.uipath.com/acme/DefaultTenant/orchestrator_",
        ),
        ({"url": "https://orch.test", "AccountLogicName": None}, "https://orch.test"),
        ({"AccountLogicName": "a c/me"}, "https://cloud.uipath.com/a%20c%2Fme/DefaultTenant"),
        ({"AccountLogicName": "$ACCOUNT"}, "https://cloud.uipath.com/${env:ACCOUNT}/DefaultTenant"),
    ],
)
def test_the_orchestrators_address_is_the_one_the_old_program_called(changes: dict[str, Any], address: str) -> None:
    assert connection(**changes)["url"] == address


@pytest.mark.parametrize(("key", "value"), [("url", None), ("url", ""), ("TenantName", None)])
def test_without_an_address_there_is_nothing_to_convert(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"no '{key}'"):
        connection(**{key: value})


def test_a_reference_stays_one_and_a_dollar_stays_a_dollar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    conversion = convert_flat({**FLAT, "UserKey": "$MY_KEY", "DefaultFolder": "US$ ${x}"})
    assert conversion.secrets == ()
    valid = Settings.of(conversion.document).connections["uipath"].validated(UiPathSettings)
    assert valid.folder == "US$ ${x}"
    assert valid.auth.type == "refresh_token"
    assert valid.auth.refresh_token.get_secret_value() == KEY


def test_missing_credentials_become_references_and_are_said() -> None:
    conversion = convert_flat({"url": "https://orch.test", "TenantName": "T"})
    auth = conversion.document["connections"]["uipath"]["auth"]
    assert (auth["client_id"], auth["refresh_token"]) == ("${env:UIPATH_CLIENT_ID}", "${env:UIPATH_USER_KEY}")
    assert conversion.secrets == ()
    assert [note.partition(":")[0] for note in conversion.notes] == ["ClientId", "UserKey"]


def test_our_own_form_is_not_flat() -> None:
    assert is_flat({"UserKey": "x"})
    assert not is_flat({"connections": {}, "UserKey": "x"})
    assert not is_flat({"url": "x"})
