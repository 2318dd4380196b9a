"""What a queue item may carry, and how it comes back. docs: uipath.md 3.10"""

from __future__ import annotations

import json
from typing import Any

from .errors import invalid_argument
from .times import normalised

MOST_CONTENT = 500 * 1024
MOST_OUTPUT = 100 * 1024
MOST_ANALYTICS = 10 * 1024

_SIZE_EXCEEDED = {
    "SpecificContent": "QueueItemContentSizeExceeded",
    "Output": "QueueItemOutputDataSizeExceeded",
    "Analytics": "QueueItemAnalyticsDataSizeExceeded",
}
_FORBIDDEN = set(':.,@"#')
_ANNOTATION = "@odata.type"


def content(name: str, value: Any) -> dict[str, Any]:
    """A reader for SpecificContent: flat, of plain values; what looks like a time comes back in UTC."""
    found = typed(name, value)
    for key, one in found.items():
        if not key or _FORBIDDEN & set(key):
            raise invalid_argument(name, f"The key '{key}' has one of : . , @ \" # or is empty.")
        if isinstance(one, dict | list):
            raise invalid_argument(name, f"The value of '{key}' is nested; only plain values are allowed.")
        if isinstance(one, str) and value.get(f"{key}{_ANNOTATION}") != "#String":
            found[key] = normalised(one)
    return found


def typed(name: str, value: Any) -> dict[str, Any]:
    """A reader for an object whose values may have types beside them, where a type is to be forced."""
    if not isinstance(value, dict):
        raise TypeError(name)
    types = {key.removesuffix(_ANNOTATION): kind for key, kind in value.items() if key.endswith(_ANNOTATION)}
    found = {key: one for key, one in value.items() if not key.endswith(_ANNOTATION)}
    if not set(types) <= set(found):
        raise ValueError(name)
    return {key: _typed(key, one, types.get(key)) for key, one in found.items()}


def check_size(name: str, value: dict[str, Any] | None, limit: int) -> None:
    """Refuses what is larger than the server keeps. docs: uipath.md 3.10"""
    if value is not None and len(json.dumps(value, ensure_ascii=False).encode()) > limit:
        raise invalid_argument(name, f"It is larger than {limit} bytes ({_SIZE_EXCEEDED[name]}).")


def as_text(value: dict[str, Any] | None) -> str | None:
    """The text form that stands beside the object, as SpecificData beside SpecificContent."""
    return None if value is None else json.dumps({"DynamicProperties": value}, ensure_ascii=False)


def _typed(key: str, value: Any, kind: Any) -> Any:
    if kind is None or value is None:
        return value
    if kind == "#String":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if kind in ("#Int64", "#Int32"):
        return int(value)
    if kind in ("#Double", "#Decimal"):
        return float(value)
    if kind == "#Boolean" and isinstance(value, bool):
        return value
    if kind == "#DateTimeOffset":
        return normalised(str(value))
    raise ValueError(key)
