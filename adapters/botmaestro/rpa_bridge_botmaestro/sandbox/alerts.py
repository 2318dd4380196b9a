"""Alerts: notes on a task for people. docs: botmaestro.md 5"""

from __future__ import annotations

from aiohttp import web

from .backend import Backend, Body, Route
from .records import Alert, AlertType


class NewAlert(Body):
    task_id: int
    title: str
    message: str
    type: AlertType


class Alerts:
    """All alerts, oldest first."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        return [Route("POST", "/alerts", self._create), Route("GET", "/alerts", self._list)]

    async def _create(self, request: web.Request) -> web.Response:
        new = await self._backend.read(request, NewAlert)
        task = self._backend.task_of_note(new.task_id)
        alert = Alert(
            id=self._backend.world.new_uuid(),
            task_id=new.task_id,
            title=new.title,
            message=new.message,
            type=new.type,
            date=self._backend.now(),
            activity_name=task and task.activity_name,
            activity_label=task and task.activity_label,
            bot_id=task and task.agent_id,
        )
        self._backend.state.alerts.append(alert)
        return self._backend.answer(alert)

    async def _list(self, request: web.Request) -> web.Response:
        task_id = request.query.get("taskId")
        rows = [one for one in self._backend.state.alerts if task_id in (None, "", str(one.task_id))]
        return self._backend.answer_page(request, rows)
