"""Automations, "activities" on the wire. docs: botmaestro.md 10"""

from __future__ import annotations

from aiohttp import web

from .backend import Backend, Route
from .errors import RefusedError
from .records import Automation


class Automations:
    """What can be run."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/activity", self._list),
            Route("GET", "/activity/pagination", self._page),
            Route("GET", "/activity/{label}", self._get),
        ]

    def by_label(self, label: str) -> Automation:
        """The automation that a task or a datapool names. Raises RefusedError."""
        known = self._backend.state.automations.get(label)
        if known is None:
            raise RefusedError(self._backend.switch("status_unknown_automation"), f"Automation {label!r} not found")
        return known

    async def _list(self, _: web.Request) -> web.Response:
        return self._backend.answer_all(self._backend.state.automations.values())

    async def _page(self, request: web.Request) -> web.Response:
        """Filters: `label` is exact; `name` and `automation` look for a part of the name (a guess)."""
        label = request.query.get("label")
        part = (request.query.get("name") or request.query.get("automation") or "").casefold()
        rows = [
            one
            for one in self._backend.state.automations.values()
            if label in (None, "", one.label) and (part in one.name.casefold() or part in one.label.casefold())
        ]
        return self._backend.answer_page(request, rows)

    async def _get(self, request: web.Request) -> web.Response:
        label = request.match_info["label"]
        known = self._backend.state.automations.get(label)
        if known is None:
            raise self._backend.unknown(f"Automation {label!r}")
        return self._backend.answer(known)
