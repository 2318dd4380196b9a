"""Settings: which file is read, what it must look like, and what may be shown of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from pydantic import Field, SecretStr

from rpa_bridge import registry
from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.errors import AdapterLoadError, ConfigError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.settings import Settings, find_settings, load_settings
from rpa_bridge.settings.model import OutboxKind

CANARY = "canary-4711-hunter2"


class FakeSettings(AdapterSettings):
    url: str = "https://example.test"
    pin: SecretStr | None = None
    password: SecretStr | None = None
    more: dict[str, SecretStr] = Field(default_factory=dict)


class FakeAdapter:
    settings_model = FakeSettings


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working folder and an empty home, and the one adapter `fake`."""

    def load(name: str) -> Any:
        if name != "fake":
            raise AdapterLoadError(f"there is no adapter named {name!r}")
        return FakeAdapter

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("RPA_BRIDGE_SETTINGS", raising=False)
    monkeypatch.delenv("RPA_BRIDGE_CACHE_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda name: str(tmp_path / "config" / name))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    monkeypatch.setattr(platformdirs, "user_state_dir", lambda name: str(tmp_path / "state" / name))
    monkeypatch.setattr(registry, "load_adapter", load)
    return here


def write(path: Path, document: Any, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    path.chmod(mode)
    return path


def fake(**values: Any) -> dict[str, Any]:
    return {"connections": {"prod": {"adapter": "fake", **values}}}


class TestSearch:
    def test_with_no_file_there_is_the_local_connection(self) -> None:
        settings = load_settings()
        assert settings.source is None
        assert {name: one.adapter for name, one in settings.connections.items()} == {"local": "local"}

    def test_each_place_wins_over_the_ones_after_it(
        self, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        users = write(tmp_path / "config" / "rpa-bridge" / "settings.json", fake())
        assert find_settings() == users
        working = write(world / "settings.json", fake())
        assert find_settings() == working
        by_variable = write(tmp_path / "variable.json", fake())
        monkeypatch.setenv("RPA_BRIDGE_SETTINGS", str(by_variable))
        assert find_settings() == by_variable
        explicit = write(tmp_path / "explicit.json", fake())
        assert find_settings(explicit) == explicit
        assert load_settings(explicit).source == explicit

    def test_an_empty_variable_is_no_variable(self, world: Path) -> None:
        working = write(world / "settings.json", fake())
        assert find_settings(environ={"RPA_BRIDGE_SETTINGS": ""}, cwd=world) == working

    def test_a_named_file_that_does_not_exist_is_an_error(self, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(world / "settings.json", fake())
        with pytest.raises(ConfigError, match=r"there is no settings file .*gone\.json \(named by the path given\)"):
            find_settings("gone.json")
        monkeypatch.setenv("RPA_BRIDGE_SETTINGS", "gone.json")
        with pytest.raises(ConfigError, match=r"gone\.json \(named by RPA_BRIDGE_SETTINGS\)"):
            load_settings()

    def test_a_folder_is_not_a_settings_file(self, world: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read"):
            load_settings(world)


class TestDocument:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ('{"connections": {\n  "a": CANARY}}', "is not JSON: Expecting value at line 2 column 8"),
            ('{"a": 1, "a": 2}', "names 'a' twice"),
            ("[" * 100_000, "nests too deeply"),
            ('{"a": ' + "9" * 5000 + "}", "too many digits"),
            ("[]", "must be an object"),
            ('{"connections": {}}', "must name at least one connection"),
            ('{"connection": {}}', "has a key that is not known, 'connection'; did you mean 'connections'"),
            ('{"connections": {"a": 3}}', "connections.a must be an object"),
            ('{"connections": {"a": {"adaptr": "fake"}}}', "does not name its adapter; rename 'adaptr' to 'adapter'"),
            ('{"connections": {"a": {}}}', 'does not name its adapter; write "adapter"'),
            ('{"connections": {"": {"adapter": "fake"}}}', "has the name ''"),
            ('{"connections": {"a": {"adapter": "x"}}, "cache_dir": 3}', "cache_dir must be a path, or null"),
            ('{"connections": ' + '{"a":' * 60 + "1" + "}" * 61, "nest deeper than 50 levels"),
        ],
    )
    def test_a_broken_file_is_told_in_one_sentence(self, world: Path, text: str, sentence: str) -> None:
        path = write(world / "settings.json", text)
        with pytest.raises(ConfigError) as caught:
            load_settings()
        assert sentence in str(caught.value)
        assert "CANARY" not in str(caught.value)
        assert caught.value.__context__ is None, "a JSON error carries the whole document"
        assert path.name in str(caught.value) or "nest deeper" in sentence

    def test_a_byte_order_mark_is_no_harm(self, world: Path) -> None:
        (world / "settings.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(fake()).encode())
        assert list(load_settings().connections) == ["prod"]

    def test_another_encoding_is_named(self, world: Path) -> None:
        (world / "settings.json").write_bytes(json.dumps(fake()).encode("utf-16"))
        with pytest.raises(ConfigError, match="is not UTF-8 text"):
            load_settings()

    def test_a_huge_file_is_refused(self, world: Path) -> None:
        write(world / "settings.json", " " * (1024 * 1024 + 1))
        with pytest.raises(ConfigError, match="larger than 1048576 bytes"):
            load_settings()

    def test_the_flat_form_is_told_apart(self, world: Path) -> None:
        write(world / "settings.json", {"OAuthUrl": "https://account.uipath.com", "UserKey": CANARY}, mode=0o644)
        with pytest.raises(ConfigError, match=r"run rpa-bridge settings convert .*settings\.json NEW") as caught:
            load_settings()
        assert CANARY not in str(caught.value)

    def test_the_example_is_valid(self) -> None:
        settings = load_settings(Path(__file__).parents[2] / "settings.example.json")
        assert list(settings.connections) == ["local", "uipath-prod", "maestro"]

    def test_nothing_in_the_settings_shows_a_secret_by_accident(self) -> None:
        assert CANARY not in repr(Settings.of(fake(password=CANARY)))


class TestCacheFolder:
    def test_it_is_the_users_unless_told_otherwise(self, tmp_path: Path) -> None:
        assert load_settings().cache_dir == tmp_path / "cache" / "rpa-bridge"

    def test_the_file_names_it_relative_to_itself(self, tmp_path: Path) -> None:
        path = write(tmp_path / "elsewhere" / "s.json", {**fake(), "cache_dir": "tokens"})
        assert load_settings(path).cache_dir == tmp_path / "elsewhere" / "tokens"

    def test_null_keeps_tokens_in_memory(self) -> None:
        assert Settings.of({**fake(), "cache_dir": None}).cache_dir is None

    def test_the_variable_wins(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RPA_BRIDGE_CACHE_DIR", str(tmp_path / "mine"))
        assert Settings.of({**fake(), "cache_dir": None}).cache_dir == tmp_path / "mine"


class TestOutbox:
    def test_it_is_no_part_of_the_users_cache(self, tmp_path: Path) -> None:
        assert load_settings().state_dir == tmp_path / "state" / "rpa-bridge"

    def test_it_goes_where_somebody_put_the_rest(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write(tmp_path / "elsewhere" / "s.json", {**fake(), "cache_dir": "tokens"})
        assert load_settings(path).state_dir == tmp_path / "elsewhere" / "tokens" / "state"
        assert Settings.of({**fake(), "cache_dir": None}).state_dir is None
        monkeypatch.setenv("RPA_BRIDGE_CACHE_DIR", str(tmp_path / "mine"))
        assert Settings.of(fake()).state_dir == tmp_path / "mine" / "state"

    @pytest.mark.parametrize("written", ["maybe", None, 1, True])
    def test_it_is_on_durable_or_off(self, written: object) -> None:
        assert Settings.of(fake()).outbox is OutboxKind.ON
        assert Settings.of({**fake(), "outbox": "durable"}).outbox is OutboxKind.DURABLE
        with pytest.raises(ConfigError, match="outbox must be one of on, durable, off"):
            Settings.of({**fake(), "outbox": written})

    def test_it_is_shown_where_it_was_chosen(self) -> None:
        assert Settings.of({**fake(), "outbox": "off"}).masked()["outbox"] == "off"
        assert "outbox" not in Settings.of(fake()).masked()


@pytest.mark.skipif(os.name != "posix", reason="modes say nothing on Windows")
class TestSecretsInClear:
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
    @pytest.mark.parametrize(
        ("values", "place"),
        [
            ({"auth": {"client_secret": CANARY}}, "connections.prod.auth.client_secret"),
            ({"key": CANARY}, "connections.prod.key"),
            ({"userKey": CANARY}, "connections.prod.userKey"),
            ({"password": 4711_4711}, "connections.prod.password"),
            ({"api_token": CANARY}, "connections.prod.api_token"),
            ({"passwords": [{"password": CANARY}]}, "connections.prod.passwords.0.password"),
            ({"http": {"proxy": f"http://me:{CANARY}@proxy.test"}}, "connections.prod.http.proxy"),
        ],
    )
    def test_are_refused_in_a_file_that_others_can_read_or_change(
        self, world: Path, mode: int, values: dict[str, Any], place: str
    ) -> None:
        path = write(world / "settings.json", fake(**values), mode)
        with pytest.raises(ConfigError) as caught:
            load_settings()
        assert f"a secret stands in clear at {place}" in str(caught.value)
        assert f"run chmod 600 {path}, or replace the value by ${{env:NAME}}" in str(caught.value)
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize("values", [{"pin": CANARY}, {"pin": 471147}, {"more": {"any": CANARY}}])
    def test_are_known_by_the_adapters_types_too(self, world: Path, values: dict[str, Any]) -> None:
        write(world / "settings.json", fake(**values), 0o644)
        connection = load_settings().connections["prod"]
        with pytest.raises(ConfigError, match=r"in clear at connections\.prod\.(pin|more\.any)"):
            connection.validated(FakeSettings)

    def test_are_allowed_in_a_private_file_and_told_to_the_redactor(self, world: Path) -> None:
        write(world / "settings.json", fake(pin="pin-secret-1", password="pass$$secret-2"), 0o600)
        valid = load_settings().connections["prod"].validated(FakeSettings)
        assert valid.pin is not None
        assert valid.pin.get_secret_value() == "pin-secret-1"
        assert REDACTOR.clean("pin-secret-1 pass$secret-2") == "*** ***"

    @pytest.mark.parametrize("wrong", [{"pinn": 1}, {"url": "${env:NOT_THERE}"}])
    def test_are_told_to_the_redactor_too_when_something_else_is_wrong(
        self, world: Path, wrong: dict[str, Any]
    ) -> None:
        write(world / "settings.json", fake(pin="pin-secret-of-the-wrong", **wrong), 0o600)
        connection = load_settings().connections["prod"]
        with pytest.raises(ConfigError):
            connection.validated(FakeSettings)
        assert REDACTOR.clean("pin-secret-of-the-wrong") == "***"

    def test_references_may_stand_in_a_file_that_others_read(
        self, world: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FAKE_PIN", CANARY)
        write(world / "settings.json", fake(pin="${env:FAKE_PIN}", password="$FAKE_PIN"), 0o644)
        valid = load_settings().connections["prod"].validated(FakeSettings)
        assert valid.pin == valid.password == SecretStr(CANARY)

    def test_of_another_user_are_refused(self, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(world / "settings.json", fake(password=CANARY), 0o600)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(ConfigError, match="belongs to another user; make it yours"):
            load_settings()

    @pytest.mark.shows_secrets("file", why="the file is what is refused")
    def test_behind_a_link_are_judged_by_the_file_it_leads_to(self, world: Path, tmp_path: Path) -> None:
        target = write(tmp_path / "target.json", fake(password=CANARY), 0o600)
        (world / "settings.json").symlink_to(target)
        assert load_settings().connections["prod"].adapter == "fake"
        target.chmod(0o644)
        with pytest.raises(ConfigError, match="in clear"):
            load_settings()

    def test_are_known_to_the_redactor_when_a_program_hands_them_in(self) -> None:
        given = Settings.of(fake(more={"x": SecretStr("handed-in-secret")}))
        assert given.connections["prod"].validated(FakeSettings).more["x"].get_secret_value() == "handed-in-secret"
        assert REDACTOR.clean("handed-in-secret") == "***"

    def test_outlast_any_number_of_tokens(self, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rpa_bridge.redaction.MOST_SECRETS", 3)
        monkeypatch.setenv("FAKE_PIN", "lasting-by-reference")
        handed_in = fake(pin="${env:FAKE_PIN}", password="lasting-in-clear", more={"x": SecretStr("lasting-handed-in")})
        Settings.of(handed_in).connections["prod"].validated(FakeSettings)
        for number in range(4):
            REDACTOR.add(f"renewed-token-{number}")
        assert REDACTOR.clean("lasting-by-reference lasting-in-clear lasting-handed-in") == "*** *** ***"


class TestMasked:
    def test_shows_references_and_plain_values_and_hides_secrets(self) -> None:
        document = fake(
            url="https://example.test/x",
            pin=471100,
            password="${env:PASSWORD}",
            more={"a": "Basic ${env:X}", "b": "$WHOLE"},
        )
        document["cache_dir"] = "tokens"
        assert Settings.of(document).masked() == {
            "connections": {
                "prod": {
                    "adapter": "fake",
                    "url": "https://example.test/x",
                    "pin": "***",
                    "password": "${env:PASSWORD}",
                    "more": {"a": "***${env:X}", "b": "$WHOLE"},
                }
            },
            "cache_dir": "tokens",
        }

    def test_hides_what_stands_under_a_misspelt_name(self) -> None:
        assert Settings.of(fake(pinn=CANARY)).connections["prod"].masked() == {"adapter": "fake", "pinn": "***"}

    def test_hides_a_password_within_an_address(self) -> None:
        shown = Settings.of(fake(url=f"https://me:{CANARY}@example.test")).connections["prod"].masked()
        assert shown["url"] == "***"

    def test_hides_every_text_when_the_adapter_is_missing(self) -> None:
        settings = Settings.of(
            {"connections": {"a": {"adapter": "gone", "x": "y", "n": 1, "t": True, "o": SecretStr(CANARY)}}}
        )
        assert settings.masked()["connections"]["a"] == {
            "adapter": "gone",
            "x": "***",
            "n": "***",
            "t": True,
            "o": "***",
        }
