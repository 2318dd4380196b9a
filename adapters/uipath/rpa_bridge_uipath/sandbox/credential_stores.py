"""Where the server keeps secrets: in its own database only. docs: uipath.md 3.12"""

from __future__ import annotations

from aiohttp import web

from .entities import Entity, Row, enums, members
from .errors import invalid_argument, not_found
from .gate import Call, Route, Scoped
from .odata import listed

SCOPE = "OR.Settings"
ACTION = "UiPath.Server.Configuration.OData."
RESOURCES = ("AssetCredential", "RobotCredential", "BucketCredential", "Secrets")

STORE: Row = {
    "ProxyId": None,
    "ProxyType": None,
    "HostName": None,
    "Name": "Orchestrator Database",
    "Type": "Database",
    "AdditionalConfiguration": None,
    "Details": {"IsReadOnly": False},
    "Id": 1,
}
ENTITY = Entity(
    "CredentialStores",
    members(number="Id ProxyId", text="Name Type HostName") | enums(ProxyType=("Connected", "Disconnected")),
)


def credential_store_routes() -> list[Route]:
    """Its operations."""
    default = f"/odata/CredentialStores/{ACTION}GetDefaultStoreForResourceType(resourceType='{{resource}}')"
    return [
        Route("GET", "/odata/CredentialStores", find, SCOPE, Scoped.NEVER),
        Route("GET", r"/odata/CredentialStores({id:\d+})", get, SCOPE, Scoped.NEVER),
        Route("GET", default, default_for, SCOPE, Scoped.NEVER),
    ]


async def find(call: Call) -> web.Response:
    """The one store."""
    return web.json_response(listed(call.request.query.items(), ENTITY, [STORE]))


async def get(call: Call) -> web.Response:
    """The one store."""
    if call.id != STORE["Id"]:
        raise not_found("The credential store")
    return web.json_response(STORE)


async def default_for(call: Call) -> web.Response:
    """The same for everything."""
    if call.request.match_info["resource"] not in RESOURCES:
        raise invalid_argument("resourceType", f"It is one of {', '.join(RESOURCES)}.")
    return web.json_response({"value": STORE["Id"]})
