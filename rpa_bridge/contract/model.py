"""What all neutral values have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any


class Priority(StrEnum):
    """What goes first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Severity(StrEnum):
    """How grave a log line or an alert is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neutral:
    """A value that both sides understand.

    `raw_data` is the vendor's own payload, for what has no neutral name; it is not compared, shown or exported.
    """

    raw_data: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Neutral):
    """A thing that the platform keeps. `id` is opaque: compare it, never parse it."""

    id: str
    name: str


def plain(value: Any) -> Any:
    """The value as JSON can hold it; `raw_data` is left out and secrets stay hidden."""
    if isinstance(value, Neutral):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.name != "raw_data"}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
