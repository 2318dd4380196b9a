"""What a connection to BotMaestro may say, and what is read out of it."""

from __future__ import annotations

from typing import Any

import pytest

from rpa_bridge import Bridge, ConfigError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.settings import Settings
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge_botmaestro.settings import CLOUD_RATE, BotMaestroSettings, RunnerSettings

SERVER = "https://developers.botcity.dev"
CANARY = "canary-4711-hunter2"


def read(**settings: Any) -> BotMaestroSettings:
    """The settings as a settings file would bring them."""
    given = {"adapter": "botmaestro", "server": SERVER, "login": "acme", "key": CANARY} | settings
    return Settings.of({"connections": {"maestro": given}}).connections["maestro"].validated(BotMaestroSettings)


@pytest.mark.parametrize("tail", ["", "/", "/api/v2", "/api/v2/", "//api/v2"])
@pytest.mark.parametrize("server", [SERVER, "https://proxy.example.com:8443/rpa", "http://127.0.0.1:8001"])
def test_the_server_loses_its_last_slash_and_the_version(server: str, tail: str) -> None:
    assert read(server=server + tail).server == server


@pytest.mark.parametrize("server", ["http://127.0.0.1:8001", "http://localhost", "http://[::1]:80"])
def test_http_is_for_this_machine(server: str) -> None:
    assert read(server=server).server == server


@pytest.mark.parametrize(
    ("server", "mend"),
    [
        ("http://maestro.example.com", "must begin with https://"),
        ("http://127.0.0.1.example.com", "must begin with https://"),
        ("ftp://maestro.example.com", "write it like https://host/path"),
        ("maestro.example.com", "write it like https://host/path"),
        (f"https://me:{CANARY}@maestro.example.com", "put credentials into their settings"),
        ("https://maestro.example.com/?a=1", "must not hold a user, a query or a fragment"),
    ],
)
def test_other_addresses_are_refused_with_the_mend_and_not_repeated(server: str, mend: str) -> None:
    with pytest.raises(ConfigError, match=mend) as caught:
        read(server=server)
    assert "server" in str(caught.value)
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    ("server", "rate"),
    [
        (SERVER, CLOUD_RATE),
        ("https://ACME.BotCity.dev/", CLOUD_RATE),
        ("https://acme.botcity.dev:443", CLOUD_RATE),
        ("https://notbotcity.dev", None),
        ("https://botcity.dev.example.com", None),
        ("https://maestro.example.com/developers.botcity.dev", None),
        ("http://127.0.0.1:8001", None),
    ],
)
def test_only_the_vendors_own_servers_are_paced(server: str, rate: float | None) -> None:
    assert read(server=server).rate == rate


def test_an_unknown_key_is_refused_in_one_sentence_that_knows_what_was_meant() -> None:
    with pytest.raises(ConfigError) as caught:
        read(key_dayz=3)
    assert str(caught.value) == "connections.maestro.key_dayz is not known; did you mean 'key_days'?"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"login": ""}, "login"),
        ({"key": ""}, "key"),
        ({"key_days": 0}, "key_days"),
        ({"settle_window": -1}, "settle_window"),
        ({"http": {"in_flight": 0}}, "http.in_flight"),
        ({"server": None}, "server"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^connections\.maestro\.{name} ") as caught:
        read(**settings)
    assert ";" not in str(caught.value), "one problem is one sentence"


def test_the_key_is_never_shown() -> None:
    settings = read()
    assert settings.key.get_secret_value() == CANARY
    assert CANARY not in repr(settings) + str(settings) + settings.model_dump_json()


TOKEN = "canary-4711-runner-token"


def runner(*arguments: str) -> RunnerSettings | None:
    return RunnerSettings.read(arguments, HttpOptions(in_flight=7))


@pytest.mark.parametrize(
    ("more", "organization"), [((), ""), (("",), ""), (("acme",), "acme"), (("acme", "what", "follows"), "acme")]
)
def test_the_runners_arguments_are_server_task_token_and_perhaps_organization(
    more: tuple[str, ...], organization: str
) -> None:
    read = runner(f"{SERVER}/", "4711", TOKEN, *more)

    assert read is not None
    assert (read.server, read.task, read.organization) == (SERVER, "4711", organization)
    assert read.token.get_secret_value() == TOKEN
    assert (read.rate, read.http.in_flight) == (CLOUD_RATE, 7)
    assert TOKEN not in repr(read) + str(read) + read.model_dump_json() + REDACTOR.clean(f"sent {TOKEN}")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (SERVER, "4711"),
        ("--verbose", "4711", TOKEN),
        ("maestro.example.com", "4711", TOKEN),
        (SERVER, "Invoices", TOKEN),
        (SERVER, "٣", TOKEN),
        (SERVER, "-1", TOKEN),
        (SERVER, "4711", ""),
        (SERVER, "4711", "two words"),
    ],
)
def test_other_arguments_are_not_the_runners(arguments: tuple[str, ...]) -> None:
    assert runner(*arguments) is None


async def test_the_limits_of_a_connection_are_those_of_its_settings() -> None:
    async def pace(**settings: Any) -> tuple[float | None, float]:
        given = {"adapter": "botmaestro", "server": SERVER, "login": "acme", "key": CANARY} | settings
        async with Bridge({"connections": {"maestro": given}}, cache_dir=None) as bridge:
            return bridge["maestro"].capabilities.limits.calls_per_second, bridge["maestro"].settle_window

    assert await pace() == (CLOUD_RATE, 120.0)
    assert await pace(http={"rate": 2.5}, settle_window=7) == (2.5, 7.0)
    assert await pace(server="https://maestro.example.com") == (None, 120.0)


def test_a_runners_server_that_may_not_be_spoken_to_is_refused_without_its_token() -> None:
    with pytest.raises(ConfigError, match="server must begin with https://") as caught:
        runner("http://maestro.example.com", "4711", TOKEN, "acme")

    assert TOKEN not in repr(caught.value)
