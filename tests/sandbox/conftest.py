"""A face of our own, so that the stage is tested without any vendor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import BodyPartReader, ClientSession, web

from rpa_bridge.sandbox import server
from rpa_bridge.sandbox.face import Face
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import World


class CounterFace(Face):
    """Counts what it is told to count, and keeps the numbers."""

    name = "counter"
    title = "Counter"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.counts: dict[str, int] = {"born": world.next_id("born")}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/count/{name}", self.count),
            web.get("/crash", self.crash),
            web.get("/refuse", self.refuse),
            web.post("/upload", self.upload),
            web.post("/form", self.form),
            web.post("/login", self.count_login),
        ]

    def control_routes(self, origin: str) -> list[web.RouteDef]:
        async def tell(request: web.Request) -> web.Response:
            if request.match_info["what"] != "origin":
                raise ValueError("only the origin can be told")
            return web.json_response({"face": self.name, "origin": origin})

        return [web.get("/tell/{what}", tell)]

    async def count(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.counts[name] = self.counts.get(name, 0) + 1
        return web.json_response({"name": name, "count": self.counts[name], "id": self.world.new_uuid()})

    async def crash(self, _: web.Request) -> web.Response:
        raise RuntimeError("a bug in the face")

    async def refuse(self, _: web.Request) -> web.Response:
        raise web.HTTPConflict(text="not now")

    async def upload(self, request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_chunked(65536):
            size += len(chunk)
        self.counts["bytes"] = size
        return web.json_response({"size": size})

    async def form(self, request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            self.counts["bytes"] = len(await part.read())
        return web.json_response({})

    async def count_login(self, _: web.Request) -> web.Response:
        return web.json_response({})

    def connections(self, origin: str) -> dict[str, dict[str, Any]]:
        return {"counter": {"adapter": "counter", "url": origin}}

    def dump(self) -> dict[str, Any]:
        return {"counts": self.counts}

    def load(self, state: dict[str, Any]) -> None:
        self.counts = dict(state["counts"])


class OtherFace(CounterFace):
    """A second one on the same world."""

    name = "other"

    def connections(self, origin: str) -> dict[str, dict[str, Any]]:
        return {"other": {"adapter": "other", "url": origin}}


class WithStorageFace(OtherFace):
    """A third one, whose files lie on a second server."""

    name = "with storage"

    def side_routes(self) -> list[web.RouteDef]:
        return [web.get("/where", self.where)]

    async def where(self, _: web.Request) -> web.Response:
        return web.json_response({"origin": self.side_origin})


@pytest.fixture(autouse=True)
def _our_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    faces: dict[str, type[Face]] = {one.name: one for one in (CounterFace, OtherFace, WithStorageFace)}
    monkeypatch.setattr(server, "load_face", faces.__getitem__)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(["counter", "other"]) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ClientSession]:
    """A client of the first face; control is asked with whole addresses."""
    async with ClientSession(sandbox.origins["counter"]) as session:
        yield session
