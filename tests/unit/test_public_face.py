"""What `import rpa_bridge` offers, and what it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rpa_bridge

SOURCE = Path(rpa_bridge.__file__)


def imported_for_types() -> dict[str, str]:
    """The names under `if TYPE_CHECKING`, with their modules."""
    block = next(node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If))
    return {
        name.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }


def test_all_lists_each_name_of_the_lazy_table_once_and_in_order() -> None:
    assert sorted([*rpa_bridge._MODULE_OF, "__version__"]) == rpa_bridge.__all__
    assert len(rpa_bridge._MODULE_OF) == sum(len(names) for names in rpa_bridge._HOME.values())


def test_type_checkers_see_what_the_lazy_table_gives() -> None:
    assert imported_for_types() == rpa_bridge._MODULE_OF


@pytest.mark.parametrize("name", rpa_bridge.__all__)
def test_each_name_can_be_had(name: str) -> None:
    value = getattr(rpa_bridge, name)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__module__ == rpa_bridge._MODULE_OF[name], "the table should name the module that defines it"


def test_every_error_is_offered() -> None:
    from rpa_bridge import errors

    deliberate = {
        name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
    }
    assert deliberate <= set(rpa_bridge.__all__)


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Brigde'"):
        _ = rpa_bridge.Brigde


def test_dir_shows_the_public_names() -> None:
    assert dir(rpa_bridge) == sorted(rpa_bridge.__all__)


@pytest.mark.parametrize("statement", ["import rpa_bridge", "import rpa_bridge.settings"])
def test_importing_takes_along_neither_aiohttp_nor_pydantic(statement: str) -> None:
    script = f"{statement}, sys; print(sorted({{'aiohttp', 'pydantic', 'stevedore', 'keyring'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
