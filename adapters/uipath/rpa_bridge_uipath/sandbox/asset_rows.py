"""The assets that there are, and how they change; nothing here knows of HTTP. docs: uipath.md 3.11"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rpa_bridge.sandbox.world import World

from .asset_values import check_type, has_value, no_value, shown, value
from .entities import Row
from .errors import invalid_argument, name_taken, not_found
from .state import State

_OWN = ("UserValues", "FolderIds", "AllowDirectApiAccess")
"""Members of a row that do not go out with it."""


class AssetRows:
    """All assets. A row is in every folder of its `FolderIds`."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    @property
    def direct_access(self) -> bool:
        """Whether assets can be opened to everybody, as on the newest cloud. docs: uipath.md 3.11"""
        return bool(self._world.switch("uipath.direct_asset_access", False))

    def all(self) -> Iterable[Row]:
        """Those of all folders."""
        return self._table.values()

    def in_folder(self, folder: Row) -> list[Row]:
        """Those of a folder."""
        return [row for row in self.all() if folder["Id"] in row["FolderIds"]]

    def get(self, asset_id: int) -> Row:
        """One of any folder. Raises a 404."""
        row = self._table.get(str(asset_id))
        if row is None:
            raise not_found("The asset")
        return row

    def get_in(self, folder: Row, asset_id: int) -> Row:
        """One of a folder. Raises a 404."""
        row = self.get(asset_id)
        if folder["Id"] not in row["FolderIds"]:
            raise not_found("The asset")
        return row

    def named(self, folder: Row, name: str) -> Row | None:
        """The one of this name in a folder, whatever its case."""
        wanted = name.casefold()
        return next((row for row in self.in_folder(folder) if row["Name"].casefold() == wanted), None)

    def check_name(self, name: str, folder_ids: list[int], itself: Row | None) -> None:
        """Raises a 409 for a name that another has in one of these folders."""
        for folder_id in folder_ids:
            found = self.named(self._state.folders[folder_id], name)
            if found is not None and found is not itself:
                raise name_taken(name)

    def public(self, row: Row) -> Row:
        """One as it goes out, without its users' values."""
        seen = {name: held for name, held in shown(row).items() if name not in _OWN}
        seen["FoldersCount"] = len(row["FolderIds"])
        if self.direct_access:
            seen["AllowDirectApiAccess"] = row["AllowDirectApiAccess"]
        return seen

    def user_values(self, seen: Row) -> list[Row]:
        """The users' values of an asset, as they go out."""
        return [shown(one) for one in self.get(seen["Id"])["UserValues"]]

    def add(self, folder: Row, given: Row) -> Row:
        """A new asset. Raises a 400 or 409."""
        self.check_name(given["Name"], [folder["Id"]], None)
        content = self._content([folder["Id"]], given, None)
        row = {
            "Key": self._world.new_uuid(),
            "CanBeDeleted": True,
            **content,
            "CreationTime": self._state.now(),
            "CreatorUserId": None,
            "LastModificationTime": None,
            "LastModifierUserId": None,
            "FolderIds": [folder["Id"]],
            "Id": self._state.next_id("asset", 8001),
        }
        self._table[str(row["Id"])] = row
        return row

    def replace(self, row: Row, given: Row) -> None:
        """Makes the asset what the body says, whole; only its type and what was not given of secrets stay."""
        check_type(row["ValueType"], given["ValueType"])
        self.check_name(given["Name"], row["FolderIds"], row)
        row.update(self._content(row["FolderIds"], given, row))
        self.touch(row)

    def touch(self, row: Row) -> None:
        """Notes that it was changed."""
        row["LastModificationTime"] = self._state.now()

    def remove(self, row: Row) -> None:
        """Deletes it, in all its folders."""
        del self._table[str(row["Id"])]

    def new_user_value(self, asset: Row, robot: Row, machine_id: int | None, held: Row, kept: Row | None) -> Row:
        """A value of an asset for a robot's user; `kept` is the one that it replaces."""
        return {
            "Name": asset["Name"],
            "UserId": robot["UserId"],
            "UserName": robot["Name"],
            "MachineId": machine_id,
            "MachineName": robot["MachineName"] if machine_id is not None else None,
            **held,
            "Id": kept["Id"] if kept else self._state.next_id("asset value", 60_001),
        }

    @property
    def _table(self) -> dict[str, Row]:
        return self._state.table("assets")

    def _content(self, folder_ids: list[int], given: Row, before: Row | None) -> Row:
        kind, scope = given["ValueType"], given["ValueScope"]
        if given.get("RobotValues"):
            raise invalid_argument("RobotValues", "Robots of modern folders have UserValues.")
        if scope == "Global" and given.get("UserValues"):
            raise invalid_argument("UserValues", "A Global asset has none.")
        per_user, wiped = self._user_values(folder_ids, given, before)
        has_default = not wiped and (scope == "Global" or given.get("HasDefaultValue", has_value(given)))
        return {
            "Name": given["Name"],
            "Description": given.get("Description"),
            "ValueScope": scope,
            **(value(kind, given, before) if has_default else no_value(kind)),
            "HasDefaultValue": has_default,
            "Tags": given.get("Tags", []),
            "UserValues": per_user,
            "AllowDirectApiAccess": given.get("AllowDirectApiAccess", False),
        }

    def _user_values(self, folder_ids: list[int], given: Row, before: Row | None) -> tuple[list[Row], bool]:
        """The users' values, and whether everybody's is lost by a user that nobody knows.

        docs: uipath.md 3.11, write traps: an older server answered 200 and wiped the global value
        """
        wiped = False
        robots = {robot["UserId"]: robot for robot in (self._state.robots[one] for one in folder_ids)}
        found: dict[Any, Row] = {}
        old = {_place(one): one for one in (before["UserValues"] if before else [])}
        for one in given.get("UserValues", []):
            check_type(given["ValueType"], one.get("ValueType", given["ValueType"]))
            robot = robots.get(one.get("UserId"))
            if robot is None or one.get("MachineId") not in (None, robot["MachineId"]):
                if not self._world.switch("uipath.unknown_asset_user_wipes", False):
                    raise invalid_argument("UserValues", "The user or the machine does not exist in this folder.")
                wiped = True
                continue
            place = _place(one)
            if place in found:
                raise invalid_argument("UserValues", "A user has two values.")
            held = value(given["ValueType"], one, old.get(place))
            found[place] = self.new_user_value(given, robot, one.get("MachineId"), held, old.get(place))
        return list(found.values()), wiped


