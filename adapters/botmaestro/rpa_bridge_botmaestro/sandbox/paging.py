"""Spring's pages: counted from 0, with the sorts and sizes that Spring takes. docs: botmaestro.md 1 "Paging" """

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from multidict import MultiMapping

from .errors import invalid
from .records import Record

RecordT = TypeVar("RecordT", bound=Record)
MOST_DAYS = 36_500


def page(
    rows: Sequence[RecordT],
    query: MultiMapping[str],
    *,
    render: Callable[[RecordT], dict[str, Any]],
    sizes: tuple[int, int],
) -> dict[str, Any]:
    """The page that the query asks for. `sizes` are the usual and the largest one; only its rows are rendered.

    A page or size that is no number, or too small, counts as absent: that is Spring's way. Raises RefusedError for a
    member that cannot be sorted by.
    """
    usual, largest = sizes
    size = min(_number(query.get("size"), usual, least=1), largest)
    number = _number(query.get("page"), 0, least=0)
    ordered, is_sorted = _sorted(rows, query.getall("sort", []))
    shown = [render(row) for row in ordered[number * size : (number + 1) * size]]
    sort = {"sorted": is_sorted, "unsorted": not is_sorted, "empty": not is_sorted}
    pages = -(-len(rows) // size)
    return {
        "content": shown,
        "pageable": {
            "sort": sort,
            "pageNumber": number,
            "pageSize": size,
            "offset": number * size,
            "paged": True,
            "unpaged": False,
        },
        "totalPages": pages,
        "totalElements": len(rows),
        "last": number >= pages - 1,
        "first": number == 0,
        "sort": sort,
        "numberOfElements": len(shown),
        "size": size,
        "number": number,
        "empty": not shown,
    }


def first_moment(query: MultiMapping[str], now: datetime) -> datetime | None:
    """The beginning of the window that `days` asks for; None without it. Raises RefusedError."""
    days = query.get("days")
    if not days:
        return None
    if not days.isdecimal() or int(days) > MOST_DAYS:
        raise invalid(f"days: {days!r} is not a number of days")
    return now - timedelta(days=int(days))


def _number(given: str | None, default: int, *, least: int) -> int:
    if given is None or not given.isdecimal() or len(given) > 9 or int(given) < least:
        return default
    return int(given)


def _sorted(rows: Sequence[RecordT], orders: Sequence[str]) -> tuple[Sequence[RecordT], bool]:
    """The rows in order, and whether one was asked for; an empty `sort=` is none. Equal rows come in the same order."""
    wanted = [order for order in orders if order]
    ordered = list(rows)
    for order in reversed(wanted):
        member, _, direction = order.partition(",")
        if direction.lower() not in ("", "asc", "desc"):
            raise invalid(f"sort: {direction!r} is neither asc nor desc")
        ordered.sort(key=_key(member, rows), reverse=direction.lower() == "desc")
    return ordered, bool(wanted)


def _key(member: str, rows: Sequence[RecordT]) -> Callable[[RecordT], tuple[bool, Any]]:
    kind = type(rows[0]) if rows else Record
    names = {
        field.alias: name
        for name, field in kind.model_fields.items()
        if name not in kind.hidden and field.annotation not in (dict, list)
    }
    name = names.get(member)
    if rows and (name is None or any(isinstance(getattr(row, name), dict | list | Record) for row in rows)):
        raise invalid(f"sort: there is no member {member!r} to sort by")
    return lambda row: _nones_last(getattr(row, name) if name else None)


def _nones_last(value: Any) -> tuple[bool, Any]:
    return (True, 0) if value is None else (False, value)
