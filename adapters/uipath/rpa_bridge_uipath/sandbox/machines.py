"""Machines: one for each robot. docs: uipath.md 3.5"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from .entities import MACHINE, RUNTIME_TYPES, Entity, Row, enums, members
from .errors import not_found, unknown_folder
from .gate import Call, Route, Scoped
from .odata import listed, number_parameter, read_query
from .robots import ACTION
from .sessions import VERSION, Floor
from .state import State

SCOPE = "OR.Machines"
ENTITY = Entity(
    "Machines",
    {
        **MACHINE.members,
        **members(
            number="NonProductionSlots UnattendedSlots HeadlessSlots TestAutomationSlots",
            text="Description LicenseKey",
            guid="Key",
        ),
        **enums(
            Type=("Standard", "Template"),
            AutomationType=("Any", "Foreground", "Background"),
            TargetFramework=("Any", "Windows", "Portable"),
        ),
    },
)
RUNTIME = Entity("MachineRuntimes", {**members(number="Total Connected Available"), **enums(Type=RUNTIME_TYPES)})


class Machines:
    """The machines of the tenant; no header wanted."""

    def __init__(self, state: State, floor: Floor) -> None:
        self._state, self._floor = state, floor

    def routes(self) -> list[Route]:
        """Its operations."""
        action = f"/odata/Machines/{ACTION}"
        return [
            Route("GET", "/odata/Machines", self.find, SCOPE, Scoped.NEVER),
            Route("GET", r"/odata/Machines({id:\d+})", self.get, SCOPE, Scoped.NEVER),
            Route("GET", rf"{action}GetAssignedMachines(folderId={{id:\d+}})", self.assigned, SCOPE, Scoped.NEVER),
            Route("GET", rf"{action}GetRuntimesForFolder(folderId={{id:\d+}})", self.runtimes, SCOPE, Scoped.NEVER),
        ]

    async def find(self, call: Call) -> web.Response:
        return _page(call, ENTITY, map(self._machine, self._state.robots.values()))

    async def get(self, call: Call) -> web.Response:
        for robot in self._state.robots.values():
            if robot["MachineId"] == call.id:
                return web.json_response(read_query(call.request.query.items(), ENTITY).view(self._machine(robot)))
        raise not_found("The machine")

    async def assigned(self, call: Call) -> web.Response:
        robot = self._robot(call)
        wanted = number_parameter(call.request.query, "robotId") in (None, robot["Id"])
        return _page(call, ENTITY, [self._machine(robot)] if wanted else [])

    async def runtimes(self, call: Call) -> web.Response:
        self._robot(call)
        seen = self._floor.session(call.id)
        row = {
            "Type": "Unattended",
            "Total": 1,
            "Connected": int(seen["State"] != "Disconnected"),
            "Available": int(seen["State"] == "Available" and not seen["IsUnresponsive"]),
        }
        return _page(call, RUNTIME, [row])

    def _robot(self, call: Call) -> Row:
        """The robot of the folder in the path. Raises a 400."""
        if call.id not in self._state.folders:
            raise unknown_folder()
        return self._state.robots[call.id]

    def _machine(self, robot: Row) -> Row:
        """As it goes out; its ClientSecret never does. docs: uipath.md 3.5"""
        return {
            "LicenseKey": None,
            "Name": robot["MachineName"],
            "Description": None,
            "Type": "Standard",
            "Scope": "Default",
            "NonProductionSlots": 0,
            "UnattendedSlots": 1,
            "HeadlessSlots": 0,
            "TestAutomationSlots": 0,
            "HostingSlots": 0,
            "AutomationCloudSlots": 0,
            "AutomationCloudTestAutomationSlots": 0,
            "Key": self._state.robot_keys(robot)["MachineKey"],
            "RobotVersions": [{"Count": 1, "Version": VERSION, "MachineId": robot["MachineId"]}],
            "RobotUsers": [{"UserName": robot["Username"], "RobotId": robot["Id"], "HasTriggers": False}],
            "AutomationType": "Any",
            "TargetFramework": "Any",
            "ClientSecret": None,
            "Tags": [],
            "Id": robot["MachineId"],
        }


def _page(call: Call, entity: Entity, rows: Iterable[Row]) -> web.Response:
    return web.json_response(listed(call.request.query.items(), entity, rows))
