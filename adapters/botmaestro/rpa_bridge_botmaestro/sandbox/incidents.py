"""Errors that runs report, with their screenshot and files. docs: botmaestro.md 7"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from .backend import Backend, Body, Route
from .errors import invalid
from .paging import first_moment
from .records import Incident

SINCE = "2.0.0"
LANGUAGES = frozenset({"PYTHON", "JAVASCRIPT", "SHELL", "JAVA"})
"""Those that are sent, and Java, which is a guess. docs: botmaestro.md 7"""


class NewIncident(Body):
    task_id: int
    type: str
    message: str
    stack_trace: str = ""
    language: str = ""
    tags: dict[str, str] = Field(default_factory=dict)


class Incidents:
    """All errors by id; their files have no route to be read by, the sandbox's control shows them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/error", self._create, SINCE),
            Route("GET", "/error", self._list, SINCE),
            Route("GET", "/error/{id}", self._get, SINCE),
            Route("POST", "/error/{id}/screenshot", self._add_screenshot, SINCE),
            Route("POST", "/error/{id}/attachments", self._add_attachment, SINCE),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        """Exactly 201. docs: botmaestro.md 14"""
        new = await self._backend.read(request, NewIncident)
        if new.language not in LANGUAGES and self._backend.switch("refuse_unknown_languages"):
            raise invalid(f"language: there is no {new.language!r}")
        task = self._backend.task_of_note(new.task_id)
        incident = Incident(
            **new.model_dump(),
            id=str(self._backend.next_number("error")),
            automation_label=task and task.activity_label,
            date_creation=self._backend.now(),
        )
        self._backend.state.incidents[incident.id] = incident
        return web.json_response(self._wire(incident), status=201)

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        since = first_moment(query, self._backend.now())
        rows = [
            one
            for one in self._backend.state.incidents.values()
            if query.get("taskId") in (None, "", str(one.task_id))
            and query.get("automationLabel") in (None, "", one.automation_label)
            and (since is None or one.date_creation >= since)
        ]
        return self._backend.answer_page(request, rows, self._wire)

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._wire(self._incident(request)))

    async def _add_screenshot(self, request: web.Request) -> web.Response:
        self._incident(request)
        file = await self._backend.read_file(request)
        self._incident(request).screenshot = file
        return web.Response()

    async def _add_attachment(self, request: web.Request) -> web.Response:
        self._incident(request)
        file = await self._backend.read_file(request)
        self._incident(request).attachments.append(file)
        return web.Response()

    def _wire(self, incident: Incident) -> dict[str, Any]:
        """The error; clients disagree whether its id is a text or a number. docs: botmaestro.md 1 "Conventions" """
        shown = self._backend.wire(incident)
        return shown | {"id": int(incident.id)} if self._backend.switch("numeric_error_ids") else shown

    def _incident(self, request: web.Request) -> Incident:
        incident_id = request.match_info["id"]
        if incident_id not in self._backend.state.incidents:
            raise self._backend.unknown(f"Error {incident_id}")
        return self._backend.state.incidents[incident_id]
