"""OData as Orchestrator speaks it: $filter, $orderby, $top, $skip, $count, $expand, $select. docs: uipath.md 4"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .entities import Entity, Member, Row
from .errors import invalid_argument, invalid_query
from .filters import Predicate, everything, read_filter

MOST_ORDERS = 5
MOST_ROWS_SKIPPED = 10**9

_OPTIONS = {"$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$select"}
_NAKED = {option[1:] for option in _OPTIONS}


@dataclass(frozen=True)
class Page:
    """What a query found."""

    rows: list[Row]
    total: int


@dataclass(frozen=True)
class Query:
    """The query options of one request, checked against what they ask of."""

    entity: Entity
    matches: Predicate = everything
    order: tuple[tuple[Member, bool], ...] = ()
    """Members, and whether each runs downwards."""
    top: int = 1000
    skip: int = 0
    count: bool = False
    expand: tuple[str, ...] = ()
    select: frozenset[str] = field(default_factory=frozenset)

    def run(self, rows: Iterable[Row], shuffle: random.Random | None = None) -> Page:
        """The rows that match. Without an order they come by Id, or shuffled, as the wire promises none."""
        found = [row for row in rows if self.matches(row)]
        if shuffle is not None and not self.order:
            shuffle.shuffle(found)
        for member, downwards in reversed(self.order):
            found.sort(key=lambda row, member=member: _null_first(member.key(row)), reverse=downwards)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        return Page(found[self.skip : self.skip + self.top], len(found))

    def view(self, row: Row) -> Row:
        """One row as it goes out."""
        shown = dict(row)
        for name in self.expand:
            if name in self.entity.collections:
                shown[name] = self.entity.collections[name](row)
                continue
            target = self.entity.navigations[name].follow(row)
            shown[name] = dict(target) if target is not None else None
        return {name: value for name, value in shown.items() if not self.select or name in self.select}

    def answer(self, page: Page) -> dict[str, Any]:
        """A page as it goes out; its total only when asked for."""
        head: dict[str, Any] = {"@odata.context": f"$metadata#{self.entity.name}"}
        if self.count:
            head["@odata.count"] = page.total
        return head | {"value": [self.view(row) for row in page.rows]}


def read_query(options: Iterable[tuple[str, str]], entity: Entity, *, ignore_case: bool = True) -> Query:
    """The query of a request. Raises a 400 for what the server does not take."""
    given = _checked(options)
    return Query(
        entity=entity,
        matches=read_filter(given["$filter"], entity, ignore_case=ignore_case) if "$filter" in given else everything,
        order=_order(given.get("$orderby"), entity),
        top=_number(given, "$top", entity.most_rows, entity.most_rows),
        skip=_number(given, "$skip", 0, MOST_ROWS_SKIPPED),
        count=_flag(given.get("$count", "false")),
        expand=_expand(given.get("$expand"), entity),
        select=_select(given.get("$select"), entity),
    )


def listed(options: Iterable[tuple[str, str]], entity: Entity, rows: Iterable[Row]) -> dict[str, Any]:
    """What a request's options choose of the rows, as it goes out. Raises a 400."""
    query = read_query(options, entity)
    return query.answer(query.run(rows))


def number_parameter(options: Mapping[str, str], name: str) -> int | None:
    """A whole number beside the query options, such as a folder's id; None when it is not given. Raises a 400."""
    text = options.get(name)
    if text is not None and not (text.isascii() and text.isdigit()):
        raise invalid_argument(name, "It must be a whole number.")
    return None if text is None else int(text)


def _checked(options: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in options:
        if name in given:
            raise invalid_query(f"{name} is given twice.")
        if name in _NAKED or (name.startswith("$") and name not in _OPTIONS):
            raise invalid_query(f"{name} is not a query option.")
        given[name] = value
    return given


def _number(given: Mapping[str, str], name: str, default: int, limit: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) <= limit):
        raise invalid_query(f"The limit of '{limit}' for {name} query has been exceeded, or it is not a number.")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise invalid_query("$count is true or false.")
    return text == "true"


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []


def _order(text: str | None, entity: Entity) -> tuple[tuple[Member, bool], ...]:
    found = []
    for term in _names(text):
        name, _, direction = term.partition(" ")
        if direction.strip() not in ("", "asc", "desc") or name in entity.unsortable:
            raise invalid_query(f"$orderby={term} is not supported.")
        found.append((entity.member(name), direction.strip() == "desc"))
    if len(found) > MOST_ORDERS:
        raise invalid_query(f"$orderby has more than {MOST_ORDERS} properties.")
    return tuple(found)


def _expand(text: str | None, entity: Entity) -> tuple[str, ...]:
    names = tuple(_names(text))
    for name in names:
        if name not in entity.navigations and name not in entity.collections:
            raise invalid_query(f"Property '{name}' on type '{entity.name}' is not a navigation property.")
    return names


def _select(text: str | None, entity: Entity) -> frozenset[str]:
    names = frozenset(_names(text))
    for name in names - set(entity.navigations) - set(entity.collections):
        entity.member(name)
    return names


def _null_first(key: Any) -> tuple[bool, Any]:
    return (key is not None, key)
