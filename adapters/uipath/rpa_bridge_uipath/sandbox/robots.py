"""Robots: one in each folder, provided for an account of its own. docs: uipath.md 3.3"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from .entities import ROBOT, RUNTIME_TYPES, USER, Entity, Navigation, Row, enums, members
from .errors import not_found, unknown_folder
from .gate import Call, Route, Scoped
from .odata import listed, number_parameter, read_query
from .state import State

SCOPE = "OR.Robots"
ACTION = "UiPath.Server.Configuration.OData."
ROBOT_MEMBERS = {
    **ROBOT.members,
    **members(
        number="UserId CredentialStoreId",
        text="Description ExternalName LicenseKey RobotEnvironments",
        bool="Enabled IsExternalLicensed LimitConcurrentExecution",
    ),
    **enums(
        Type=RUNTIME_TYPES,
        HostingType=("Standard", "Floating"),
        ProvisionType=("Manual", "Automatic"),
        CredentialType=("Default", "SmartCard", "NCipher", "SafeNet", "NoCredential"),
    ),
}


class Robots:
    """The robots of a folder, and of all."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._entity = Entity("Robots", ROBOT_MEMBERS)
        self._extended = Entity("Robots", ROBOT_MEMBERS, {"User": Navigation(USER, self._user)})

    def routes(self) -> list[Route]:
        """Its operations."""
        action = f"/odata/Robots/{ACTION}"
        from_folder = rf"{action}GetRobotsFromFolder(folderId={{id:\d+}})"
        return [
            Route("GET", "/odata/Robots", self.find, SCOPE),
            Route("GET", r"/odata/Robots({id:\d+})", self.get, SCOPE),
            Route("GET", f"{action}GetConfiguredRobots", self.find_everywhere, SCOPE, Scoped.IF_GIVEN),
            Route("GET", f"{action}FindAllAcrossFolders", self.find_everywhere, SCOPE, Scoped.IF_GIVEN),
            Route("GET", from_folder, self.find_from_folder, SCOPE, Scoped.IF_GIVEN),
        ]

    async def find(self, call: Call) -> web.Response:
        return _page(call, self._entity, [self._of_folder(call.folder["Id"])])

    async def get(self, call: Call) -> web.Response:
        robot = self._of_folder(call.folder["Id"])
        if robot["Id"] != call.id:
            raise not_found("The robot")
        return web.json_response(read_query(call.request.query.items(), self._entity).view(robot))

    async def find_everywhere(self, call: Call) -> web.Response:
        return _page(call, self._extended, map(self._of_folder, self._state.folders))

    async def find_from_folder(self, call: Call) -> web.Response:
        """With the account beside the robot's members."""
        if call.id not in self._state.folders:
            raise unknown_folder()
        robot = self._of_folder(call.id)
        account = {
            "UserType": "DirectoryRobot",
            "UserEmail": None,
            "UserFullName": robot["Name"],
            "UserKey": self._state.robot_keys(robot)["UserKey"],
        }
        machine_id = number_parameter(call.request.query, "machineId")
        rows = [robot | account] if machine_id in (None, robot["MachineId"]) else []
        return _page(call, self._entity, rows)

    def _of_folder(self, folder_id: int) -> Row:
        """A robot as it goes out: neither its key nor its password, nor its machine's."""
        return {
            **self._state.robots[folder_id],
            "LicenseKey": None,
            "ExternalName": None,
            "Description": None,
            "ProvisionType": "Automatic",
            "CredentialStoreId": None,
            "Enabled": True,
            "CredentialType": "Default",
            "RobotEnvironments": "",
            "IsExternalLicensed": False,
            "LimitConcurrentExecution": False,
        }

    def _user(self, robot: Row) -> Row:
        return {
            "Key": self._state.robot_keys(robot)["UserKey"],
            "UserName": robot["Name"],
            "FullName": robot["Name"],
            "Type": "DirectoryRobot",
            "MayHaveUnattendedSession": True,
            "Id": robot["UserId"],
        }


def _page(call: Call, entity: Entity, rows: Iterable[Row]) -> web.Response:
    return web.json_response(listed(call.request.query.items(), entity, rows))
