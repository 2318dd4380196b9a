"""UiPath's face over real HTTP, asked by a plain client: nothing of our adapter takes part."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession

from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import World


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> Any:
        """The vendor's number for what went wrong."""
        return self.body["errorCode"]

    @property
    def values(self) -> list[Any]:
        """The rows of a collection."""
        found: list[Any] = self.body["value"]
        return found


class Wire:
    """A client that is logged in, in a folder."""

    def __init__(self, session: ClientSession, sandbox: Sandbox) -> None:
        self._session = session
        self.sandbox = sandbox
        self.origin = sandbox.origins["uipath"]
        self.settings = sandbox.connections["uipath"]
        self.base = self.settings["url"]
        self.headers: dict[str, str] = {"X-UIPATH-FolderPath": "Shared"}

    @property
    def world(self) -> World:
        """Clock, lifecycle and switches."""
        return self.sandbox.world

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> Answer:
        """The answer to a request below the base address; its status is checked when one is named."""
        address = path if path.startswith("http") else self.base + path
        sent = dict(self.headers if headers is None else headers)
        async with self._session.request(method, address, json=body, params=query, headers=sent) as response:
            is_json = response.content_type == "application/json"
            answer = Answer(
                response.status, await response.json() if is_json else await response.text(), response.headers
            )
        assert status is None or answer.status == status, answer
        return answer

    async def log_in(self, path: str = "/identity_/connect/token", **changes: str) -> Answer:
        """Asks for a token with the settings' credentials, some of them changed."""
        auth = self.settings["auth"]
        form = {"grant_type": auth["type"]} | {name: auth[name] for name in ("client_id", "client_secret", "scope")}
        async with self._session.post(self.origin + path, data=form | changes) as response:
            return Answer(response.status, await response.json(), response.headers)

    async def start(self, **info: Any) -> dict[str, Any]:
        """A new job of Invoices."""
        body = {"startInfo": {"ReleaseName": "Invoices"} | info}
        answer = await self.ask("POST", "/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs", body, status=201)
        job: dict[str, Any] = answer.values[0]
        return job

    async def add(self, queue: str = "Invoices", *, status: int = 201, **data: Any) -> Answer:
        """A new item."""
        body = {"itemData": {"Name": queue, "SpecificContent": {}} | data}
        return await self.ask("POST", "/odata/Queues/UiPathODataSvc.AddQueueItem", body, status=status)

    async def take(self, queue: str = "Invoices", *, status: int = 200, **data: Any) -> Answer:
        """The next item."""
        body = {"transactionData": {"Name": queue} | data}
        return await self.ask("POST", "/odata/Queues/UiPathODataSvc.StartTransaction", body, status=status)

    async def finish(self, item_id: int, *, status: int = 200, **result: Any) -> Answer:
        """Ends an attempt."""
        path = f"/odata/Queues({item_id})/UiPathODataSvc.SetTransactionResult"
        return await self.ask("POST", path, {"transactionResult": result}, status=status)

    async def item(self, item_id: int) -> Any:
        """An item as it stands."""
        return (await self.ask("GET", f"/odata/QueueItems({item_id})", status=200)).body

    async def items(self, condition: str | None = None) -> list[Any]:
        """Items, oldest first."""
        query = {"$orderby": "Id"} | ({"$filter": condition} if condition else {})
        return (await self.ask("GET", "/odata/QueueItems", query=query, status=200)).values

    def in_folder(self, **names: str) -> dict[str, str]:
        """The headers with another folder; `Encoded` is encoded here."""
        kept = {name: value for name, value in self.headers.items() if not name.startswith("X-UIPATH-")}
        if "Encoded" in names:
            text = base64.b64encode(names.pop("Encoded").encode("utf-16-le")).decode()
            kept["X-UIPATH-FolderPath-Encoded"] = text
        return kept | {f"X-UIPATH-{name}": value for name, value in names.items()}


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A client that is logged in, in the folder Shared."""
    async with Sandbox(["uipath"]) as sandbox, ClientSession() as session:
        client = Wire(session, sandbox)
        token = (await client.log_in()).body["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client
