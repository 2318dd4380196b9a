"""Alerts, which newer servers no longer have. docs: uipath.md 3.15"""

from __future__ import annotations

import json

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, guid, many, one_of, text, unwrap
from .entities import Entity, Row, enums, members
from .errors import invalid_argument
from .gate import Call, Route, Scoped
from .odata import read_query
from .state import State

SCOPE = "OR.Monitoring"
ACTION = "UiPath.Server.Configuration.OData."
TABLE = "alerts"
SEVERITIES = ("Info", "Success", "Warn", "Error", "Fatal")
COMPONENTS = (
    "Robots", "Transactions", "Schedules", "Jobs", "Process", "Tasks", "Queues", "Folders", "PersonalWorkspaces",
    "TestAutomation", "Insights", "CloudRobots", "ConnectedTriggers", "Serverless", "Export", "RateLimits",
    "AutopilotForRobots", "Webhooks",
)  # fmt: skip
NEW = {
    "Message": text(512),
    "Severity": one_of(*SEVERITIES),
    "RobotName": text(512),
    "ProcessName": text(512),
    "Id": guid,
}
ALERT = Entity(
    "Alerts",
    members(guid="Id UserNotificationId", text="NotificationName Data DeepLinkRelativeUrl", date="CreationTime")
    | enums(Component=COMPONENTS, Severity=SEVERITIES, State=("Unread", "Read")),
)


class Alerts:
    """The alerts of the tenant; no folder wanted."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    def routes(self) -> list[Route]:
        """Its operations."""
        action = f"/odata/Alerts/{ACTION}"
        operations = [
            ("GET", "/odata/Alerts", self.find),
            ("GET", f"{action}GetUnreadCount", self.count_unread),
            ("POST", f"{action}MarkAsRead", self.mark_as_read),
            ("POST", f"{action}RaiseProcessAlert", self.send),
        ]
        return [Route(*operation, SCOPE, Scoped.NEVER, _are_here) for operation in operations]

    async def find(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), ALERT)
        return web.json_response(query.answer(query.run(self._state.table(TABLE).values())))

    async def count_unread(self, _: Call) -> web.Response:
        return self._unread()

    async def mark_as_read(self, call: Call) -> web.Response:
        """How many are still unread; ids that are not there are passed over (a guess)."""
        given = bind(await body_of(call.request), {"ids": many(guid)}, "ids")
        if "ids" not in given:
            raise invalid_argument("ids", "It is required.")
        for alert_id in given["ids"]:
            if alert_id in self._state.table(TABLE):
                self._state.table(TABLE)[alert_id]["State"] = "Read"
        return self._unread()

    async def send(self, call: Call) -> web.Response:
        given = unwrap(await body_of(call.request), "processAlert", NEW)
        for name in ("Message", "Severity", "RobotName", "ProcessName"):
            if not given.get(name):
                raise invalid_argument(name, f"The {name} field is required.")
        alert = self._alert(given)
        self._state.table(TABLE)[alert["Id"]] = alert
        return web.Response()

    def _alert(self, given: Row) -> Row:
        """The name of the notification and the members of Data are a guess."""
        told = {"Message": given["Message"], "RobotName": given["RobotName"], "ProcessName": given["ProcessName"]}
        return {
            "Id": given.get("Id", self._world.new_uuid()),
            "NotificationName": "Process.UserAlert",
            "Data": json.dumps(told, ensure_ascii=False),
            "Component": "Process",
            "Severity": given["Severity"],
            "CreationTime": self._state.now(),
            "State": "Unread",
            "UserNotificationId": self._world.new_uuid(),
            "DeepLinkRelativeUrl": None,
        }

    def _unread(self) -> web.Response:
        count = sum(alert["State"] == "Unread" for alert in self._state.table(TABLE).values())
        return web.json_response({"@odata.context": "$metadata#Edm.Int64", "value": count})


def _are_here(world: World) -> bool:
    return bool(world.switch("uipath.alerts", True))
