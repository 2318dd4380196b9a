"""Overriding is declaring; what is absent refuses; limits of two sides are those that hold on both."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import SecretStr

from rpa_bridge.clock import SystemClock
from rpa_bridge.contract.adapter import (
    SERVICES,
    AbsentTransport,
    Adapter,
    AdapterContext,
    AdapterInfo,
    AdapterSettings,
    Capabilities,
    Finding,
)
from rpa_bridge.contract.alerts import Alert, AlertService
from rpa_bridge.contract.credentials import RevealedCredential
from rpa_bridge.contract.features import Feature, FilePlace, Limits, Service, features_of, optional
from rpa_bridge.contract.model import Named, Severity, plain
from rpa_bridge.contract.schedules import ScheduleService
from rpa_bridge.errors import UnsupportedError
from rpa_bridge.transport.base import Effect, Request


class Alerts(AlertService):
    """Declares one of the two verbs by overriding it."""

    async def send(
        self, title: str, message: str, *, severity: Severity = Severity.INFO, job: str | None = None
    ) -> None:
        return None


class MoreAlerts(Alerts):
    """Inherits one verb and adds the other."""

    def find(self, *, job: str | None = None) -> AsyncIterator[Alert]:
        raise AssertionError("not called")


def test_overriding_a_verb_declares_it() -> None:
    assert features_of(AlertService) == frozenset()
    assert features_of(Alerts) == {Feature.ALERT_SEND}
    assert features_of(MoreAlerts) == {Feature.ALERT_SEND, Feature.ALERT_FIND}


def test_an_override_may_be_taken_back() -> None:
    class Silent(Alerts):
        send = AlertService.send  # the contract's own, which refuses

    assert features_of(Silent) == frozenset()


def test_every_feature_belongs_to_one_optional_verb_of_its_name() -> None:
    declared = {
        f"{service.noun}.{name}": method.__feature__
        for service in SERVICES
        for name, method in vars(service).items()
        if hasattr(method, "__feature__")
    }
    assert declared == {feature.value: feature for feature in Feature}


def test_no_verb_is_both_required_and_optional() -> None:
    for service in SERVICES:
        required: frozenset[str] = getattr(service, "__abstractmethods__", frozenset())
        assert not any(hasattr(getattr(service, name), "__feature__") for name in required)


def verbs(service: type[Service]) -> list[str]:
    """The verbs that the service leaves to adapters: required and optional ones."""
    required: frozenset[str] = getattr(service, "__abstractmethods__", frozenset())
    return sorted({*required, *(name for name, one in vars(service).items() if hasattr(one, "__feature__"))})


def arguments(verb: Callable[..., Any]) -> list[None]:
    """None for each positional parameter: a verb that refuses looks at nothing."""
    kinds = [one.kind for one in inspect.signature(verb).parameters.values()]
    return [None] * kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)


@pytest.mark.parametrize(
    ("service", "name"),
    [pytest.param(one, name, id=f"{one.noun}.{name}") for one in SERVICES for name in verbs(one)],
)
async def test_an_absent_noun_refuses_every_verb(service: type[Service], name: str) -> None:
    noun = service.absent("maestro")
    assert noun.is_absent
    assert isinstance(noun, service)
    verb = getattr(noun, name)
    with pytest.raises(UnsupportedError, match=rf"^maestro does not support {service.noun}") as caught:
        await verb(*arguments(verb))
    assert caught.value.adapter == "maestro"


async def test_a_list_that_is_not_supported_refuses_before_anybody_iterates() -> None:
    with pytest.raises(UnsupportedError, match=r"maestro does not support schedules\.find"):
        ScheduleService.absent("maestro").find()


async def test_an_optional_verb_that_is_not_overridden_refuses_without_running() -> None:
    class Lamps(Service):
        noun = "lamps"

        @optional(Feature.ALERT_FIND)
        async def light(self) -> None:
            raise AssertionError("the body of an optional verb never runs")

    lamps = Lamps("local", SystemClock())
    with pytest.raises(UnsupportedError, match=r"^local does not support alerts\.find$"):
        await lamps.light()
    assert inspect.iscoroutinefunction(Lamps.light)
    assert Lamps.light.__name__ == "light"


def test_an_absent_noun_is_another_class_and_leaves_the_contract_alone() -> None:
    for service in SERVICES:
        assert not service.is_absent
        absent = type(service.absent("x"))
        assert absent.__name__ == f"Absent{service.__name__}"
        assert features_of(absent) == frozenset()
        assert getattr(absent, "__abstractmethods__", frozenset()) == frozenset()


EVERYTHING = Limits(
    name_length=50,
    reference_length=128,
    item_bytes=1000,
    input_chars=10_000,
    batch_size=100,
    flat_values=True,
    unique_references=True,
    reads_secrets=True,
    finds_starts_by_key=True,
    item_times=False,
    field_types=frozenset({"text", "date"}),
    required_fields=True,
    credential_fields=(frozenset({"username", "password"}), frozenset({"secret"})),
    descriptions=frozenset({"queues", "assets"}),
    file_place=FilePlace.CONTAINER_OR_JOB,
    page_size=100,
    lists_per_minute=90,
    calls_per_second=15.0,
)


def test_limits_of_two_sides_are_what_holds_on_both() -> None:
    other = Limits(
        name_length=40,
        batch_size=1000,
        reads_secrets=True,
        field_types=frozenset({"text", "number"}),
        credential_fields=(frozenset({"secret"}),),
        descriptions=frozenset({"queues", "credentials"}),
        file_place=FilePlace.JOB,
        calls_per_second=0.5,
    )
    both = Limits(
        name_length=40,
        reference_length=128,
        item_bytes=1000,
        input_chars=10_000,
        batch_size=100,
        flat_values=True,
        reads_secrets=True,
        item_times=False,
        field_types=frozenset({"text"}),
        credential_fields=(frozenset({"secret"}),),
        descriptions=frozenset({"queues"}),
        file_place=FilePlace.JOB,
        page_size=100,
        lists_per_minute=90,
        calls_per_second=0.5,
    )
    assert EVERYTHING & other == other & EVERYTHING == both
    assert (Limits() & Limits()) == Limits()
    assert (EVERYTHING & Limits()).credential_fields == EVERYTHING.credential_fields, "the other side takes all names"


def test_no_limit_is_forgotten_when_two_are_joined() -> None:
    assert (EVERYTHING & EVERYTHING) == EVERYTHING
    for field in fields(Limits):
        assert getattr(EVERYTHING, field.name) != field.default


class Settings(AdapterSettings):
    """Needs nothing."""


class Thin(Adapter):
    """One noun and nothing else."""

    info = AdapterInfo(name="thin", title="Thin", limits=Limits(batch_size=3))
    settings_model = Settings

    @classmethod
    def open(cls, settings: Any, context: AdapterContext) -> Self:
        return cls(context, Alerts("thin", context.clock))

    async def check(self) -> list[Finding]:
        return []


@pytest.fixture
def thin() -> Thin:
    return Thin.open(Settings(), AdapterContext(connection="here"))


def test_an_adapter_has_every_noun_and_offers_what_its_classes_override(thin: Thin) -> None:
    assert [type(one).noun for one in thin.services] == [noun.noun for noun in SERVICES]
    assert [one for one in thin.services if not one.is_absent] == [thin.alerts]
    assert thin.capabilities == Capabilities(frozenset({Feature.ALERT_SEND}), Limits(batch_size=3))
    assert Feature.ALERT_SEND in thin.capabilities
    assert Feature.JOB_STOP not in thin.capabilities
    assert thin.connection == "here"


def test_capabilities_of_two_platforms_are_what_both_can_do() -> None:
    one = Capabilities(frozenset({Feature.JOB_STOP, Feature.ASSET_PUT}), Limits(batch_size=5))
    other = Capabilities(frozenset({Feature.ASSET_PUT}), Limits(name_length=9))
    assert one & other == Capabilities(frozenset({Feature.ASSET_PUT}), Limits(batch_size=5, name_length=9))


async def test_a_platform_without_a_wire_has_no_raw_door(thin: Thin) -> None:
    assert isinstance(thin.raw, AbsentTransport)
    with pytest.raises(UnsupportedError, match="thin does not support raw requests"):
        await thin.raw.send(Request("GET", "/", effect=Effect.READ, operation="x"))
    await thin.aclose()


async def test_where_nobody_logs_in_there_is_nothing_to_tell_or_forget(thin: Thin) -> None:
    assert await thin.login_status() is None
    with pytest.raises(UnsupportedError, match="thin does not support logins"):
        await thin.forget_login()


def test_unknown_settings_are_refused_without_showing_them() -> None:
    with pytest.raises(ValueError, match="Extra inputs") as caught:
        Settings.model_validate({"clientsecret": "s3cr3t-canary"})
    assert "s3cr3t-canary" not in str(caught.value)


class Colour(Enum):
    RED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Named):
    """A value with a bit of everything."""

    severity: Severity
    inner: dict[Any, Any]
    at: datetime


def test_a_value_becomes_plain_json_without_the_vendors_payload() -> None:
    box = Box(
        id="1",
        name="b",
        severity=Severity.ERROR,
        at=datetime(2030, 1, 2, tzinfo=UTC),
        inner={1: [Colour.RED, (None, True, 1.5)], "path": Path("a"), Severity.INFO: {"x"}},
        raw_data={"vendor": "s"},
    )
    assert json.loads(json.dumps(plain(box))) == {
        "id": "1",
        "name": "b",
        "severity": "error",
        "inner": {"1": [1, [None, True, 1.5]], "path": "a", "info": ["x"]},
        "at": "2030-01-02T00:00:00+00:00",
    }


def test_the_vendors_payload_is_neither_shown_nor_compared() -> None:
    one, other = Named(id="1", name="a", raw_data={"x": "canary"}), Named(id="1", name="a")
    assert one == other
    assert "canary" not in repr(one)


def test_a_secret_stays_hidden_in_plain_json() -> None:
    revealed = RevealedCredential(name="sap", fields={"password": SecretStr("s3cr3t-canary")})
    assert "s3cr3t-canary" not in json.dumps(plain(revealed))
    assert "s3cr3t-canary" not in repr(revealed)
    assert revealed["password"].get_secret_value() == "s3cr3t-canary"
