"""$filter: from its text to a test of rows. docs: uipath.md 4"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from .entities import Entity, Kind, Member, Row
from .errors import RefusalError, invalid_query
from .times import from_wire, to_wire

MOST_NODES = 100
"""docs: uipath.md 4"""

Predicate = Callable[[Row], bool]
Compare = Callable[[Any, Any], bool]

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    | (?P<date>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))
    | (?P<number>-?\d+(?:\.\d+)?)(?!\w)
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_EQUALITY: dict[str, Compare] = {"eq": operator.eq, "ne": operator.ne}
_ORDER: dict[str, Compare] = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
_SEARCHES: dict[str, Compare] = {"contains": operator.contains, "startswith": str.startswith, "endswith": str.endswith}
_LITERALS = {"guid", "date", "number", "text"}
_CONSTANTS = {"true": True, "false": False, "null": None}
_KIND_OF_LITERAL = {"guid": Kind.GUID, "date": Kind.DATE, "number": Kind.NUMBER, "text": Kind.TEXT}


def everything(_: Row) -> bool:
    """No filter at all."""
    return True


def read_filter(text: str, entity: Entity, *, ignore_case: bool) -> Predicate:
    """The test that a $filter describes. Raises a 400 for one that the server would not take."""
    return _Reader(text, entity, ignore_case=ignore_case).read()


class _Reader:
    """Recursive descent: or, and, not, then brackets, searches and comparisons."""

    def __init__(self, text: str, entity: Entity, *, ignore_case: bool) -> None:
        self._text, self._entity, self._ignore_case = text, entity, ignore_case
        self._tokens = self._split()
        self._nodes = 0

    def read(self) -> Predicate:
        found = self._either()
        if self._tokens:
            raise self._wrong(f"unexpected '{self._tokens[0][1]}'")
        if self._nodes > MOST_NODES:
            raise invalid_query(f"The node count limit of '{MOST_NODES}' has been exceeded.")
        return found

    def _split(self) -> list[tuple[str, str]]:
        tokens, place, text = [], 0, self._text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise self._wrong(f"cannot read '{text[place : place + 20]}'")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        return tokens

    def _either(self) -> Predicate:
        found = self._both()
        while self._take("or"):
            found = _or(found, self._both())
            self._nodes += 1
        return found

    def _both(self) -> Predicate:
        found = self._maybe_not()
        while self._take("and"):
            found = _and(found, self._maybe_not())
            self._nodes += 1
        return found

    def _maybe_not(self) -> Predicate:
        if not self._take("not"):
            return self._term()
        inner = self._maybe_not()
        self._nodes += 1
        return lambda row: not inner(row)

    def _term(self) -> Predicate:
        self._nodes += 1
        if self._take("("):
            found = self._either()
            self._expect(")")
            return found
        name = self._next("name")
        if name in _SEARCHES and self._take("("):
            return self._search(_SEARCHES[name])
        return self._comparison(self._entity.member(name))

    def _search(self, test: Compare) -> Predicate:
        name, lower_member = self._perhaps_lowered("name")
        member = self._entity.member(name)
        if member.kind is not Kind.TEXT:
            raise self._wrong(f"{member.name} is not text")
        self._expect(",")
        literal, lower_literal = self._perhaps_lowered("text")
        self._expect(")")
        wanted = self._fold(_unquoted(literal))
        wanted = wanted.lower() if lower_literal else wanted
        return lambda row: (
            (value := self._key(member, row)) is not None and test(value.lower() if lower_member else value, wanted)
        )

    def _perhaps_lowered(self, kind: str) -> tuple[str, bool]:
        """The next token of this kind, and whether it stands in tolower(), as the vendor's SDK asks for buckets."""
        if not self._take("tolower"):
            return self._next(kind), False
        self._expect("(")
        found = self._next(kind)
        self._expect(")")
        return found, True

    def _comparison(self, member: Member) -> Predicate:
        if member.kind is Kind.BOOL and (not self._tokens or self._tokens[0][1] in ("and", "or", ")")):
            return lambda row: bool(member.key(row))
        word = self._next("name")
        if word == "in":
            return self._one_of(member)
        if word in _EQUALITY:
            equal, wanted = _EQUALITY[word], self._literal(member)
            return lambda row: equal(self._key(member, row), wanted)
        if word in _ORDER and member.kind not in (Kind.GUID, Kind.BOOL):
            test, limit = _ORDER[word], self._literal(member)
            return lambda row: None not in (value := self._key(member, row), limit) and test(value, limit)
        raise self._wrong(f"'{word}' does not go with {member.name}")

    def _one_of(self, member: Member) -> Predicate:
        self._expect("(")
        wanted = [self._literal(member, listed=True)]
        while self._take(","):
            wanted.append(self._literal(member, listed=True))
        self._expect(")")
        return lambda row: self._key(member, row) in wanted

    def _literal(self, member: Member, *, listed: bool = False) -> Any:
        """The next token in the form that `_key` gives; a GUID may wear quotes in a list (docs: uipath.md 4)."""
        if not self._tokens:
            raise self._wrong("it ends too early")
        kind, text = self._tokens.pop(0)
        if kind == "name" and text in _CONSTANTS:
            value = _CONSTANTS[text]
            if value is not None and member.kind is not Kind.BOOL:
                raise self._wrong(f"{member.name} is not true or false")
            return value
        if kind not in _LITERALS:
            raise self._wrong(f"'{text}' is not a value")
        literal = _unquoted(text) if kind == "text" else text
        if member.kind is Kind.ENUM and kind == "text":
            return self._enum(member, literal)
        given = Kind.GUID if listed and member.kind is Kind.GUID and kind == "text" else _KIND_OF_LITERAL[kind]
        if given is not member.kind:
            raise self._wrong(f"{member.name} is {member.kind}, {text} is {given}")
        return self._value(given, literal)

    def _enum(self, member: Member, literal: str) -> int:
        if literal in member.words:
            return member.words.index(literal)
        if literal.isascii() and literal.isdigit() and int(literal) < len(member.words):
            return int(literal)
        raise self._wrong(f"'{literal}' is no value of {member.name}")

    def _value(self, kind: Kind, literal: str) -> Any:
        if kind is Kind.NUMBER:
            return float(literal) if "." in literal else int(literal)
        if kind is Kind.DATE:
            try:
                return to_wire(from_wire(literal))
            except ValueError:
                raise self._wrong(f"{literal} is not a time") from None
        return literal.lower() if kind is Kind.GUID else self._fold(literal)

    def _key(self, member: Member, row: Row) -> Any:
        key = member.key(row)
        return self._fold(key) if isinstance(key, str) and member.kind is Kind.TEXT else key

    def _fold(self, text: str) -> str:
        """Text compares as the server's database does. docs: uipath.md 3.9"""
        return text.casefold() if self._ignore_case else text

    def _take(self, word: str) -> bool:
        if self._tokens and self._tokens[0][0] in ("name", "mark") and self._tokens[0][1] == word:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise self._wrong(f"'{mark}' is missing")

    def _next(self, kind: str) -> str:
        if not self._tokens or self._tokens[0][0] != kind:
            raise self._wrong(f"{kind} is missing" if not self._tokens else f"unexpected '{self._tokens[0][1]}'")
        return self._tokens.pop(0)[1]

    def _wrong(self, reason: str) -> RefusalError:
        return invalid_query(f"Syntax error in $filter={self._text}: {reason}.")


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) or right(row)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) and right(row)
