"""What a queue expects of its items' values, and how they fall short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rpa_bridge.contract.queues import Field
from rpa_bridge.helpers.checks import FIELD_TYPES
from rpa_bridge.migration.canonical import canonical

from .common import short_hash

MEND = "the target may refuse it; the rules queues.values can convert it, and queues.fields drop what is expected"


class Expected:
    """The fields of one queue. Of values that must be unique it keeps eight bytes each, to find the second of two."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = tuple(fields)
        self._seen: set[int] = set()

    def shortfalls(self, values: Mapping[str, Any]) -> Iterator[str]:
        """How the values of the next item fall short, a sentence each: not every platform minds."""
        for one in self._fields:
            value = values.get(one.name)
            if value is None and one.required:
                yield f"value {one.name!r} is missing, and the queue requires it: {MEND}"
            elif value is not None and not FIELD_TYPES.get(one.type, lambda _: True)(value):
                yield f"value {one.name!r} is not of the type {one.type} that the queue expects: {MEND}"
            elif value is not None and one.unique and self._is_second(one, value):
                yield f"value {one.name!r} is that of an earlier item, and the queue expects each once: {MEND}"

    def _is_second(self, one: Field, value: Any) -> bool:
        short = short_hash(f"{one.name}\0{canonical(value)}")
        if short in self._seen:
            return True
        self._seen.add(short)
        return False
