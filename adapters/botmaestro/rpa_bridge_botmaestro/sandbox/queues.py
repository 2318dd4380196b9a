"""Datapools. docs: botmaestro.md 9"""

from __future__ import annotations

from collections import Counter
from typing import Any

from aiohttp import web
from pydantic import Field

from .automations import Automations
from .backend import Backend, Body, Route
from .errors import invalid, taken
from .records import EntryState, FieldType, Policy, Pool, SchemaField, Trigger
from .work import Work

SINCE = "3.0.2"


class GivenField(Body):
    label: str
    type: FieldType = FieldType.TEXT
    unique_id: bool = False
    display_value: bool = False


class GivenPool(Body):
    """A datapool as clients send it: the automation is `defaultAutomation` in most, `defaultActivity` in C#."""

    label: str = Field(min_length=1)
    name: str | None = None
    default_automation: str | None = None
    default_activity: str | None = None
    consumption_policy: Policy = Policy.FIFO
    schema_: list[GivenField] = Field(default_factory=list, alias="schema")
    trigger: Trigger = Trigger.NEVER
    auto_retry: bool = True
    max_auto_retry: int = Field(default=0, ge=0)
    abort_on_error: bool = True
    max_errors_before_inactive: int = Field(default=0, ge=0)
    enable_processing_time: bool = True
    item_max_processing_time: int = Field(default=0, ge=0)
    active: bool = True
    repository_label: str | None = None

    def members(self) -> dict[str, Any]:
        """What the client has named, under our names."""
        members = self.model_dump(exclude_unset=True, exclude={"default_automation", "schema_"})
        if self.default_automation is not None:
            members["default_activity"] = self.default_automation
        if "schema_" in self.model_fields_set:
            members["schema_"] = [SchemaField(**one.model_dump()) for one in self.schema_]
        return members


class Queues:
    """The datapools themselves; what is in them is another room's."""

    def __init__(self, backend: Backend, automations: Automations, work: Work) -> None:
        self._backend, self._automations, self._work = backend, automations, work

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/datapool", self._create, SINCE),
            Route("GET", "/datapool", self._list, SINCE),
            Route("GET", "/datapool/{label}", self._get, SINCE),
            Route("POST", "/datapool/{label}", self._update, SINCE),
            Route("DELETE", "/datapool/{label}", self._delete, SINCE),
            Route("GET", "/datapool/{label}/summary", self._summary, SINCE),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        given = await self._backend.read(request, GivenPool)
        if given.label in self._backend.state.pools or self._is_used_up(given.label):
            raise taken(f"Datapool {given.label!r}")
        members = self._checked(given)
        pool = Pool(**{"name": given.label, **members}, id=self._backend.world.new_uuid())
        self._backend.state.pools[pool.label] = pool
        self._work.reorder(pool)
        return self._backend.answer(pool)

    async def _list(self, request: web.Request) -> web.Response:
        return self._backend.answer_page(request, list(self._backend.state.pools.values()))

    async def _get(self, request: web.Request) -> web.Response:
        return self._backend.answer(self._backend.pool(request))

    async def _update(self, request: web.Request) -> web.Response:
        """Members that are not sent stay as they are (a guess: official clients send them all)."""
        self._backend.pool(request)
        given = await self._backend.read(request, GivenPool)
        pool = self._backend.pool(request)
        if given.label != pool.label:
            raise invalid(f"label: a datapool cannot be renamed to {given.label!r}")
        members = self._checked(given)
        if members.get("active") and not pool.active:
            pool.errors_in_a_row = 0
        for name, value in members.items():
            setattr(pool, name, value)
        self._work.reorder(pool)
        return self._backend.answer(pool)

    async def _delete(self, request: web.Request) -> web.Response:
        pool = self._backend.pool(request)
        del self._backend.state.pools[pool.label]
        self._backend.state.deleted_pools.append(pool.label)
        self._work.forget(pool)
        return web.Response(status=204)

    async def _summary(self, request: web.Request) -> web.Response:
        """`avgDone` is taken for the seconds that an entry took until it was DONE (a guess)."""
        pool = self._backend.pool(request)
        self._work.sweep(pool)
        count = Counter(entry.state for entry in pool.entries.values())
        seconds = [
            (entry.date_finished - entry.date_processing).total_seconds()
            for entry in pool.entries.values()
            if entry.state is EntryState.DONE and entry.date_finished and entry.date_processing
        ]
        summary = {
            "countPending": count[EntryState.PENDING],
            "countProcessing": count[EntryState.PROCESSING],
            "countDone": count[EntryState.DONE],
            "countError": count[EntryState.ERROR],
            "countTimeout": count[EntryState.TIMEOUT],
            "avgDone": sum(seconds) / len(seconds) if seconds else 0,
            "active": pool.active,
        }
        canceled = {"countCanceled": count[EntryState.CANCELED]} if self._backend.switch("count_canceled") else {}
        return web.json_response(summary | canceled)

    def _is_used_up(self, label: str) -> bool:
        """Whether the label of a deleted datapool cannot be used again. docs: botmaestro.md 9 "Quirks" """
        return label in self._backend.state.deleted_pools and not self._backend.switch("reuse_deleted_labels")

    def _checked(self, given: GivenPool) -> dict[str, Any]:
        """What was named. Raises RefusedError for an automation that does not exist."""
        members = given.members()
        if members.get("default_activity"):
            self._automations.by_label(members["default_activity"])
        return members
