"""OData: the one place where values get into filters and paths. docs: uipath.md 4"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from rpa_bridge.transport.addresses import path_segment

ACTION = "UiPath.Server.Configuration.OData."
QUEUE_ACTION = "UiPathODataSvc."

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)

Value = str | int | bool | datetime | UUID


def literal(value: Value) -> str:
    """The value as OData writes it: text in quotes with quotes doubled, times in UTC, the rest bare."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def where(member: str, operator: str, value: Value) -> str:
    """One comparison, such as `Name eq 'O''Brien'`."""
    return f"{member} {operator} {literal(value)}"


def starts_with(member: str, text: str) -> str:
    """True when the member's text begins with this one."""
    return f"startswith({member},{literal(text)})"


def is_in(member: str, values: Iterable[Value]) -> str:
    """True when the member is one of the values: shorter than `any_of`, but not for every type of member."""
    return f"{member} in ({','.join(map(literal, values))})"


def any_of(member: str, values: Iterable[Value]) -> str:
    """True when the member is one of the values."""
    return "(" + " or ".join(where(member, "eq", value) for value in values) + ")"


def all_of(*conditions: str | None) -> str:
    """True when all of the conditions are; those that are None do not count."""
    return " and ".join(condition for condition in conditions if condition)


def entity(collection: str, key: int | str) -> str:
    """The path of one entity. The parentheses stay bare: a client that encodes them misses the route."""
    inside = str(key) if isinstance(key, int) else _quoted(key)
    return f"/odata/{collection}({inside})"


def function(collection: str, name: str, **arguments: str) -> str:
    """The path of a function of a collection, such as `DownloadPackage(key='Invoices%3A1.0.0')`."""
    inside = ",".join(f"{argument}={_quoted(value)}" for argument, value in arguments.items())
    return f"/odata/{collection}/{ACTION}{name}({inside})"


def _quoted(text: str) -> str:
    """Text between the parentheses of a path: in bare quotes, with its own doubled."""
    return f"'{path_segment(text.replace(chr(39), chr(39) * 2))}'"


def number(text: str) -> int | None:
    """The text as the numeric id that it is; None when it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def guid(text: str) -> UUID | None:
    """The text as the GUID that it is; None when it is none."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
