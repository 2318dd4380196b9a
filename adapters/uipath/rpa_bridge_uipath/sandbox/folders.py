"""Folders, and the organisation units that older servers have instead. docs: uipath.md 3.1 and 3.2"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, one_of, text, whole
from .entities import FOLDER, Entity, Row, members
from .errors import invalid_argument, name_taken, not_found, refusal, wrong_state
from .gate import Call, Route, Scoped, is_classic
from .odata import Query, read_query
from .older_logins import USERNAME
from .state import State

SCOPE = "OR.Folders"
ACTION = "UiPath.Server.Configuration.OData."
UNIT = Entity("OrganizationUnits", members(number="Id", text="DisplayName"))
NEW = {
    "DisplayName": text(115),
    "Description": text(500),
    "ParentId": whole(1, 2**63),
    "FeedType": one_of("Undefined", "Processes", "Libraries", "PersonalWorkspace", "FolderHierarchy"),
    "ProvisionType": one_of("Manual", "Automatic"),
    "PermissionModel": one_of("InheritFromTenant", "FineGrained"),
}

_SHORT = ("Key", "DisplayName", "FullyQualifiedName", "Description", "FolderType", "ParentId", "ParentKey", "Id")
_PAGING = {"top": "take", "skip": "skip"}


class Folders:
    """All folders of the tenant; no header wanted."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Its operations; organisation units are on older servers only, and folders are not."""
        one, users = r"/odata/Folders({id:\d+})", r"GetUsersForFolder(key={id:\d+},includeInherited={inherited})"
        modern = [
            ("GET", "/odata/Folders", self.find),
            ("GET", one, self.get),
            ("POST", "/odata/Folders", self.create),
            ("DELETE", one, self.delete),
            ("GET", f"/odata/Folders/{ACTION}GetByKey(identifier={{key}})", self.get_by_key),
            ("GET", f"/odata/Folders/{ACTION}{users}", self.users),
            ("GET", "/api/Folders/GetAllForCurrentUser", self.mine),
            ("GET", "/api/FoldersNavigation/GetFoldersForCurrentUser", self.navigate),
        ]
        classic = [
            ("GET", "/odata/OrganizationUnits", self.find_units),
            ("GET", r"/odata/OrganizationUnits({id:\d+})", self.get_unit),
        ]
        return [
            *(Route(*operation, SCOPE, Scoped.NEVER, _is_modern) for operation in modern),
            *(Route(*operation, SCOPE, Scoped.NEVER, is_classic) for operation in classic),
        ]

    async def find(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), FOLDER)
        return web.json_response(query.answer(query.run(self._state.folders.values())))

    async def get(self, call: Call) -> web.Response:
        return web.json_response(self._folder(call.id))

    async def get_by_key(self, call: Call) -> web.Response:
        wanted = call.request.match_info["key"].lower()
        for folder in self._state.folders.values():
            if folder["Key"] == wanted:
                return web.json_response(folder)
        raise not_found("The folder")

    async def create(self, call: Call) -> web.Response:
        given = bind(await body_of(call.request), NEW, "folderDto")
        name = given.get("DisplayName", "")
        if not name.strip() or "/" in name:
            raise invalid_argument("DisplayName", "It is required, and has no slash.")
        parent = self._folder(given["ParentId"]) if "ParentId" in given else None
        beside = (one for one in self._state.folders.values() if one["ParentId"] == given.get("ParentId"))
        if any(one["DisplayName"].casefold() == name.casefold() for one in beside):
            raise name_taken(name)
        folder = self._state.add_folder(name, parent, given.get("Description"))
        folder |= {
            member: given[member] for member in ("FeedType", "ProvisionType", "PermissionModel") if member in given
        }
        return web.json_response(folder, status=201)

    async def delete(self, call: Call) -> web.Response:
        """Only when nothing is inside. docs: uipath.md 3.1"""
        folder = self._folder(call.id)
        if any(_is_inside(row, folder["Id"]) for row in self._state.rows()):
            raise wrong_state("The folder cannot be deleted: something is inside.")
        del self._state.folders[folder["Id"]], self._state.robots[folder["Id"]]
        return web.Response(status=204)

    async def mine(self, call: Call) -> web.Response:
        query = _paging(call)
        page = query.run(self._state.folders.values())
        short = [{name: row[name] for name in _SHORT} for row in page.rows]
        return web.json_response({"PageItems": short, "Count": page.total})

    async def navigate(self, call: Call) -> web.Response:
        """What the vendor's screens ask; external applications may not. docs: uipath.md 3.1"""
        if call.token["external"]:
            raise refusal(403, 0, "You are not authorized!")
        page = _paging(call).run(_searched(self._state.folders.values(), call.request.query.get("searchText", "")))
        found = [row | {"FolderPath": row["FullyQualifiedName"]} for row in page.rows]
        return web.json_response({"PageItems": found, "Count": page.total})

    async def users(self, call: Call) -> web.Response:
        """The sandbox's one person, who is an administrator of every folder."""
        folder = self._folder(call.id)
        user = {"Id": 1, "UserName": USERNAME, "Type": "DirectoryUser", "AssignedToFolderIds": [folder["Id"]]}
        role = {"Id": 1, "Name": "Folder Administrator", "Origin": "Assigned", "RoleType": "Folder"}
        row = {"Id": 1, "UserEntity": user, "Roles": [role], "HasAlertsEnabled": False}
        return web.json_response({"@odata.context": "$metadata#UserRoles", "value": [row]})

    async def find_units(self, call: Call) -> web.Response:
        query = read_query(call.request.query.items(), UNIT)
        return web.json_response(query.answer(query.run(_unit(row) for row in self._state.folders.values())))

    async def get_unit(self, call: Call) -> web.Response:
        return web.json_response(_unit(self._folder(call.id)))

    def _folder(self, folder_id: int) -> Row:
        if folder_id not in self._state.folders:
            raise not_found("The folder")
        return self._state.folders[folder_id]


def _is_modern(world: World) -> bool:
    return not is_classic(world)


def _is_inside(row: Row, folder_id: int) -> bool:
    """Whether the row belongs to the folder: alone, with others, or as a folder in it."""
    return folder_id in (row.get("OrganizationUnitId"), row.get("ParentId"), *row.get("FolderIds", ()))


def _paging(call: Call) -> Query:
    asked = call.request.query
    return read_query([(f"${ours}", asked[theirs]) for ours, theirs in _PAGING.items() if theirs in asked], FOLDER)


def _searched(rows: Iterable[Row], wanted: str) -> list[Row]:
    return [row for row in rows if wanted.casefold() in row["DisplayName"].casefold()]


def _unit(folder: Row) -> Row:
    return {"DisplayName": folder["DisplayName"], "Id": folder["Id"]}
