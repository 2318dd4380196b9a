"""Which log-ins share a token, and which must not."""

from __future__ import annotations

import pickle
from dataclasses import asdict, replace
from typing import Any

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.tokens import TokenKey
from rpa_bridge.errors import ConfigError

INSTALLATION = b"i" * 32
KEY = TokenKey(
    adapter="uipath",
    token_url="https://cloud.example/identity_/connect/token",
    tenant="default",
    organization="acme",
    user="ada",
    client_id="client",
    grant_type="client_credentials",
    scopes=("OR.Jobs", "OR.Queues"),
    audience="orchestrator",
    extra={"ab": "c"},
    secret=SecretStr("client-secret-4711"),
)


@pytest.mark.parametrize(
    "change",
    [
        {"adapter": "other"},
        {"token_url": "http://cloud.example/identity_/connect/token"},
        {"token_url": "https://cloud.example:8443/identity_/connect/token"},
        {"token_url": "https://cloud.example/connect/token"},
        {"token_url": "https://cloud.example.org/identity_/connect/token"},
        {"tenant": "test"},
        {"organization": "umbrella"},
        {"user": "bob"},
        {"client_id": "other"},
        {"grant_type": "password"},
        {"scopes": ("OR.Jobs",)},
        {"scopes": ("OR.JobsOR.Queues",)},
        {"audience": ""},
        {"extra": {"a": "bc"}},
        {"extra": {}},
        {"tenant": "default" + "acme", "organization": ""},
        {"secret": SecretStr("client-secret-4712")},
    ],
)
def test_whatever_differs_makes_another_key(change: dict[str, Any]) -> None:
    assert replace(KEY, **change).digest(INSTALLATION) != KEY.digest(INSTALLATION)


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ("OR.Queues", "OR.Jobs", "OR.Jobs")},
        {"token_url": "HTTPS://Cloud.Example:443/identity_/connect/token?state=1"},
        {"secret": SecretStr("client-secret-4711")},
    ],
)
def test_what_means_the_same_makes_the_same_key(change: dict[str, Any]) -> None:
    assert replace(KEY, **change).digest(INSTALLATION) == KEY.digest(INSTALLATION)


def test_the_order_of_extras_does_not_matter() -> None:
    one, other = replace(KEY, extra={"a": "1", "b": "2"}), replace(KEY, extra={"b": "2", "a": "1"})

    assert one.digest(INSTALLATION) == other.digest(INSTALLATION)


def test_a_digest_means_nothing_on_another_installation() -> None:
    assert KEY.digest(b"j" * 32) != KEY.digest(INSTALLATION)
    assert len(KEY.digest(INSTALLATION)) == 64


def test_a_key_does_not_show_its_secret() -> None:
    assert "4711" not in f"{KEY!r} {KEY} {asdict(KEY)} {KEY.digest(INSTALLATION)}"


def test_a_key_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="in clear"):
        pickle.dumps(KEY)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cloud.example/token",
        "ftp://cloud.example/",
        "ftp://cloud.example:21/",
        "https://cloud.example:port/x",
        "https:///token",
        "https://[::1/token",
    ],
)
def test_an_address_that_is_none_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="log-in's address"):
        replace(KEY, token_url=url).digest(INSTALLATION)
