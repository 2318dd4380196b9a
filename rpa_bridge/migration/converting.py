"""Values of one type as values of another, where nothing is lost by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rpa_bridge.errors import Delivery, InvalidError

from .canonical import canonical

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,300}\s*")
_NUMBER = re.compile(r"\s*[+-]?([0-9]{1,300}([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?\s*")
_BOOLEANS: dict[str | int | float, bool] = {"true": True, "false": False, 1: True, 0: False}  # True is a 1, too


def refused(sentence: str) -> InvalidError:
    """The error for what cannot be carried over; nothing has been sent."""
    return InvalidError(sentence, delivery=Delivery.NOT_SENT)


def converted(name: str, value: Any, kind: str) -> Any:
    """The value as "text", "integer", "number" or "boolean"; null stays null.

    Raises InvalidError, which does not show it, for one that has no equal there.
    """
    if value is None:
        return None
    try:
        return _CONVERSIONS[kind](value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    raise refused(f"the value {name!r} cannot become {kind}; correct it at the source, or change the rule")


def json_text(value: Any) -> str:
    """The value as JSON, the same text for equal values. Raises ValueError for what JSON cannot hold."""
    return canonical(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, str) and not _INTEGER.fullmatch(value)):
        raise ValueError
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError
    return number


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, int | float):
        return value
    if not _NUMBER.fullmatch(value):
        raise ValueError
    number = int(value) if _INTEGER.fullmatch(value) else float(value)
    if number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    word = value.strip().casefold() if isinstance(value, str) else value
    if not isinstance(word, str | int | float) or word not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[word]


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}
