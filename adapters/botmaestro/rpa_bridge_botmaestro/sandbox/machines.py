"""Runners, "machines" on the wire. docs: botmaestro.md 10"""

from __future__ import annotations

from aiohttp import web

from .backend import Backend, Route
from .errors import invalid

_TRUTHS = {"true": True, "false": False}


class Machines:
    """Who can run tasks; there is no route to change it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [Route("GET", "/machine/pagination", self._page), Route("GET", "/machine/{id}", self._get)]

    async def _page(self, request: web.Request) -> web.Response:
        """Filters: all are exact (a guess)."""
        query = request.query
        online = _truth(query.get("isOnline"))
        rows = [
            one
            for one in self._backend.state.machines.values()
            if query.get("machineId") in (None, "", one.machine_id)
            and query.get("type") in (None, "", one.type)
            and online in (None, one.is_online)
        ]
        return self._backend.answer_page(request, rows)

    async def _get(self, request: web.Request) -> web.Response:
        """By number or by `machineId`: it is not known which of them the path wants."""
        given = request.match_info["id"]
        for machine in self._backend.state.machines.values():
            if given in (str(machine.id), machine.machine_id):
                return self._backend.answer(machine)
        raise self._backend.unknown(f"Machine {given!r}")


def _truth(given: str | None) -> bool | None:
    """Python's clients write True and False."""
    if not given:
        return None
    if given.lower() not in _TRUTHS:
        raise invalid(f"isOnline: {given!r} is neither true nor false")
    return _TRUTHS[given.lower()]
