"""What is selected by which patterns."""

from __future__ import annotations

import pytest

from rpa_bridge.errors import ConfigError
from rpa_bridge.migration.selection import Picker, Selection


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("Inv*", "invoices", True),
        ("Inv*", "Old invoices", False),
        ("*", "a/b [c]", True),
        ("STRASSE", "Straße", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("[ab]*", "beta", True),
        ("[!ab]*", "beta", False),
        ("[^]*", "^", True),
        ("[^]*", "x", False),
        ("a.c", "abc", False),
        ("a[c", "a[c", True),
        ("**", "any\nthing", True),
    ],
)
def test_names_are_picked_in_any_case(pattern: str, name: str, fits: bool) -> None:
    assert Picker([pattern]).picks(name) is fits


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("reports/**", "Reports/2026/october.pdf", True),
        ("reports/*", "reports/2026/october.pdf", False),
        ("reports/*", "reports/october.pdf", True),
        ("**/*.pdf", "reports/2026/october.pdf", True),
        ("**/*.pdf", "october.pdf", True),
        ("*.pdf", "reports/october.pdf", False),
        ("**", "reports/october.pdf", True),
        ("reports", "reports/october.pdf", False),
        ("reports/?.pdf", "reports//.pdf", False),
    ],
)
def test_files_are_picked_by_their_path(pattern: str, path: str, fits: bool) -> None:
    assert Picker([pattern], of_paths=True).picks(path) is fits


def test_patterns_that_fit_nothing_are_known_also_when_another_has_fitted() -> None:
    picker = Picker(["Inv*", "*", "Lettres"])
    picker.picks("Invoices")
    assert picker.unused == ("Lettres",)


def test_a_selection_comes_back_from_json() -> None:
    select = Selection(queues=("Inv*",), artifacts=("reports/**",))
    assert select.as_json() == {"queues": ["Inv*"], "artifacts": ["reports/**"]}
    assert Selection.of(select.as_json()) == select


def test_one_text_is_one_pattern_and_not_its_letters() -> None:
    assert Selection.of({"queues": "Inv*", "assets": None}) == Selection(queues=("Inv*",))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"queue": ["*"]}, "did you mean 'queues'"),
        ({"queues": ["[z-a]"]}, "is no pattern"),
        ({"queues": [7]}, "patterns, which are texts"),
        ({"queues": 7}, "patterns, which are texts"),
    ],
)
def test_what_is_no_selection_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Selection.of(given)
