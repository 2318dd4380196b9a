"""The pages on UiPath tell the truth: the sentences that they explain, and the settings, are the code's."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from rpa_bridge_uipath.settings import AskedFor, PersonalAccessToken, UiPathSettings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "uipath.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
EVERYBODYS = {"http", "settle_window"}
"""Settings of every connection over HTTP, which have a section of their own."""
SOURCES = [*ROOT.glob("rpa_bridge/**/*.py"), *ROOT.glob("adapters/uipath/rpa_bridge_uipath/**/*.py")]
CODE = re.compile(r"``(.+?) ?``|`([^`]+)`")


def explained() -> list[str]:
    """What stands as code in the first column of the tables under Troubleshooting."""
    text = PAGE.read_text().partition("\n## Troubleshooting\n")[2]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [one or two for cell in cells for one, two in CODE.findall(cell)]


def sentences() -> str:
    """Every text in the sources, one a line, with … for what is put in."""
    nodes = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text())))
    return "\n".join(_text(node).replace("\n", " ") for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr))


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return re.sub(r"\{\w+\}", "…", text)


def test_there_is_something_to_explain() -> None:
    assert len(explained()) > 50


@pytest.fixture(scope="module")
def said() -> str:
    return sentences()


@pytest.mark.parametrize("sentence", explained())
def test_a_sentence_that_is_explained_is_one_that_is_said(sentence: str, said: str) -> None:
    parts = [re.escape(part) for part in sentence.split("…")]

    assert re.search(".*".join(parts), said)


def rows_of_settings() -> dict[str, str]:
    """What docs/settings.md says of each of UiPath's settings, and of each way to log in."""
    section = SETTINGS_PAGE.read_text().partition("\n## uipath\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", section))


def test_every_setting_is_explained_and_no_other() -> None:
    ways = {model.model_fields["type"].annotation: model for model in (*get_args(AskedFor), PersonalAccessToken)}
    named = {get_args(word)[0]: model for word, model in ways.items()}

    rows = rows_of_settings()

    assert rows.keys() == (UiPathSettings.model_fields.keys() - EVERYBODYS) | named.keys()
    for way, model in named.items():
        keys = dict(re.findall(r"`([a-z_]+)`(?: \(([^)]*)\))?", rows[way].partition(": ")[0]))
        assert keys.keys() == model.model_fields.keys() - {"type"}
        for key, told in keys.items():
            default = model.model_fields[key].default
            assert not isinstance(default, str) or told == f"`{default}`"
