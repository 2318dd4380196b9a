"""Schedules. docs: botmaestro.md 10"""

from __future__ import annotations

from aiohttp import web

from .backend import Backend, Route


class Schedules:
    """What would start tasks by time. Nothing known makes or changes a schedule, and the sandbox's never fire."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [Route("GET", "/scheduling", self._page), Route("GET", "/scheduling/{id}", self._get)]

    async def _page(self, request: web.Request) -> web.Response:
        return self._backend.answer_page(request, list(self._backend.state.schedules.values()))

    async def _get(self, request: web.Request) -> web.Response:
        given = request.match_info["id"]
        known = self._backend.state.schedules.get(int(given)) if given.isdecimal() else None
        if known is None:
            raise self._backend.unknown(f"Scheduling {given!r}")
        return self._backend.answer(known)
