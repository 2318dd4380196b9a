"""What a connection to UiPath may say, and what is read out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import Bridge, ConfigError
from rpa_bridge.settings import Settings
from rpa_bridge.settings.flat import convert_flat
from rpa_bridge_uipath.settings import CLOUD_LISTS, CLOUD_RATE, AuthorizationCode, RefreshToken, UiPathSettings

CLOUD = "https://cloud.uipath.com/acme/production/orchestrator_"
CANARY = "canary-4711-hunter2"
AUTH = {"type": "client_credentials", "client_id": "me", "client_secret": CANARY}
ON_PREMISES = "https://orchestrator.example.com"
PASSWORD = {"type": "password", "username": "jo", "password": CANARY}
PERSON = {"type": "authorization_code", "client_id": "me"}


def read(**settings: Any) -> UiPathSettings:
    """The settings as a settings file would bring them."""
    document = {"connections": {"erp": {"adapter": "uipath", "url": CLOUD, "auth": AUTH} | settings}}
    return Settings.of(document).connections["erp"].validated(UiPathSettings)


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (CLOUD, "https://cloud.uipath.com/identity_"),
        ("https://cloud.uipath.com/acme/production", "https://cloud.uipath.com/identity_"),
        ("https://cloud.uipath.com/acme/production/orchestrator_/odata/", "https://cloud.uipath.com/identity_"),
        ("https://govcloud.uipath.us/acme/production/orchestrator_", "https://govcloud.uipath.us/identity_"),
        ("https://suite.example.com/acme/default/orchestrator_", "https://suite.example.com/identity_"),
        ("https://orchestrator.example.com", "https://orchestrator.example.com/identity"),
        ("https://orchestrator.example.com:8443/", "https://orchestrator.example.com:8443/identity"),
        ("https://proxy.example.com/rpa", "https://proxy.example.com/identity"),
        ("http://127.0.0.1:8001/acme/default/orchestrator_", "http://127.0.0.1:8001/identity_"),
    ],
)
def test_the_identity_servers_address_is_derived(url: str, identity: str) -> None:
    assert read(url=url).identity == identity


def test_an_identity_address_that_is_set_wins() -> None:
    assert read(identity_url="https://login.example.com/identity/").identity == "https://login.example.com/identity"


def test_the_address_loses_its_last_slash_and_odata() -> None:
    assert read(url=f"{CLOUD}/").url == read(url=f"{CLOUD}/odata").url == read(url=f"{CLOUD}/odata/").url == CLOUD


@pytest.mark.parametrize(
    ("url", "rate"),
    [
        (CLOUD, CLOUD_RATE),
        ("https://govcloud.uipath.us/a/b/orchestrator_", CLOUD_RATE),
        ("https://suite.example.com/acme/default/orchestrator_", None),
        ("https://orchestrator.example.com", None),
        ("https://notuipath.com/a/b/orchestrator_", None),
        ("http://localhost:8001/a/b/orchestrator_", None),
    ],
)
def test_only_the_cloud_has_a_rate_of_its_own(url: str, rate: float | None) -> None:
    assert read(url=url).rate == rate


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("url", "http://orchestrator.example.com"),
        ("url", "http://127.0.0.1.example.com/a/b"),
        ("identity_url", "http://orchestrator.example.com/identity"),
    ],
)
def test_http_is_refused_except_on_this_machine(setting: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{setting} must begin with https://"):
        read(**{setting: value})


def test_http_is_refused_for_the_user_key_too() -> None:
    auth = {"type": "refresh_token", "client_id": "me", "refresh_token": CANARY, "url": "http://account.example.com"}
    with pytest.raises(ConfigError, match=r"auth\.url must begin with https://"):
        read(auth=auth)
    local = "http://[::1]:8001/oauth/token"
    assert read(auth=auth | {"url": local}).auth == RefreshToken(**auth | {"url": local})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"auth": AUTH | {"type": "client_credential"}}, r"connections\.erp\.auth\.type .*did you mean 'client_cred"),
        ({"auth": {"client_id": "me"}}, r"connections\.erp\.auth\.type is missing; it must be 'authorization_code' or"),
        ({"auth": AUTH | {"client_sekret": CANARY}}, r"auth\.client_sekret is not known"),
        ({"auth": AUTH | {"client_id": ""}}, r"auth\.client_id"),
        ({"auth": None}, r"connections\.erp\.auth"),
        ({"foldr": "Finance"}, r"connections\.erp\.foldr is not known; did you mean 'folder'"),
        ({"folder": True}, r"connections\.erp\.folder"),
        ({"folder": 0}, r"connections\.erp\.folder"),
        ({"settle_window": -1}, r"connections\.erp\.settle_window"),
        ({"http": {"tiemout": 3}}, r"connections\.erp\.http\.tiemout is not known; did you mean 'timeout'"),
        ({"url": "cloud.uipath.com/acme"}, "url is not an address"),
        ({"url": f"https://me:{CANARY}@cloud.uipath.com"}, "url must not hold a user"),
        ({"auth": {"type": "pat", "token": f"{CANARY} \n"}}, r"auth\.token is empty, or holds"),
        ({"auth": {"type": "pat", "token": ""}}, r"auth\.token is empty, or holds"),
        ({"auth": PASSWORD, "tenant": "default"}, "only for servers on premises; on Automation Cloud use 'client_cred"),
        ({"auth": PASSWORD, "url": ON_PREMISES}, r"connections\.erp: tenant is missing"),
        (
            {"auth": PERSON | {"redirect_url": "https://127.0.0.1:12700"}},
            r"redirect_url must be an address of this mac",
        ),
        ({"auth": PERSON | {"redirect_url": "http://127.0.0.1"}}, "with a port"),
        ({"auth": PERSON | {"redirect_url": "http://127.0.0.1.example.com:80/"}}, "of this machine"),
        ({"auth": PERSON | {"redirect_url": "http://localhost:80/?to=https://example.com"}}, "of this machine"),
    ],
)
def test_what_is_wrong_is_one_sentence_without_a_secret(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        read(**settings)
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_secret_is_in_the_repr() -> None:
    key = {"type": "refresh_token", "client_id": "me", "refresh_token": CANARY}
    ways = [AUTH, key, {"type": "pat", "token": CANARY}, PERSON | {"client_secret": CANARY}]
    shown = [repr(read(auth=way)) for way in ways] + [repr(read(auth=PASSWORD, url=ON_PREMISES, tenant="default"))]
    assert CANARY not in "".join(shown) + str(read(http={"proxy": f"http://me:{CANARY}@proxy"}))


@pytest.mark.parametrize(
    ("auth", "identity"),
    [
        (AUTH, "client id me"),
        (PERSON, "a person, with client id me"),
        (PASSWORD, "user jo"),
        ({"type": "pat", "token": CANARY}, "personal access token"),
    ],
)
def test_who_logs_in_is_told_as_people_know_it(auth: dict[str, Any], identity: str) -> None:
    assert read(auth=auth, url=ON_PREMISES, tenant="default").auth.identity == identity


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:12700", "http://localhost:8000/", "http://localhost:8000/call/back-1"]
)
def test_the_browser_comes_back_to_this_machine_at_the_very_address_that_was_set(url: str) -> None:
    auth = read(auth=PERSON | {"redirect_url": url}).auth
    assert isinstance(auth, AuthorizationCode)
    assert auth.redirect_url == url


async def test_the_limits_of_a_connection_are_those_of_its_settings() -> None:
    async def paces(**settings: Any) -> tuple[int | None, float | None, float]:
        given = {"adapter": "uipath", "url": CLOUD, "auth": AUTH} | settings
        async with Bridge({"connections": {"erp": given}}, cache_dir=None) as bridge:
            limits = bridge["erp"].capabilities.limits
            return limits.lists_per_minute, limits.calls_per_second, bridge["erp"].settle_window

    assert await paces() == (CLOUD_LISTS, CLOUD_RATE, 120.0)
    assert await paces(lists_a_minute=30, http={"rate": 2.5}, settle_window=7) == (30, 2.5, 7.0)
    assert await paces(url=ON_PREMISES) == (None, None, 120.0)


def test_what_settings_convert_writes_is_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UIPATH_USER_KEY", CANARY)
    flat = {
        "OAuthUrl": "https://account.uipath.com",
        "url": "https://platform.uipath.com",
        "AccountLogicName": "acme",
        "TenantName": "production",
        "DefaultFolder": "Finance/Invoices",
        "UserKey": "the-old-files-own",
        "ClientId": "8DEv1AMNXczW3y4U15LL3jYf62jK93n5",
        "access_token": "old",
        "expires_in": 86400,
        "RobotId": 7,
    }

    written = convert_flat(flat)
    settings = Settings.of(written.document).connections["uipath"].validated(UiPathSettings)

    assert settings.url == "https://platform.uipath.com/acme/production"
    assert (settings.tenant, settings.folder) == ("production", "Finance/Invoices")
    assert settings.auth.type == "refresh_token"
    assert settings.auth.url == "https://account.uipath.com/oauth/token"
    assert settings.auth.refresh_token.get_secret_value() == CANARY
