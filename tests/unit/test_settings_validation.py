"""An adapter's own settings: what is wrong with them is one sentence, and no value is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from rpa_bridge.contract.adapter import AdapterSettings
from rpa_bridge.errors import ConfigError
from rpa_bridge.settings import ConnectionSettings
from rpa_bridge.settings.shapes import Shape

CANARY = "canary-4711-hunter2"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Secret(Part):
    type: Literal["client_credentials"]
    client_id: str = "id"
    client_secret: SecretStr


class Token(Part):
    type: Literal["token"]
    token: dict[str, int]


class Fake(AdapterSettings):
    url: str
    folder: str | int | None = None
    kind: Literal["cloud", "server"] = "cloud"
    retries: int = Field(default=3, ge=0)
    auth: Annotated[Secret | Token, Field(discriminator="type")]
    hosts: list[Secret] = Field(default_factory=list)
    anything: dict[str, Any] = Field(default_factory=dict)
    path: Path = Path()

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value.startswith("http://"):
            raise ConfigError(f"url {value} must begin with https://")
        if not value.startswith("https://"):
            raise ValueError(f"{value} is no address")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Fake:
        if self.retries == 99:
            raise ValueError(f"{self.url} cannot take 99 retries")
        return self


GOOD: dict[str, Any] = {"url": "https://x.test", "auth": {"type": "client_credentials", "client_secret": CANARY}}


def problem(**values: Any) -> str:
    """What is said of the good settings after these changes; None takes a key away."""
    changed = {key: value for key, value in {**GOOD, **values}.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        ConnectionSettings("prod", "fake", changed).validated(Fake)
    assert caught.value.__context__ is None, "a validation error carries the values"
    assert caught.value.__cause__ is None
    sentence = str(caught.value)
    assert CANARY not in sentence
    return sentence


def test_good_settings_are_good() -> None:
    valid = ConnectionSettings("prod", "fake", GOOD).validated(Fake)
    assert isinstance(valid.auth, Secret)
    assert valid.auth.client_secret.get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"url": None}, "connections.prod.url is missing"),
        ({"ur": CANARY}, "connections.prod.ur is not known; it could be anything, folder, hosts, kind, path, retries"),
        ({"foldr": CANARY}, "connections.prod.foldr is not known; did you mean 'folder'?"),
        (
            {"auth": {"type": "client_credentials", "client_secrt": CANARY}},
            "connections.prod.auth.client_secret is missing; "
            "connections.prod.auth.client_secrt is not known; did you mean 'client_secret'?",
        ),
        (
            {"auth": {"type": "client_credential", "client_secret": CANARY}},
            "connections.prod.auth.type must be 'client_credentials' or 'token'; did you mean 'client_credentials'?",
        ),
        ({"auth": {}}, "connections.prod.auth.type is missing; it must be 'client_credentials' or 'token'"),
        ({"auth": CANARY}, "connections.prod.auth should be a valid dictionary"),
        ({"auth": {"type": "token"}}, "connections.prod.auth.token is missing"),
        (
            {"auth": {"type": "token", "token": {"a": CANARY}}},
            "connections.prod.auth.token.a should be a valid integer",
        ),
        ({"kind": "clowd"}, "connections.prod.kind must be 'cloud' or 'server'; did you mean 'cloud'?"),
        ({"retries": -1}, "connections.prod.retries should be greater than or equal to 0"),
        ({"folder": {"path": CANARY}}, "connections.prod.folder should be a valid string"),
        (
            {"hosts": [{"type": "x", "client_secret": CANARY}]},
            "connections.prod.hosts.0.type must be 'client_credentials'",
        ),
        ({"url": f"ftp://{CANARY}"}, "connections.prod.url is wrong: *** is no address"),
        ({"url": f"http://{CANARY}"}, "connections.prod: url *** must begin with https://"),
        ({"retries": 99}, "connections.prod is wrong: *** cannot take 99 retries"),
    ],
)
def test_each_problem_is_told_with_its_place(values: dict[str, Any], sentence: str) -> None:
    assert sentence in problem(**values)


def test_many_problems_stay_one_sentence() -> None:
    sentence = problem(**{f"wrong-{number}": CANARY for number in range(30)})
    assert sentence.count("is not known") == 10
    assert sentence.endswith("; and 20 more")


def test_references_in_a_wrong_place_do_not_show_their_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SECRET", CANARY)
    assert "connections.prod.url is wrong: *** is no address" in problem(url="$FAKE_SECRET")


class TestShape:
    @pytest.mark.parametrize(
        ("place", "known", "secret"),
        [
            (("url",), True, False),
            (("auth", "client_secret"), True, True),
            (("auth", "token", "a"), True, False),
            (("auth", "other"), False, False),
            (("hosts", 3, "client_secret"), True, True),
            (("hosts", "client_secret"), False, False),
            (("anything", "at", "all", 0), True, False),
            (("url", "below"), False, False),
            (("url", 0), False, False),
        ],
    )
    def test_tells_what_stands_at_a_place(self, place: tuple[str | int, ...], known: bool, secret: bool) -> None:
        shape = Shape.of(Fake).at(place)
        assert (shape.is_known, shape.is_secret) == (known, secret)

    def test_knows_nothing_of_a_model_that_json_cannot_describe(self) -> None:
        class Odd(AdapterSettings):
            model_config = ConfigDict(arbitrary_types_allowed=True)
            odd: slice

        assert not Shape.of(Odd).is_known
