"""Reading request bodies as strictly as the server binds them. docs: uipath.md 5.2, code 0"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from .entities import Row
from .errors import RefusalError, invalid_argument, unbound
from .times import from_wire, to_wire

Reader = Callable[[str, Any], Any]
"""Takes a member's name and its value, never null; raises ValueError for a wrong type, a 400 for a wrong value."""

Members = Mapping[str, Reader]


async def body_of(request: web.Request) -> dict[str, Any]:
    """The body, which must be a JSON object."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise unbound("body") from None
    if not isinstance(body, dict):
        raise unbound("body")
    return body


def unwrap(body: dict[str, Any], wrapper: str, members: Members) -> Row:
    """What is inside `{"wrapper": {...}}`, and nothing may be beside it."""
    if set(body) != {wrapper}:
        raise unbound(wrapper)
    return bind(body[wrapper], members, wrapper)


def bind(given: Any, members: Members, name: str) -> Row:
    """The object's members, read; null and absent are the same."""
    if not isinstance(given, dict) or not set(given) <= set(members):
        raise unbound(name)
    try:
        return {member: members[member](member, value) for member, value in given.items() if value is not None}
    except (ValueError, TypeError):
        raise unbound(name) from None


def text(limit: int | None = None) -> Reader:
    """Text of at most `limit` characters."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(name)
        if limit is not None and len(value) > limit:
            raise too_long(name, limit)
        return value

    return read


def too_long(name: str, limit: int) -> RefusalError:
    """docs: uipath.md 6, sizes"""
    return invalid_argument(name, f"The field {name} must be a string with a maximum length of {limit}.")


def whole(lowest: int, highest: int) -> Reader:
    """A whole number in these bounds."""

    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(name)
        if not lowest <= value <= highest:
            raise invalid_argument(name, f"It must be from {lowest} to {highest}.")
        return value

    return read


def one_of(*words: str, first_number: int = 0) -> Reader:
    """A word of an enumeration, or its number, bare or in quotes. docs: uipath.md 3.8, 3.10"""

    def read(name: str, value: Any) -> str:
        if value in words:
            return str(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError(name)
        number = int(value) - first_number
        if not 0 <= number < len(words):
            raise ValueError(name)
        return words[number]

    return read


def flag(name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError(name)
    return value


def instant(name: str, value: Any) -> str:
    """A time, in the form in which rows hold it."""
    if not isinstance(value, str):
        raise TypeError(name)
    return to_wire(from_wire(value))


def guid(name: str, value: Any) -> str:
    """A GUID with hyphens, in lower case."""
    if not isinstance(value, str) or len(value) != 36:
        raise ValueError(name)
    return str(UUID(value))


def many(reader: Reader) -> Reader:
    """An array of these."""

    def read(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError(name)
        return [reader(name, one) for one in value]

    return read


def nested(members: Members) -> Reader:
    """An object with these members."""
    return lambda name, value: bind(value, members, name)


def free(name: str, value: Any) -> dict[str, Any]:
    """An object with any members."""
    if not isinstance(value, dict):
        raise TypeError(name)
    return value
