"""Webhooks, as they are kept; the sandbox delivers nothing. docs: uipath.md 3.17"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import Members, bind, body_of, flag, guid, many, nested, text, whole
from .entities import Entity, Row, members
from .errors import invalid_argument, name_taken, not_found
from .gate import Call, Route, Scoped
from .odata import listed, read_query
from .state import State

SCOPE = "OR.Webhooks"
ACTION = "UiPath.Server.Configuration.OData."
MASK = "********"
EVENTS = {
    "job": "created started completed faulted stopped suspended resumed",
    "queue": "created updated deleted",
    "queueItem": "added transactionStarted transactionCompleted transactionFailed transactionAbandoned",
    "robot": "created updated deleted status",
    "process": "created updated deleted",
    "schedule": "created updated deleted failed",
}
EVENT_TYPES: tuple[Row, ...] = tuple(
    {"Name": f"{group}.{event}", "Group": group} for group, events in EVENTS.items() for event in events.split()
)
WEBHOOK: Members = {
    "Name": text(128),
    "Description": text(256),
    "Url": text(2000),
    "Enabled": flag,
    "Secret": text(100),
    "SubscribeToAllEvents": flag,
    "AllowInsecureSsl": flag,
    "Events": many(nested({"EventType": text(50)})),
    "Key": guid,
    "Id": whole(0, 2**63),
}
REQUIRED = ("Name", "Url", "Enabled", "SubscribeToAllEvents", "AllowInsecureSsl")
OPTIONAL: Row = {"Description": None, "Secret": None, "Events": []}

ENTITY = Entity(
    "Webhooks",
    members(number="Id", guid="Key", text="Name Description Url", bool="Enabled SubscribeToAllEvents AllowInsecureSsl"),
)
EVENT_TYPE = Entity("WebhookEventTypes", members(text="Name Group"))


class Webhooks:
    """The webhooks of the tenant; no header wanted."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    def routes(self) -> list[Route]:
        """Its operations."""
        one, never = r"/odata/Webhooks({id:\d+})", Scoped.NEVER
        return [
            Route("GET", "/odata/Webhooks", self.find, SCOPE, never),
            Route("GET", f"/odata/Webhooks/{ACTION}GetEventTypes", self.event_types, SCOPE, never),
            Route("GET", one, self.get, SCOPE, never),
            Route("POST", "/odata/Webhooks", self.create, SCOPE, never),
            Route("PUT", one, self.replace, SCOPE, never),
            Route("PATCH", one, self.change, SCOPE, never),
            Route("DELETE", one, self.delete, SCOPE, never),
            Route("POST", f"{one}/{ACTION}Ping", self.ping, SCOPE, never),
        ]

    async def find(self, call: Call) -> web.Response:
        return web.json_response(listed(call.request.query.items(), ENTITY, map(_masked, self._table.values())))

    async def event_types(self, call: Call) -> web.Response:
        return web.json_response(listed(call.request.query.items(), EVENT_TYPE, EVENT_TYPES))

    async def get(self, call: Call) -> web.Response:
        return web.json_response(read_query(call.request.query.items(), ENTITY).view(_masked(self._row(call))))

    async def create(self, call: Call) -> web.Response:
        given = self._whole(await self._given(call), None)
        row = {"Key": self._world.new_uuid(), **given, "Id": self._state.next_id("webhook", 9001)}
        self._table[str(row["Id"])] = row
        return web.json_response(_masked(row), status=201)

    async def replace(self, call: Call) -> web.Response:
        """What the body leaves out is gone; a masked secret that is written back is the new secret."""
        row = self._row(call)
        row.update(self._whole(await self._given(call), row))
        return web.json_response(_masked(row))

    async def change(self, call: Call) -> web.Response:
        row = self._row(call)
        given = await self._given(call)
        self._check(given, row)
        row.update(given)
        return web.json_response(_masked(row))

    async def delete(self, call: Call) -> web.Response:
        del self._table[str(self._row(call)["Id"])]
        return web.Response(status=204)

    async def ping(self, call: Call) -> web.Response:
        """The event that is promised, and never delivered. docs: uipath.md 3.17: 202 is no delivery"""
        row, now = self._row(call), self._state.now()
        event = {"Type": "ping", "EventId": self._world.new_uuid().replace("-", ""), "EntityKey": row["Key"]}
        return web.json_response(event | {"Timestamp": now, "EventTime": now, "TenantId": 1}, status=202)

    @property
    def _table(self) -> dict[str, Row]:
        return self._state.table("webhooks")

    def _row(self, call: Call) -> Row:
        row = self._table.get(str(call.id))
        if row is None:
            raise not_found("The webhook")
        return row

    async def _given(self, call: Call) -> Row:
        given = bind(await body_of(call.request), WEBHOOK, "webhookDto")
        return {name: value for name, value in given.items() if name not in ("Key", "Id")}

    def _whole(self, given: Row, itself: Row | None) -> Row:
        for name in REQUIRED:
            if name not in given:
                raise invalid_argument(name, f"The {name} field is required.")
        self._check(given, itself)
        return OPTIONAL | given

    def _check(self, given: Row, itself: Row | None) -> None:
        if "Name" in given:
            self._check_name(given["Name"], itself)
        if "Url" in given and not _is_address(given["Url"]):
            raise invalid_argument("Url", "It must be an absolute http or https address.")
        known = {one["Name"].casefold() for one in EVENT_TYPES}
        for event in given.get("Events", []):
            if event.get("EventType", "").casefold() not in known:
                raise invalid_argument("Events", "An event is of no type that the server has.")

    def _check_name(self, name: str, itself: Row | None) -> None:
        if not name:
            raise invalid_argument("Name", "The Name field is required.")
        for row in self._table.values():
            if row is not itself and row["Name"].casefold() == name.casefold():
                raise name_taken(name)


def _masked(row: Row) -> Row:
    """As it goes out. docs: uipath.md 3.17"""
    return row | {"Secret": MASK if row["Secret"] else None}


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
