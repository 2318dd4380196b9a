"""The bridge: connections open when they are first used, and all are closed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import pytest
from pydantic import SecretStr

from rpa_bridge import Bridge, ConfigError, UnsupportedError, registry
from rpa_bridge.clock import SystemClock
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, AdapterSettings, Finding
from rpa_bridge.errors import AdapterLoadError, UnavailableError
from rpa_bridge.registry import Installed
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport.options import HttpOptions


class FakeSettings(AdapterSettings):
    url: str = "https://x.test"
    key: SecretStr | None = None
    breaks: bool = False
    http: HttpOptions = HttpOptions()


class Fake(Adapter):
    info = AdapterInfo(name="fake", title="Fake")
    settings_model = FakeSettings
    opened: ClassVar[list[Fake]] = []
    closed: ClassVar[list[str]] = []

    def __init__(self, settings: FakeSettings, context: AdapterContext) -> None:
        super().__init__(context)
        self.settings = settings
        self.context = context
        self.opened.append(self)

    @classmethod
    def open(cls, settings: FakeSettings, context: AdapterContext) -> Self:
        return cls(settings, context)

    async def check(self) -> list[Finding]:
        return [Finding(subject="fake", ok=True, message="it is there")]

    async def aclose(self) -> None:
        self.closed.append(self.connection)
        if self.settings.breaks:
            raise UnavailableError(f"{self.connection} would not close")


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def load(name: str) -> type[Adapter]:
        if name != "fake":
            raise AdapterLoadError(f"there is no adapter named {name!r}")
        return Fake

    monkeypatch.setattr(registry, "load_adapter", load)
    yield
    Fake.opened.clear()
    Fake.closed.clear()


def connections(**values: dict[str, Any]) -> dict[str, Any]:
    return {"connections": {name: {"adapter": "fake", **one} for name, one in values.items()}}


async def test_a_connection_opens_on_first_use_and_only_once() -> None:
    async with Bridge(connections(a={}, b={"url": "https://b.test"})) as bridge:
        assert Fake.opened == []
        first = bridge["b"]
        assert isinstance(first, Fake)
        assert first.settings.url == "https://b.test"
        assert first.connection == "b"
        assert bridge["b"] is first
        assert len(Fake.opened) == 1
        assert await first.check() == [Finding(subject="fake", ok=True, message="it is there")]


async def test_names_can_be_counted_and_looped_over_without_opening() -> None:
    async with Bridge(connections(a={}, b={})) as bridge:
        assert list(bridge) == ["a", "b"]
        assert len(bridge) == 2
        assert "a" in bridge
        assert "c" not in bridge
    assert Fake.opened == []


async def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    async with Bridge(connections(**{"uipath-prod": {}, "maestro": {}})) as bridge:
        with pytest.raises(ConfigError) as caught:
            bridge["uipath-prd"]
    assert str(caught.value) == (
        "there is no connection 'uipath-prd' in the settings, only uipath-prod, maestro; did you mean 'uipath-prod'?"
    )


async def test_without_settings_there_is_the_local_connection() -> None:
    async with Bridge() as bridge:
        assert list(bridge) == ["local"]


async def test_any_mapping_of_the_files_shape_will_do() -> None:
    given = MappingProxyType({"connections": MappingProxyType({"a": MappingProxyType({"adapter": "fake"})})})
    async with Bridge(given) as bridge:
        assert bridge["a"].connection == "a"
    with pytest.raises(ConfigError, match="the mapping given has a key that is not known, 'a'"):
        Bridge({"a": {"adapter": "fake"}})


async def test_a_missing_reference_harms_only_its_own_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", "fake-key-canary")
    async with Bridge(connections(bad={"key": "$GONE_FAKE_KEY"}, good={"key": "$FAKE_KEY"})) as bridge:
        with pytest.raises(ConfigError, match=r"connections\.bad\.key needs the environment variable GONE_FAKE_KEY"):
            bridge["bad"]
        good = bridge["good"]
        assert isinstance(good, Fake)
        assert good.settings.key == SecretStr("fake-key-canary")


async def test_load_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**connections(a={}), "cache_dir": "cache"}))
    clock, dice = ManualClock(), random.SystemRandom()
    async with Bridge.load(path, clock=clock, random=dice) as bridge:
        opened = bridge["a"]
        assert isinstance(opened, Fake)
        store = opened.context.token_store
        assert store is not None
        assert opened.context == AdapterContext(
            connection="a",
            clock=clock,
            random=dice,
            cache_dir=tmp_path / "cache",
            token_store=store,
            outbox=opened.context.outbox,
        )
        with pytest.raises(ConfigError, match=r"there is no connection 'z' in .*settings\.json, only a$"):
            bridge["z"]


async def test_an_outbox_that_is_switched_off_keeps_nothing(tmp_path: Path) -> None:
    async with Bridge({**connections(a={}), "outbox": "off"}, cache_dir=tmp_path) as bridge:
        opened = bridge["a"]
        assert isinstance(opened, Fake)
        assert opened.context.outbox is None
        assert [one async for one in bridge.reconcile()] == []


@pytest.mark.parametrize("cache_dir", [None, Path("elsewhere")])
async def test_the_cache_folder_can_be_handed_in(cache_dir: Path | None) -> None:
    async with Bridge({**connections(a={}), "cache_dir": "written"}, cache_dir=cache_dir) as bridge:
        opened = bridge["a"]
        assert isinstance(opened, Fake)
        assert opened.context.cache_dir == cache_dir
        assert (opened.context.outbox is None) == (cache_dir is None)
        assert isinstance(opened.context.clock, SystemClock)


async def test_all_connections_are_closed_even_if_one_fails() -> None:
    bridge = Bridge(connections(a={}, b={"breaks": True}, c={}, never={}))
    for name in ("a", "b", "c"):
        assert bridge[name].connection == name
    with pytest.raises(UnavailableError, match="b would not close"):
        await bridge.aclose()
    assert sorted(Fake.closed) == ["a", "b", "c"]
    await bridge.aclose()
    assert len(Fake.closed) == 3


async def test_a_closed_bridge_refuses() -> None:
    async with Bridge(connections(a={})) as bridge:
        assert bridge["a"].connection == "a"
    with pytest.raises(ConfigError, match=r"this bridge is closed; make a new one with Bridge\.load\(\)"):
        bridge["a"]


async def test_a_missing_adapter_is_told_when_it_is_needed() -> None:
    async with Bridge({"connections": {"a": {"adapter": "gone"}}}) as bridge:
        with pytest.raises(AdapterLoadError):
            bridge["a"]


async def test_a_noun_that_the_adapter_lacks_refuses() -> None:
    async with Bridge(connections(a={})) as bridge:
        with pytest.raises(UnsupportedError):
            await bridge["a"].jobs.get("1")


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes adapters of these names be installed; those named "gone..." cannot be loaded."""

    def load(name: str) -> type[Adapter]:
        if name.startswith("gone"):
            raise AdapterLoadError(f"adapter {name!r} cannot be loaded; reinstall it")
        return Fake if name == "stranger" else Started

    def those(*names: str) -> None:
        monkeypatch.setattr(registry, "installed", lambda: [Installed(one, "x:y", one, "1") for one in names])
        monkeypatch.setattr(registry, "load_adapter", load)

    return those


