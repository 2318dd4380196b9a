"""Assets, as robots see them: the one way to read a secret. docs: uipath.md 3.11, who can read a credential"""

from __future__ import annotations

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .asset_rows import AssetRows
from .asset_values import ID, VALUE, check_type, own_values, revealed, value, value_of_robot, without_secret
from .assets import ACTION, SCOPE
from .bodies import bind, body_of, flag, free, nested, text
from .entities import Row
from .errors import RefusalError, invalid_argument, not_found, refusal
from .gate import Call, Route
from .state import State

ASKED = {"robotKey": text(), "assetName": text(), "supportsCredentialsProxyDisconnected": flag}
ROBOT_ASSET = {**VALUE, "Name": text(128), "ConnectionData": free, "Id": ID}
CHANGE = {"robotKey": text(), "robotAsset": nested(ROBOT_ASSET)}


class RobotAssets:
    """The assets of a folder, for its robot."""

    def __init__(self, world: World, state: State) -> None:
        self._state = state
        self._rows = AssetRows(world, state)

    def routes(self) -> list[Route]:
        """Its operations. The POST that reads wants the scope for writing, as any POST."""
        action = f"/odata/Assets/{ACTION}"
        named = "assetName='{name:.+}')"
        return [
            Route("GET", f"{action}GetRobotAsset(robotId='{{key}}',{named}", self.get_by_key, SCOPE),
            Route("GET", rf"{action}GetRobotAssetByRobotId(robotId={{id:\d+}},{named}", self.get_by_id, SCOPE),
            Route("POST", f"{action}GetRobotAssetByNameForRobotKey", self.get_by_name, SCOPE),
            Route("POST", f"{action}SetRobotAssetByRobotKey", self.set, SCOPE),
        ]

    async def get_by_key(self, call: Call) -> web.Response:
        robot = self._robot(call, call.request.match_info["key"])
        return web.json_response(self._of_robot(self._asset(call, _name(call)), robot))

    async def get_by_id(self, call: Call) -> web.Response:
        """What a robot would get, without its secret: an id is no key."""
        robot = self._state.robots[call.folder["Id"]]
        if robot["Id"] != call.id:
            raise _not_configured()
        return web.json_response(without_secret(self._of_robot(self._asset(call, _name(call)), robot)))

    async def get_by_name(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), ASKED, "assetName")
        if not given.get("assetName"):
            raise invalid_argument("assetName", "The assetName field is required.")
        if given.get("robotKey"):
            robot = self._robot(call, given["robotKey"])
            return web.json_response(self._of_robot(self._asset(call, given["assetName"]), robot))
        asset = self._asset(call, given["assetName"]) if self._rows.direct_access else None
        if asset is None or not asset["AllowDirectApiAccess"]:
            raise invalid_argument("robotKey", "The robotKey field is required.")
        if not asset["HasDefaultValue"]:
            raise _no_value()
        return web.json_response(revealed(asset, asset))

    async def set(self, call: Call) -> web.Response:
        """Changes everybody's value of a Global asset, and of others the robot's own, which it may get by that."""
        given = bind(await body_of(call.request), CHANGE, "robotAsset")
        for name in CHANGE:
            if not given.get(name):
                raise invalid_argument(name, f"The {name} field is required.")
        robot = self._robot(call, given["robotKey"])
        new = given["robotAsset"]
        asset = self._asset(call, new.get("Name", ""))
        check_type(asset["ValueType"], new.get("ValueType", asset["ValueType"]))
        if asset["ValueScope"] == "Global":
            asset.update(value(asset["ValueType"], new, asset))
        else:
            self._set_own(asset, robot, new)
        self._rows.touch(asset)
        return web.Response(status=204)

    def _set_own(self, asset: Row, robot: Row, new: Row) -> None:
        held = value_of_robot(asset, robot) if own_values(asset["UserValues"], robot) else None
        kept = value(asset["ValueType"], new, held)
        if held is not None:
            held.update(kept)
        else:
            asset["UserValues"].append(self._rows.new_user_value(asset, robot, None, kept, None))

    def _robot(self, call: Call, key: str) -> Row:
        """The folder's robot, by its key. Raises a 409 for any other."""
        robot = self._state.robots[call.folder["Id"]]
        if self._state.robot_keys(robot)["Key"] != key.lower():
            raise _not_configured()
        return robot

    def _asset(self, call: Call, name: str) -> Row:
        asset = self._rows.named(call.folder, name)
        if asset is None:
            raise not_found(f"The asset {name}")
        return asset

    def _of_robot(self, asset: Row, robot: Row) -> Row:
        held = value_of_robot(asset, robot)
        if held is None:
            raise _no_value()
        return revealed(asset, held)


def _name(call: Call) -> str:
    return call.request.match_info["name"].replace("''", "'")


def _no_value() -> RefusalError:
    return not_found("A value of the asset")


def _not_configured() -> RefusalError:
    """docs: uipath.md 3.11"""
    return refusal(409, 1302, "The provided robot is not configured for the current user.")
