"""What a migration is about: shell patterns for each kind of thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, Self

from rpa_bridge.errors import ConfigError

_PARTS = re.compile(r"(?P<any>\*\*/?)|(?P<star>\*)|(?P<one>\?)|\[(?P<set>!?\]?[^\]]*)\]|(?P<plain>.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Patterns by kind; without any, nothing of that kind. Upper and lower case are the same.

    `*` is any text, `?` any letter, `[abc]` one of these. Files are named "container/name", and just "name" where they
    lie in none; there `*` ends at a slash, and `**` does not. Raises ConfigError for a pattern that is none.
    """

    queues: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            patterns = _patterns(one.name, getattr(self, one.name))
            for pattern in patterns:
                compiled(pattern, of_path=one.name == "artifacts")
            object.__setattr__(self, one.name, patterns)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The selection that a mapping describes, as `as_json` gives it. Raises ConfigError."""
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigError(f"{name!r} cannot be selected{did_you_mean(name, known)}")
        return cls(**given)

    def as_json(self) -> dict[str, Any]:
        """The patterns of each kind that has some."""
        return {one.name: list(getattr(self, one.name)) for one in fields(self) if getattr(self, one.name)}


class Picker:
    """Picks things by the patterns of one kind, and remembers which patterns were of use."""

    def __init__(self, patterns: Iterable[str], *, of_paths: bool = False) -> None:
        self._unused = dict.fromkeys(patterns)
        self._patterns = [(one, compiled(one, of_path=of_paths)) for one in self._unused]

    def picks(self, name: str) -> bool:
        """Whether one of the patterns fits."""
        fitting = [pattern for pattern, found in self._patterns if found.fullmatch(name.casefold())]
        for pattern in fitting:
            self._unused.pop(pattern, None)
        return bool(fitting)

    @property
    def unused(self) -> tuple[str, ...]:
        """The patterns that have fitted nothing yet."""
        return tuple(self._unused)


def path_of(container: str | None, name: str) -> str:
    """What patterns see of a file."""
    return f"{container}/{name}" if container else name


def fits(pattern: str, name: str, *, of_path: bool = False) -> bool:
    """Whether the pattern fits the name."""
    return compiled(pattern, of_path=of_path).fullmatch(name.casefold()) is not None


@cache
def compiled(pattern: str, *, of_path: bool = False) -> re.Pattern[str]:
    """What the casefolded names look like that a pattern fits. Raises ConfigError for one that is none."""
    try:
        return re.compile("".join(_piece(part, of_path) for part in _PARTS.finditer(pattern.casefold())), re.DOTALL)
    except re.error:
        raise ConfigError(f"{pattern!r} is no pattern; use *, ?, [abc] and, for files, **") from None


def did_you_mean(wrong: object, known: Iterable[str]) -> str:
    """The end of a sentence that names the likeliest of the known words; all of them where none is near."""
    words = list(known)
    near = get_close_matches(str(wrong), words, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it could be {', '.join(words)}"


def _patterns(kind: str, given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    patterns = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(one, str) and one for one in patterns):
        raise ConfigError(f"{kind} are selected by patterns, which are texts; write them like ['Inv*', 'Letters']")
    return patterns


def _piece(part: re.Match[str], of_path: bool) -> str:
    within = "[^/]" if of_path else "."
    if part["any"]:
        return "(?:.*/)?" if part["any"].endswith("/") and of_path else ".*" + "/" * part["any"].endswith("/")
    if part["star"]:
        return f"{within}*"
    if part["one"]:
        return within
    if part["set"]:
        inner = re.sub(r"([^\w-])", r"\\\1", part["set"].removeprefix("!"))
        return f"[{'^' * part['set'].startswith('!')}{inner}]"
    return re.escape(part[0])
