from __future__ import annotations

from pathlib import Path

from rpa_bridge.cli.exits import MEANINGS
from rpa_bridge.cli.reference import reference, renewed

PAGE = Path(__file__).parents[3] / "docs" / "command-line.md"


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "run python -m rpa_bridge.cli.reference docs/command-line.md"


def test_the_reference_names_every_exit_code_and_verb() -> None:
    text = reference()
    assert all(f"| {meaning.code} | {meaning.text} |" in text for meaning in MEANINGS)
    assert "| `jobs start AUTOMATION` | Starts an automation and shows the job. |" in text
    assert "`sandbox serve [VENDOR]...`" in text


def test_renewing_keeps_what_people_wrote() -> None:
    assert renewed("By hand.\n") == "By hand.\n" + reference()
