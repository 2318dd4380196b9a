"""UiPath's face over real HTTP, asked by a plain client: nothing of our adapter takes part."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from io import BytesIO
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from aiohttp import ClientSession
from yarl import URL

from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import World
from rpa_bridge.testing import SandboxThread


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
        form: Any = None,
        follow: bool = True,
        status: int | None = None,
    ) -> Answer:
        """The answer to a request below the base address; its status is checked when one is named."""
        address = path if path.startswith("http") else self.base + path
        sent = dict(self.headers if headers is None else headers)
        async with self._session.request(
            method, address, json=body, data=form, params=query, headers=sent, allow_redirects=follow
        ) as response:
            is_json = response.content_type == "application/json"
            answer = Answer(
                response.status, await response.json() if is_json else await response.text(), response.headers
            )
        assert status is None or answer.status == status, answer
        return answer

    async def transfer(
        self,
        access: Mapping[str, Any],
        content: bytes | AsyncIterator[bytes] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> Answer:
        """Sends or fetches content as an address of files says, with these headers beside those it names."""
        named = dict(zip(access["Headers"]["Keys"], access["Headers"]["Values"], strict=True))
        sent = named | dict(headers or {})
        data = BytesIO(content) if isinstance(content, bytes) else content
        address = URL(access["Uri"], encoded=True)
        async with self._session.request(access["Verb"], address, data=data, headers=sent) as response:
            answer = Answer(response.status, await response.read(), response.headers)
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


@pytest.fixture
def served() -> Iterator[SandboxThread]:
    """A sandbox of its own thread, for clients that block."""
    with SandboxThread(["uipath"]) as running:
        yield running


@pytest.fixture
def open_sdk(served: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Opens UiPath's own SDK in the folder Shared, as the environment's variables then say.

    Its token comes from here: it logs in at the vendor's addresses only.
    """
    from uipath.platform import UiPath

    for name in ("UIPATH_FOLDER_KEY", "UIPATH_JOB_KEY", "UIPATH_ROBOT_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UIPATH_FOLDER_PATH", "Shared")
    settings = served.connections["uipath"]
    base_url, token = settings["url"].removesuffix("/orchestrator_"), _token(settings)
    return lambda: UiPath(base_url=base_url, secret=token)


@pytest.fixture
def sdk(open_sdk: Callable[[], Any]) -> Any:
    """The SDK as a program uses it that is no robot."""
    return open_sdk()


def _token(settings: Any) -> str:
    client = HTTPConnection(urlsplit(settings["url"]).netloc)
    form = {"grant_type": "client_credentials"} | settings["auth"]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    client.request("POST", "/identity_/connect/token", urlencode(form), headers)
    token = json.load(client.getresponse())["access_token"]
    client.close()
    return str(token)