def bear_assets(world: World, state: State) -> None:
    """Gives every folder what the sandbox is born with: one asset of each kind, and one with a value for its robot."""
    rows = AssetRows(world, state)
    for folder in state.folders.values():
        for given in _BORN:
            rows.add(folder, {"ValueScope": "Global", **given})
        robot = state.robots[folder["Id"]]
        per_user = {"UserId": robot["UserId"], "StringValue": f"/in/{robot['Name']}"}
        inbox = {"Name": "Inbox", "ValueType": "Text", "StringValue": "/in", "UserValues": [per_user]}
        rows.add(folder, {"ValueScope": "PerRobot", **inbox})


_BORN: tuple[Row, ...] = (
    {"Name": "Currency", "ValueType": "Text", "StringValue": "EUR"},
    {"Name": "Retries", "ValueType": "Integer", "IntValue": 3},
    {"Name": "DryRun", "ValueType": "Bool", "BoolValue": True},
    {
        "Name": "SAP",
        "ValueType": "Credential",
        "CredentialUsername": "sap-user",
        "CredentialPassword": "sap-sandbox-password",
    },
    {"Name": "ApiKey", "ValueType": "Secret", "SecretValue": "sandbox-api-key"},
)


def _place(one: Row) -> tuple[Any, Any]:
    return one.get("UserId"), one.get("MachineId")
