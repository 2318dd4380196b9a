"""Where each edition has what: the cloud, Automation Suite, a server on premises. docs: uipath.md 1.1, 2.2"""

from __future__ import annotations

from aiohttp import web

from rpa_bridge.sandbox.world import World

ORGANIZATION = "acme"
TENANT = "default"
SHORT_BASE = f"/{ORGANIZATION}/{TENANT}"
BASE = f"{SHORT_BASE}/orchestrator_"
ON_PREMISES = ""
BASES = (BASE, SHORT_BASE, ON_PREMISES)
"""The cloud with and without its last segment, and a server on premises."""
IDENTITIES = ("/identity_", f"/{ORGANIZATION}/identity_", "/identity")
"""The cloud's identity server, the organisation's, and the one on premises."""


def is_api(path: str, world: World) -> bool:
    """Whether the path lies below a base address; Automation Suite does not have the short one."""
    suite = world.switch("uipath.orchestrator_segment_required", False)
    bases = (base for base in BASES if not (suite and base == SHORT_BASE))
    return any(path.startswith((f"{base}/odata/", f"{base}/api/")) for base in bases)


def portal_page() -> web.Response:
    """What the portal answers to every path that it does not know, with a 200."""
    return web.Response(text="<!DOCTYPE html><title>UiPath</title><div id=root></div>", content_type="text/html")
