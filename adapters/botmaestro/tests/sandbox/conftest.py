"""BotMaestro's face over real HTTP, asked by a plain client: nothing of our adapter takes part."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
import requests
from aiohttp import ClientSession, FormData
from botcity.maestro import BotMaestroSDK, DataPool

from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import World
from rpa_bridge.testing import SandboxThread


@dataclass(frozen=True)
class Answer:
    """What came back; bodies that are no JSON are bytes."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def rows(self) -> list[Any]:
        """The rows of a page."""
        found: list[Any] = self.body["content"]
        return found


class Wire:
    """A client that is logged in."""

    def __init__(self, session: ClientSession, sandbox: Sandbox) -> None:
        self._session = session
        self.sandbox = sandbox
        self.settings = sandbox.connections["botmaestro"]
        self.headers: dict[str, str] = {}

    @property
    def world(self) -> World:
        """Clock, lifecycle and switches."""
        return self.sandbox.world

    @property
    def state(self) -> Any:
        """All that the face remembers."""
        return self.sandbox.dump()["faces"]["botmaestro"]

    def switch(self, **decisions: Any) -> None:
        """Decides open questions."""
        self.world.switches.update({f"botmaestro.{name}": value for name, value in decisions.items()})

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: Any = None,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> Answer:
        """The answer to a request below /api/v2; its status is checked when one is named."""
        address = f"{self.settings['server']}/api/v2{path}"
        sent = dict(self.headers if headers is None else headers)
        async with self._session.request(method, address, json=body, data=data, params=query, headers=sent) as response:
            is_json = response.content_type == "application/json"
            answer = Answer(
                response.status, await response.json() if is_json else await response.read(), response.headers
            )
        assert status is None or answer.status == status, answer
        return answer

    async def get(self, path: str, *, status: int = 200, **query: Any) -> Any:
        """The body of what is read."""
        return (await self.ask("GET", path, query=query, status=status)).body

    async def post(self, path: str, body: Any, *, status: int = 200) -> Any:
        """The body of what is answered."""
        return (await self.ask("POST", path, body, status=status)).body

    async def control(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """What the sandbox's control answers; None for an empty body."""
        async with self._session.request(method, f"{self.sandbox.control_url}{path}", json=body) as response:
            assert response.status == status, await response.text()
            return await response.json() if response.content_type == "application/json" else None

    async def log_in(self, **changes: Any) -> Answer:
        """Asks for a token with the settings' credentials, some of them changed."""
        given = {name: self.settings[name] for name in ("login", "key")} | changes
        return await self.ask("POST", "/workspace/login", given, headers={})

    async def use_new_token(self) -> None:
        """Logs in, and asks with that token from now on."""
        self.headers["token"] = (await self.log_in()).body["accessToken"]

    async def upload(self, path: str, name: str, content: bytes, *, status: int = 200) -> Answer:
        """Sends one file, as the vendor's clients do."""
        form = FormData()
        form.add_field("file", BytesIO(content), filename=name)
        return await self.ask("POST", path, data=form, status=status)

    async def start(self, automation: str = "Invoices", **members: Any) -> Any:
        """A new task."""
        return await self.post("/task", {"activityLabel": automation} | members)

    async def push(self, pool: str = "Invoices", *, status: int = 200, **entry: Any) -> Any:
        """A new entry."""
        return await self.post(f"/datapool/{pool}/push", {"values": {}} | entry, status=status)

    async def pull(self, pool: str = "Invoices", *, status: int = 200) -> Any:
        """The next entry."""
        return await self.get(f"/datapool/{pool}/pull", status=status)

    async def take(self, pool: str = "Invoices", **entry: Any) -> Any:
        """A new entry that is being processed, as no other waits."""
        await self.push(pool, **entry)
        return await self.pull(pool)

    async def save(self, entry: Any, *, status: int = 200, **changes: Any) -> Any:
        """Sends the whole entry back, some of it changed."""
        path = f"/datapool/{entry['dataPoolLabel']}/entry/{entry['id']}"
        return await self.post(path, entry | changes, status=status)

    async def entry(self, entry: Any) -> Any:
        """The entry as it is now."""
        return await self.get(f"/datapool/{entry['dataPoolLabel']}/entry/{entry['id']}")

    async def pool(self, label: str, *, status: int = 200, **members: Any) -> Any:
        """A new datapool."""
        return await self.post("/datapool", {"label": label} | members, status=status)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A client that is logged in."""
    async with Sandbox(["botmaestro"]) as sandbox, ClientSession() as session:
        client = Wire(session, sandbox)
        await client.use_new_token()
        yield client


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    """The platform for clients that do not await."""
    with SandboxThread(["botmaestro"]) as running:
        yield running


@pytest.fixture
def sdk(sandbox: SandboxThread) -> Any:
    """BotCity's own SDK, logged in."""
    settings = sandbox.connections["botmaestro"]
    maestro = BotMaestroSDK(settings["server"], settings["login"], settings["key"])
    maestro.login()
    return maestro


@pytest.fixture
def pool(sdk: Any) -> Any:
    """A datapool of the SDK, with one retry."""
    sdk.create_datapool(DataPool(label="Orders", default_automation="Invoices", max_auto_retry=1))
    return sdk.get_datapool("Orders")


@pytest.fixture
def task(sdk: Any) -> Any:
    """A task of the SDK."""
    return sdk.create_task("Invoices", {"month": "2026-10"})


@pytest.fixture
def run_as_bot(sandbox: SandboxThread) -> Callable[[Any], list[str]]:
    """Claims a task of the SDK as the Runner does, and answers what it would start the bot with."""

    def claim(task: Any) -> list[str]:
        with requests.post(f"{sandbox.control_url}botmaestro/runner", timeout=30) as answer:
            claimed = answer.json()
        assert claimed["task"] == task.id
        arguments: list[str] = claimed["arguments"]
        return arguments

    return claim
