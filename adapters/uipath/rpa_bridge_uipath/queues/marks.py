"""The marks that items carry in ParentOperationId, and the look for those items. docs: uipath.md 3.10 and 5.5"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from rpa_bridge.errors import InvalidError
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.mapping import queues as mapping
from rpa_bridge_uipath.wire.queues import MarkedItem, QueueDefinitionDto

MEMBER = "ParentOperationId"
CLOCKS_DIFFER = timedelta(minutes=10)
"""How much earlier or later than by our clock the server may say that an item was created."""
MOST_NAMED = 20
"""Marks of 64 characters in one filter: an address of more than 2,000 is too long for some servers."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of items that are sent together, with their ordinals from 1."""

    ordinals: Mapping[str, int]
    prefix: str = ""
    """What they all begin with, and nothing else does; empty where they are the caller's."""

    @classmethod
    def of(cls, prefix: str, count: int) -> Self:
        """Ours: a prefix that nobody else has, and the ordinal."""
        return cls({f"{prefix}{ordinal}": ordinal for ordinal in range(1, count + 1)}, prefix)

    @classmethod
    def given(cls, marks: Sequence[str]) -> Self:
        """The caller's."""
        return cls({mark: ordinal for ordinal, mark in enumerate(marks, 1)})

    @classmethod
    def of_key(cls, key: str, count: int) -> Self:
        """Those that `key` was made of."""
        return cls.given(key.split()) if " " in key else cls.of(key, count)

    @property
    def key(self) -> str:
        """A text for the outbox: the prefix, or else each mark with a blank behind it, which no mark holds."""
        return self.prefix or "".join(f"{mark} " for mark in self.ordinals)

    @property
    def conditions(self) -> Iterator[str]:
        """Filters that find them all together, and little besides."""
        if self.prefix:
            yield odata.starts_with(MEMBER, self.prefix)
            return
        marks = list(self.ordinals)
        for first in range(0, len(marks), MOST_NAMED):
            yield odata.is_in(MEMBER, marks[first : first + MOST_NAMED])


class MarkedItems:
    """The items of one queue, looked for by their marks.

    Removed ones count only with `removed_too`: what was removed before may be sent again under its mark.
    """

    def __init__(self, client: Client, queue: QueueDefinitionDto, operation: str, *, removed_too: bool = False) -> None:
        self._client, self._queue, self._operation = client, queue, operation
        self._removed_too = removed_too

    async def find(self, marks: Marks, since: datetime, until: datetime | None = None) -> dict[int, str]:
        """The ids of those that are in the queue, by ordinal; `since` is when they were sent."""
        found: dict[int, str] = {}
        try:
            for condition in marks.conditions:
                found |= await self._matching(condition, marks)
        except InvalidError:  # whether every server filters by marks is not known; all know when an item was created
            return await self.created(marks, since, until)
        return found

    async def created(self, marks: Marks, since: datetime, until: datetime | None = None) -> dict[int, str]:
        """The same by a look at all that was created then, which asks for as many pages as that fills."""
        earliest = odata.where("CreationTime", "ge", since - CLOCKS_DIFFER)
        latest = None if until is None else odata.where("CreationTime", "le", until + CLOCKS_DIFFER)
        return await self._matching(odata.all_of(earliest, latest), marks)

    async def _matching(self, condition: str, marks: Marks) -> dict[int, str]:
        rows = self._client.all_rows(
            MarkedItem,
            "QueueItems",
            operation=self._operation,
            condition=odata.all_of(odata.where("QueueDefinitionId", "eq", self._queue.Id), condition),
            select=f"Id,{MEMBER},Status",  # items of 500 KB each would be more than an answer may hold
        )
        found: dict[int, str] = {}
        async for row in rows:
            ordinal = marks.ordinals.get(row.ParentOperationId or "")
            if ordinal is not None and (self._removed_too or not mapping.is_removed(row)):
                found.setdefault(ordinal, str(row.Id))  # a retry carries the mark of the first attempt
            if len(found) == len(marks.ordinals):
                break
        return found
