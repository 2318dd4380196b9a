"""Where everything stands: the base addresses of all editions, with the operations below. docs: uipath.md 1.1, 2.2"""

from __future__ import annotations

from aiohttp import web

from .gate import Gate, Route
from .identity import Identity

ORGANIZATION = "acme"
TENANT = "default"
BASE = f"/{ORGANIZATION}/{TENANT}/orchestrator_"
BASES = (BASE, f"/{ORGANIZATION}/{TENANT}", "")
"""The cloud with and without its last segment, and a server on premises."""
TOKEN_PATHS = (
    "/identity_/connect/token",
    f"/{ORGANIZATION}/identity_/connect/token",
    "/identity/connect/token",
)


def below_all_bases(routes: list[Route], gate: Gate, identity: Identity) -> list[web.RouteDef]:
    """The routes of the whole face."""
    found = [web.post(path, identity.token) for path in TOKEN_PATHS]
    for route in routes:
        handler = gate.handler(route)
        found += [web.route(route.method, base + route.path, handler) for base in BASES]
    return found


def is_api(path: str) -> bool:
    """Whether the path lies below one of the base addresses."""
    return any(path.startswith((f"{base}/odata/", f"{base}/api/")) for base in BASES)
