"""Every adapter has the same rooms under the same names, so that a reader of one can find anything in the next."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge.contract.adapter import SERVICES

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted(path.parent for path in ROOT.glob("adapters/*/pyproject.toml"))
NOUNS = {service.noun for service in SERVICES}
ALWAYS = {"__init__", "adapter", "settings", "mapping", "errors"}
ROOMS = ALWAYS | NOUNS | {"auth", "wire", "check", "client", "odata", "storage", "database", "runner", "processes"}
"""What a module of an adapter may be called; a new room is a decision, made here and in adapters/README.md."""


CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def modules_of(package: Path) -> set[str]:
    """The rooms that a package has, as a module or as a folder."""
    modules = {path.stem for path in package.glob("*.py")}
    return modules | {path.parent.name for path in package.glob("*/__init__.py")} - {"sandbox"}


def package_of(adapter: Path) -> Path:
    return adapter / f"rpa_bridge_{adapter.name}"


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.name)
def test_an_adapter_has_the_rooms_of_the_plan_and_no_others(adapter: Path) -> None:
    modules = modules_of(package_of(adapter))

    assert modules >= ALWAYS
    assert modules <= ROOMS
    assert (adapter / "README.md").stat().st_size > 100
    assert list((adapter / "tests").rglob("test_*.py"))
    assert (package_of(adapter) / "py.typed").exists()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.name)
def test_the_adapter_module_only_composes(adapter: Path) -> None:
    assert len((package_of(adapter) / "adapter.py").read_text().splitlines()) <= 160


@pytest.mark.parametrize(
    "contract",
    [one for one in CONTRACTS if one["name"].endswith("second witness")],
    ids=lambda one: one["source_modules"][0],
)
def test_a_face_may_import_none_of_its_adapters_rooms(contract: dict[str, Any]) -> None:
    package = contract["source_modules"][0].removesuffix(".sandbox")
    rooms = modules_of(package_of(ROOT / "adapters" / package.removeprefix("rpa_bridge_"))) - {"__init__"}

    assert set(contract["forbidden_modules"]) == {f"{package}.{room}" for room in rooms}


def test_the_room_plan_is_the_one_that_strangers_read() -> None:
    plan = (ROOT / "adapters" / "README.md").read_text()

    missing = sorted(room for room in ROOMS - NOUNS - {"__init__"} if f"`{room}.py`" not in plan)
    assert not missing


def test_one_noun_has_one_file_name_in_every_room() -> None:
    for room in ("contract", "conformance", "cli"):
        modules = {path.stem for path in (ROOT / "rpa_bridge" / room).glob("*.py")}
        assert modules >= NOUNS, room
