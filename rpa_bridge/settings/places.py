"""Places in a document, and how to reach every value in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from rpa_bridge.errors import ConfigError

DEEPEST = 50
"""Levels; what is deeper is no settings file."""

Place = tuple[str | int, ...]
"""The keys and positions that lead to a value."""


def dotted(place: Place) -> str:
    """The place as people write it: `connections.uipath-prod.auth.client_secret`."""
    return ".".join(map(str, place))


def map_leaves(value: Any, change: Callable[[Place, Any], Any], place: Place = ()) -> Any:
    """A copy as plain dicts and lists, in which `change` has replaced all that is neither of them.

    Raises ConfigError for a value that nests deeper than settings do.
    """
    if len(place) > DEEPEST:
        raise ConfigError(f"settings nest deeper than {DEEPEST} levels at {place[0]}; is it the right file?")
    if isinstance(value, Mapping):
        return {key: map_leaves(one, change, (*place, key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [map_leaves(one, change, (*place, number)) for number, one in enumerate(value)]
    return change(place, value)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the likeliest of the known words; empty when none is near."""
    near = get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
