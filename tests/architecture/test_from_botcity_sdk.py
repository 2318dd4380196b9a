"""The page for those who come from BotCity's SDK: all of theirs is there, and what stands beside it is there too."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from botcity.maestro import BotMaestroSDK, DataPoolEntry
from botcity.maestro.datapool import DataPool
from pydantic import SecretStr

import rpa_bridge
from rpa_bridge import AdapterContext, Bridge, Feature, Item, Job
from rpa_bridge.contract.adapter import SERVICES, Adapter
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge_botmaestro.adapter import BotMaestroAdapter
from rpa_bridge_botmaestro.settings import BotMaestroSettings

PAGE = (Path(__file__).parents[2] / "docs" / "from-botcity-sdk.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
NOUNS = {service.noun: service for service in SERVICES}
NEVER_CALLED_BY_BOTS = {"to_dict", "to_json", "from_json", "json_to_update", "update_from_json"}
KNOWN: dict[str, Any] = {
    **{name: getattr(rpa_bridge, name) for name in rpa_bridge.__all__},
    "maestro": BotMaestroAdapter,
    "task": Job,
    "item": Item,
    "HttpOptions": HttpOptions,
}
"""What the page's expressions begin with."""


def ours() -> list[str]:
    """The expressions of the page that are ours: the second column whole, and `maestro.` in the third."""
    second = [code for row in ROWS for code in re.findall(r"`([^`]+)`", row[1])]
    third = [code for row in ROWS for code in re.findall(r"`(maestro\.[^`]+)`", row[2])]
    headings = re.findall(r"^## .*`(maestro\.\w+)`$", PAGE, re.MULTILINE)
    return sorted({*second, *third, *headings})


def found(node: ast.expr) -> Any:
    """What a name, an attribute or the result of a call stands for; None where nobody says."""
    if isinstance(node, ast.Name):
        return KNOWN.get(node.id)
    if isinstance(node, ast.Call):
        called = found(node.func)
        result = called if called is None or isinstance(called, type) else get_type_hints(called).get("return")
        return result if isinstance(result, type) else None
    if not isinstance(node, ast.Attribute):
        return None
    home = found(node.value)
    if home is None:
        return None
    if home is BotMaestroAdapter and node.attr in NOUNS:
        return NOUNS[node.attr]
    names = {name for one in inspect.getmro(home) for name in getattr(one, "__annotations__", {})}
    assert hasattr(home, node.attr) or node.attr in names, f"{ast.unparse(node)} is not there"
    return getattr(home, node.attr, object)


def check(call: ast.Call) -> None:
    """Whether what is called takes these arguments."""
    called = found(call.func)
    if called is None:
        return
    parameters = [one for one in inspect.signature(called).parameters.values() if one.name != "self"]
    signature = inspect.Signature(parameters)
    signature.bind(*call.args, **{str(one.arg): one.value for one in call.keywords})


@pytest.mark.parametrize("code", ours())
def test_what_the_page_names_of_ours_is_there_and_takes_these_arguments(code: str) -> None:
    for node in ast.walk(ast.parse(code, mode="eval")):
        if isinstance(node, ast.Attribute):
            found(node)
        if isinstance(node, ast.Call):
            check(node)


@pytest.mark.parametrize("theirs", [BotMaestroSDK, DataPool, DataPoolEntry])
def test_everything_that_the_official_sdk_offers_is_on_the_page(theirs: type) -> None:
    offered = {name for name in vars(theirs) if not name.startswith("_")} - NEVER_CALLED_BY_BOTS
    offered -= set(getattr(theirs, "__dataclass_fields__", {}))
    left = " ".join(row[0] for row in ROWS)

    assert {name for name in offered if not re.search(rf"\b{name}\b", left)} <= {"MOCK_OBJECT_WHEN_DISCONNECTED"}


def test_the_page_offers_what_the_adapter_has() -> None:
    """A verb that only refuses on BotMaestro would be no way to move."""
    settings = BotMaestroSettings(server="https://acme.botcity.dev", login="acme", key=SecretStr("no-key"))
    adapter = BotMaestroAdapter.open(settings, AdapterContext(connection="maestro"))
    named = {verb for code in ours() for verb in re.findall(r"^maestro\.(\w+\.\w+)", code)}

    assert len(named) > 30
    assert named & set(Feature) <= adapter.capabilities.features


def test_the_beginning_of_a_bot_is_python_with_names_that_exist() -> None:
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    tree = ast.parse(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            check(node)
    imported = {one.name for node in tree.body if isinstance(node, ast.ImportFrom) for one in node.names}
    assert imported <= KNOWN.keys()
    assert hasattr(Bridge, "from_runner_args")
    assert "current_job" in Adapter.__annotations__
