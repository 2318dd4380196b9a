"""Entries of datapools. docs: botmaestro.md 9 "Entries" """

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from .backend import Backend, Body, Route
from .errors import RefusedError, invalid
from .jobs import Jobs, NewTask
from .queues import SINCE
from .records import Entry, EntryState, ErrorType, Pool, Trigger
from .work import Work


class NewEntry(Body):
    priority: int = Field(default=0, ge=0, le=10)
    values: dict[str, Any] = Field(default_factory=dict)


class SavedEntry(Body):
    """An entry as it is saved. Its links, its retry index and its dates are the server's: they are read over."""

    priority: int = Field(default=0, ge=0, le=10)
    values: dict[str, Any] = Field(default_factory=dict)
    data_pool_label: str = ""
    state: EntryState = EntryState.PENDING
    unique_key: str | None = None
    display_value: str | None = None
    message: str | None = None
    error_type: ErrorType | None = None
    retry_index: int = 0
    runner: str | None = None
    task_id: str | None = None
    parent: str | None = None
    child: str | None = None

    def members(self) -> dict[str, Any]:
        """What the client has named and may change, under our names; the state is moved by the rules."""
        owned = {"data_pool_label", "state", "retry_index", "parent", "child"}
        return self.model_dump(exclude_unset=True, exclude=owned)


class Cancellation(Body):
    state: Literal[EntryState.CANCELED] = EntryState.CANCELED
    message: str = ""


class Items:
    """What is in the datapools."""

    def __init__(self, backend: Backend, jobs: Jobs, work: Work) -> None:
        self._backend, self._jobs, self._work = backend, jobs, work

    def routes(self) -> list[Route]:
        entry = "/datapool/{label}/entry/{id}"
        return [
            Route("POST", "/datapool/{label}/push", self._push, SINCE),
            Route("GET", "/datapool/{label}/pull", self._pull, SINCE),
            Route("GET", "/datapool/{label}/view", self._view, SINCE),
            Route("GET", entry, self._get, SINCE),
            Route("POST", entry, self._save, SINCE),
            Route("PUT", f"{entry}/cancel", self._cancel, SINCE, needs="cancel_entries"),
            Route("DELETE", entry, self._delete, SINCE, needs="cancel_entries"),
        ]

    async def _push(self, request: web.Request) -> web.Response:
        """An inactive datapool takes entries too."""
        self._pool(request)
        new = await self._backend.read(request, NewEntry)
        pool = self._pool(request)
        entry = self._work.push(pool, new.values, new.priority)
        self._pull_the_trigger(pool)
        return self._backend.answer(entry)

    async def _pull(self, request: web.Request) -> web.Response:
        """A GET that changes state: the entry is answered as PROCESSING already."""
        pool = self._pool(request)
        if not pool.active:
            status = self._backend.switch("status_pull_inactive")
            if status != 204:
                raise RefusedError(status, f"Datapool {pool.label!r} is inactive")
            return web.Response(status=204)
        entry = self._work.pull(pool)
        return web.Response(status=204) if entry is None else self._backend.answer(entry)

    async def _view(self, request: web.Request) -> web.Response:
        return self._backend.answer_page(request, list(self._pool(request).entries.values()))

    async def _get(self, request: web.Request) -> web.Response:
        return self._backend.answer(self._entry(request, self._pool(request)))

    async def _save(self, request: web.Request) -> web.Response:
        self._entry(request, self._pool(request))
        saved = await self._backend.read(request, SavedEntry)
        pool = self._pool(request)
        entry = self._entry(request, pool)
        if saved.data_pool_label not in ("", pool.label):
            raise invalid(f"dataPoolLabel: an entry cannot be moved to {saved.data_pool_label!r}")
        state = saved.state if "state" in saved.model_fields_set else entry.state
        self._work.check_step(entry, state)
        for name, value in saved.members().items():
            setattr(entry, name, value)
        if entry.state is EntryState.PENDING and "priority" in saved.model_fields_set:
            self._work.reorder(pool)
        self._work.move(pool, entry, state)
        return self._backend.answer(entry)

    async def _cancel(self, request: web.Request) -> web.Response:
        self._entry(request, self._pool(request))
        given = await self._backend.read(request, Cancellation)
        pool = self._pool(request)
        entry = self._entry(request, pool)
        if entry.state is not EntryState.PENDING:
            raise self._backend.conflict(f"An entry in state {entry.state} cannot be canceled")
        self._work.move(pool, entry, given.state)
        entry.message = given.message
        return self._backend.answer(entry)

    async def _delete(self, request: web.Request) -> web.Response:
        pool = self._pool(request)
        self._work.delete(pool, self._entry(request, pool))
        return web.Response(status=204)

    def _pool(self, request: web.Request) -> Pool:
        """The datapool, its entries as time has left them. Raises RefusedError."""
        pool = self._backend.pool(request)
        self._work.sweep(pool)
        return pool

    def _entry(self, request: web.Request, pool: Pool) -> Entry:
        entry_id = request.match_info["id"]
        if entry_id not in pool.entries:
            raise self._backend.unknown(f"Entry {entry_id}")
        return pool.entries[entry_id]

    def _pull_the_trigger(self, pool: Pool) -> None:
        """Starts the datapool's automation, without parameters (a guess). docs: botmaestro.md 9 "Trigger" """
        automation = pool.default_activity
        if not automation or pool.trigger is Trigger.NEVER:
            return
        if not pool.active and not self._backend.switch("trigger_when_inactive"):
            return
        if pool.trigger is Trigger.NO_TASK_ACTIVE and self._jobs.any_active(automation):
            return
        self._jobs.start(NewTask(activityLabel=automation))
