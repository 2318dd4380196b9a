"""BotCity's Runner, played from the sandbox's control: how it claims tasks is not known. docs: botmaestro.md 10"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from rpa_bridge.sandbox.control import parse, read_json

from .backend import Backend
from .jobs import Jobs
from .records import Machine
from .session import Session


@dataclass
class Claim:
    """Who claims, and a task of what; by default the first runner that is online, and any."""

    machine: str | None = None
    automation: str | None = None


class Runner:
    """Claims the next task and answers what the Runner would start the bot with. Its errors are ValueErrors."""

    def __init__(self, backend: Backend, jobs: Jobs, session: Session, origin: str) -> None:
        self._backend, self._jobs, self._session, self._origin = backend, jobs, session, origin

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/runner", self._claim)]

    async def _claim(self, request: web.Request) -> web.Response:
        """The task, and `arguments`: server, task id, a fresh token, organization. 204 when no task waits.

        docs: botmaestro.md 1 "Tokens": a bot that is started so has no key to log in with.
        """
        given = parse(Claim, await read_json(request) if request.can_read_body else {})
        machine = self._machine(given.machine)
        task = self._jobs.claim(machine.machine_id, given.automation)
        if task is None:
            return web.Response(status=204)
        token, label = self._session.new_token(), self._backend.state.organization.label
        return web.json_response(
            {
                "task": task.id,
                "machine": machine.machine_id,
                "arguments": [self._origin, str(task.id), token, label],
            }
        )

    def _machine(self, wanted: str | None) -> Machine:
        machines = self._backend.state.machines
        if wanted is None:
            wanted = next((one.machine_id for one in machines.values() if one.is_online), "")
        if wanted not in machines:
            raise ValueError(f"there is no runner {wanted!r}; there are: {', '.join(machines)}")
        if not machines[wanted].is_online:
            raise ValueError(f"runner {wanted!r} is offline")
        return machines[wanted]
