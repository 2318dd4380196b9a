"""Sessions: what robots and their machines last told of themselves. docs: uipath.md 3.4"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .entities import JOB_MEMBERS, RUNTIME_TYPES, Entity, Navigation, Row, enums, members
from .errors import invalid_argument, unknown_folder
from .gate import Call, Route, Scoped
from .odata import listed, number_parameter
from .robots import ACTION, ROBOT_MEMBERS, SCOPE
from .runs import Runs
from .state import State
from .times import to_wire

STATES = ("Available", "Busy", "Disconnected", "Unknown")
AT_WORK = ("Running", "Stopping", "Terminating")
SILENT_FOR = timedelta(minutes=10)
"""How long a robot has said nothing that is disconnected or unresponsive; 120 s are the limit. docs: uipath.md 3.4"""
VERSION = "25.10.0"

RUNTIME = Entity(
    "MachineSessionRuntimes",
    members(
        number="SessionId MachineId Runtimes UsedRuntimes TriggersCount",
        text="MachineName HostMachineName ServiceUserName Version",
        date="ReportingTime",
        bool="IsUnresponsive",
    )
    | enums(RuntimeType=RUNTIME_TYPES, Status=STATES, MachineType=("Standard", "Template")),
)


class Floor:
    """Who is at work, and who can be heard. The switch uipath.robot_state speaks for all robots at once."""

    def __init__(self, world: World, state: State, runs: Runs) -> None:
        self._world, self._state, self._runs = world, state, runs

    def session(self, folder_id: int) -> Row:
        """The session of a folder's robot."""
        robot, folder = self._state.robots[folder_id], self._state.folders[folder_id]
        ordered = self._world.switch("uipath.robot_state", None)
        heard = self._world.clock.now() - (SILENT_FOR if ordered else timedelta(0))
        at_work = "Busy" if self.job(folder_id) else "Available"
        return {
            "HostMachineName": robot["MachineName"],
            "MachineId": robot["MachineId"],
            "MachineName": robot["MachineName"],
            "State": ordered if ordered in STATES else at_work,
            "ReportingTime": to_wire(heard),
            "Info": None,
            "IsUnresponsive": ordered == "Unresponsive",
            "LicenseErrorCode": None,
            "OrganizationUnitId": folder_id,
            "FolderName": folder["DisplayName"],
            "RobotSessionType": "LongLived",
            "Version": VERSION,
            "Source": None,
            "DebugModeExpirationDate": None,
            "InstallationId": None,
            "Platform": "Windows",
            "EndpointDetection": None,
            "Id": robot["Id"] + 300,
        }

    def job(self, folder_id: int) -> Row | None:
        """What the robot of a folder works on; a look at a robot is no look at its job."""
        for job in self._state.jobs.values():
            if job.row["OrganizationUnitId"] == folder_id:
                self._runs.pass_time(job)
                if job.row["State"] in AT_WORK:
                    return job.row
        return None

    def runtime(self, folder_id: int) -> Row:
        """The same session, seen from the machine."""
        session = self.session(folder_id)
        return {
            "SessionId": session["Id"],
            "MachineId": session["MachineId"],
            "MachineName": session["MachineName"],
            "MaintenanceMode": "Default",
            "HostMachineName": session["HostMachineName"],
            "RuntimeType": "Unattended",
            "MachineType": "Standard",
            "MachineScope": "Default",
            "Status": session["State"],
            "IsUnresponsive": session["IsUnresponsive"],
            "Runtimes": 1,
            "UsedRuntimes": int(session["State"] == "Busy"),
            "ServiceUserName": None,
            "ReportingTime": session["ReportingTime"],
            "Version": VERSION,
            "DebugModeExpirationDate": None,
            "Platform": "Windows",
            "EndpointDetection": None,
            "TriggersCount": 0,
        }


class Sessions:
    """The sessions of a folder's robot, of all robots, and of machines."""

    def __init__(self, state: State, floor: Floor) -> None:
        self._state, self._floor = state, floor
        self._entity = Entity(
            "Sessions",
            members(
                number="Id MachineId OrganizationUnitId",
                text="HostMachineName MachineName Info FolderName Version",
                date="ReportingTime DebugModeExpirationDate",
                bool="IsUnresponsive",
            )
            | enums(
                State=STATES,
                RobotSessionType=("LongLived", "Ephemeral"),
                Platform=("Unknown", "Windows", "Linux", "OSX"),
            ),
            {
                "Robot": Navigation(
                    Entity("Robots", ROBOT_MEMBERS), lambda row: state.robots[row["OrganizationUnitId"]]
                ),
                "Job": Navigation(Entity("Jobs", JOB_MEMBERS), lambda row: floor.job(row["OrganizationUnitId"])),
            },
        )

    def routes(self) -> list[Route]:
        """Its operations."""
        action = f"/odata/Sessions/{ACTION}"
        of_folder = rf"{action}GetMachineSessionRuntimesByFolderId(folderId={{id:\d+}})"
        return [
            Route("GET", "/odata/Sessions", self.find, SCOPE),
            Route("GET", f"{action}GetGlobalSessions", self.find_everywhere, SCOPE, Scoped.NEVER),
            Route("GET", f"{action}GetMachineSessionRuntimes", self.runtimes, SCOPE, Scoped.NEVER),
            Route("GET", of_folder, self.runtimes_of_folder, SCOPE, Scoped.NEVER),
        ]

    async def find(self, call: Call) -> web.Response:
        return _page(call, self._entity, [self._floor.session(call.folder["Id"])])

    async def find_everywhere(self, call: Call) -> web.Response:
        return _page(call, self._entity, map(self._floor.session, self._state.folders))

    async def runtimes(self, call: Call) -> web.Response:
        return self._runtimes(call, self._state.folders)

    async def runtimes_of_folder(self, call: Call) -> web.Response:
        if call.id not in self._state.folders:
            raise unknown_folder()
        robot_id = number_parameter(call.request.query, "robotId")
        known = robot_id in (None, self._state.robots[call.id]["Id"])
        return self._runtimes(call, [call.id] if known else [])

    def _runtimes(self, call: Call, folder_ids: Iterable[int]) -> web.Response:
        kind = call.request.query.get("runtimeType")
        if kind is not None and kind not in RUNTIME_TYPES:
            raise invalid_argument("runtimeType", f"'{kind}' is no runtime.")
        rows = map(self._floor.runtime, folder_ids)
        return _page(call, RUNTIME, [row for row in rows if kind in (None, row["RuntimeType"])])


def _page(call: Call, entity: Entity, rows: Iterable[Row]) -> web.Response:
    return web.json_response(listed(call.request.query.items(), entity, rows))
