"""Where everything stands: the ways in, and the operations below the base addresses of all editions."""

from __future__ import annotations

from aiohttp import web

from .editions import BASES
from .gate import Gate, Route
from .identity import Identity


def below_all_bases(routes: list[Route], gate: Gate, identity: Identity) -> list[web.RouteDef]:
    """The routes of the whole face."""
    found = identity.routes()
    for route in routes:
        handler = gate.handler(route)
        found += [web.route(route.method, base + route.path, handler) for base in BASES]
    return found