class Started(Fake):
    """An adapter whose platform starts programs."""

    @classmethod
    def from_runner_args(cls, arguments: Sequence[str], http: HttpOptions) -> FakeSettings | None:
        if arguments[:1] != ["--fake-runner"]:
            return None
        return FakeSettings(key=SecretStr(arguments[1]), http=http)


RUN = ["bot.py", "--fake-runner", "fake-token-canary"]


async def test_a_program_that_a_runner_started_has_one_connection_named_after_its_adapter(install: Any) -> None:
    install("gone", "stranger", "fake", "fake")
    http = HttpOptions(in_flight=3)

    async with Bridge.from_runner_args(RUN, http=http, cache_dir=None) as bridge:
        assert list(bridge) == ["fake"]
        assert Fake.opened == []
        opened = bridge["fake"]

    assert isinstance(opened, Fake)
    assert opened.settings == FakeSettings(key=SecretStr("fake-token-canary"), http=http)
    assert (opened.connection, opened.context.cache_dir, opened.current_job) == ("fake", None, None)
    assert Fake.closed == ["fake"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("stranger",), "no runner of stranger starts a program with such arguments; let the runner start it, or use"),
        (("stranger", "gone"), "where there is none; adapter 'gone' cannot be loaded; reinstall it"),
        ((), "no runner of any adapter starts"),
        (("fake", "other"), "the arguments are those of the runners of fake and other; uninstall all but one"),
    ],
)
def test_arguments_that_none_or_two_know_are_refused_without_being_shown(
    install: Any, names: tuple[str, ...], told: str
) -> None:
    install(*names)

    with pytest.raises(ConfigError) as caught:
        Bridge.from_runner_args(RUN)

    assert told in str(caught.value)
    assert "canary" not in f"{caught.value!r} {caught.value.__context__!r}"
