from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rpa_bridge import registry
from rpa_bridge.cli.adapters import features_offered
from rpa_bridge.contract.features import Feature
from rpa_bridge.registry import HOW_TO_GET, Installed

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Platform, Run


@pytest.fixture(autouse=True)
def one_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "installed", lambda group="": [Installed("fake", "fake:A", "rpa-fake", "1.2")])


def test_what_is_installed_is_shown_unloaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        pytest.fail(f"{name} must not be loaded")

    monkeypatch.setattr(registry, "load_adapter", refuse)
    assert run("adapters", "-o", "json").json == [
        {"name": "fake", "target": "fake:A", "package": "rpa-fake", "version": "1.2"}
    ]
    assert run("adapters").out.split() == ["NAME", "PACKAGE", "VERSION", "fake", "rpa-fake", "1.2"]


@pytest.mark.parametrize("arguments", [(), ("--features",)])
def test_with_none_installed_it_says_how_to_get_them(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(registry, "installed", lambda group="": [])
    result = run("adapters", *arguments)
    assert result.code == 0
    assert HOW_TO_GET in result.err


def test_features_are_read_off_the_adapters_code(platform: Platform) -> None:
    offered = features_offered(registry.load_adapter("fake"))
    assert Feature.QUEUE_ITEMS in offered
    assert Feature.JOB_STOP not in offered


def test_features_are_compared_side_by_side(run: Run) -> None:
    lines = {line.split()[0]: line.split()[1:] for line in run("adapters", "--features").out.splitlines()}
    assert lines["FEATURE"] == ["FAKE"]
    assert lines["queues.items"] == ["yes"]
    assert lines["jobs.stop"] == ["no"]
    assert set(lines) == {"FEATURE", *Feature}


def test_features_for_machines_tell_limits_too(run: Run) -> None:
    shown = run("adapters", "--features", "-o", "json").json[0]
    assert (shown["name"], shown["title"]) == ("fake", "A platform in memory")
    assert "queues.items" in shown["features"]
    assert shown["limits"]["unique_references"] is False
