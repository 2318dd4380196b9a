"""Whether the server is there, and how old it is; nobody needs to log in for that. docs: uipath.md 3.18"""

from __future__ import annotations

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .gate import Call, Route, Scoped


def status_routes() -> list[Route]:
    """Its operations."""
    return [
        Route("GET", "/api/Status/Get", alive, None, Scoped.NEVER),
        Route("GET", "/api/Status/Version", version, None, Scoped.NEVER, _tells_version),
    ]


def _tells_version(world: World) -> bool:
    """docs: uipath.md 3.18: 20.10 does not"""
    return bool(world.switch("uipath.status_version", True))


async def alive(_: Call) -> web.Response:
    """Nothing, with a 200."""
    return web.Response()


async def version(_: Call) -> web.Response:
    """The version, as newer servers tell it."""
    return web.json_response({"version": "25.10.0", "deployment": "sandbox"})
