"""Plug-ins are listed without importing them, loaded one by one, and refused when two claim a name."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stevedore._cache
from stevedore.extension import ExtensionManager

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.errors import AdapterLoadError
from rpa_bridge.registry import ADAPTERS, SANDBOXES, installed, load_adapter, load_face
from rpa_bridge.sandbox.face import Face

ADAPTER = """
from rpa_bridge.contract.adapter import Adapter, AdapterInfo

class Plugged(Adapter):
    info = AdapterInfo(name="plugged", title="Plugged"{contract})
"""
WITHOUT_INFO = """
from rpa_bridge.contract.adapter import Adapter

class Plugged(Adapter):
    pass
"""
FACE = """
from rpa_bridge.sandbox.face import Face

class Plugged(Face):
    name = "plugged"
"""

Install = Callable[..., str]
_NUMBERS = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution with one plug-in: `install("name", code)`; tells the module's name."""
    monkeypatch.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})
    monkeypatch.setattr(stevedore._cache._c, "_dir", str(tmp_path / "cache"))
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules: list[str] = []

    def make(name: str, code: str, *, package: str = "rpa-plugged", group: str = ADAPTERS) -> str:
        modules.append(f"plugged_{next(_NUMBERS)}")
        (site / f"{modules[-1]}.py").write_text(code)
        info = site / f"{package.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {modules[-1]}:Plugged\n")
        return modules[-1]

    yield make
    for module in modules:
        sys.modules.pop(module, None)


def test_listing_tells_who_brings_a_plug_in_and_imports_nothing(install: Install) -> None:
    module = install("plugged", "raise SystemExit('imported')")
    found = next(one for one in installed() if one.name == "plugged")
    assert (found.target, found.package, found.version) == (f"{module}:Plugged", "rpa-plugged", "1.2")
    assert module not in sys.modules
    assert [one.name for one in installed()] == sorted(one.name for one in installed())


def test_our_own_adapters_and_faces_are_found() -> None:
    assert {"local", "uipath", "botmaestro"} <= {one.name for one in installed(ADAPTERS)}
    assert {"uipath", "botmaestro"} <= {one.name for one in installed(SANDBOXES)}


def test_an_adapter_is_loaded_and_no_other(install: Install) -> None:
    module = install("plugged", ADAPTER.format(contract=""))
    bystander = install("bystander", "raise SystemExit('imported')", package="rpa-bystander")
    found = load_adapter("plugged")
    assert issubclass(found, Adapter)
    assert (found.__module__, found.info.name) == (module, "plugged")
    assert bystander not in sys.modules


def test_loading_goes_by_what_is_installed_now_and_writes_no_listing(install: Install, tmp_path: Path) -> None:
    install("plugged", ADAPTER.format(contract=""))
    load_adapter("plugged")
    install("another", ADAPTER.format(contract=""), package="rpa-another")
    assert load_adapter("another") is not load_adapter("plugged")
    assert not (tmp_path / "cache").exists()


def test_a_face_is_loaded(install: Install) -> None:
    install("plugged", FACE, group=SANDBOXES)
    assert issubclass(load_face("plugged"), Face)


def test_an_unknown_name_is_met_with_what_there_is(install: Install) -> None:
    install("plugged", ADAPTER.format(contract=""))
    with pytest.raises(AdapterLoadError, match=r"no adapter named 'pluged'; installed: .*plugged.*mean 'plugged'\?"):
        load_adapter("pluged")
    with pytest.raises(AdapterLoadError, match=r"no sandbox named 'nothing-like-it'; installed: [^?]*$"):
        load_face("nothing-like-it")


def test_with_nothing_installed_it_is_told_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpa_bridge.registry.installed", lambda _group: [])
    with pytest.raises(AdapterLoadError, match="none is installed: pip install rpa-bridge-local"):
        load_adapter("uipath")


def test_two_that_claim_one_name_are_refused_and_not_imported(install: Install) -> None:
    one = install("plugged", ADAPTER.format(contract=""))
    two = install("plugged", ADAPTER.format(contract=""), package="rpa-rival")
    with pytest.raises(AdapterLoadError, match="claimed by rpa-plugged and rpa-rival; uninstall one of them"):
        load_adapter("plugged")
    assert not {one, two} & set(sys.modules)


@pytest.mark.parametrize("code", ["Plugged = 7", "class Plugged: pass", WITHOUT_INFO, FACE])
def test_what_is_no_adapter_is_refused(install: Install, code: str) -> None:
    install("plugged", code)
    with pytest.raises(AdapterLoadError, match="must be a subclass of rpa_bridge's Adapter with an info"):
        load_adapter("plugged")


@pytest.mark.parametrize("code", ["Plugged = 7", ADAPTER.format(contract="")])
def test_what_is_no_face_is_refused(install: Install, code: str) -> None:
    install("plugged", code, group=SANDBOXES)
    with pytest.raises(AdapterLoadError, match="must be a subclass of rpa_bridge's Face"):
        load_face("plugged")


def test_an_adapter_of_another_contract_is_refused(install: Install) -> None:
    install("plugged", ADAPTER.format(contract=", contract=99"))
    with pytest.raises(AdapterLoadError, match=r"written for contract 99, this rpa-bridge has \d+; upgrade"):
        load_adapter("plugged")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def broken(", "SyntaxError"),
        ("Other = 1", "AttributeError"),
    ],
)
def test_one_that_cannot_be_imported_says_whose_it_is_and_why(install: Install, code: str, reason: str) -> None:
    install("plugged", code)
    with pytest.raises(
        AdapterLoadError, match=rf"'plugged' of package rpa-plugged 1\.2 cannot be loaded \({reason}"
    ) as caught:
        load_adapter("plugged")
    assert caught.value.__cause__ is not None
