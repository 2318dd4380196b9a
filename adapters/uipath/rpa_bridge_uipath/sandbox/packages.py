"""Packages, which the wire calls processes: what releases are made of. docs: uipath.md 3.6"""

from __future__ import annotations

import json
import re

from aiohttp import BodyPartReader, web

from rpa_bridge.sandbox.world import World

from .entities import Entity, Row, enums, members
from .errors import RefusalError, invalid_argument, not_found, refusal, unbound
from .gate import Call, Route, Scoped
from .nupkg import read_package, version_order, write_package
from .odata import read_query
from .state import State
from .storage import Storage

SCOPE = "OR.Execution"
ACTION = "UiPath.Server.Configuration.OData."
MOST_FILES = 10
PACKAGE = Entity(
    "Processes",
    members(
        text="Id Key Title Version Description Authors ReleaseNotes MainEntryPointPath",
        date="Published",
        bool="IsActive IsLatestVersion RequiresUserInteraction IsAttended",
    )
    | enums(
        TargetFramework=("Legacy", "Windows", "Portable"),
        ProjectType=("Undefined", "Process", "ProcessLibrary"),
        PackageType=("Undefined", "Process", "ProcessLibrary"),
    ),
)
_FILE = re.compile("file[1-9]?")
_STATUS = {400: "BadRequest", 409: "Conflict"}


class Packages:
    """The packages of the tenant's feed, which is the only one here; no header wanted."""

    def __init__(self, world: World, state: State, storage: Storage) -> None:
        self._world, self._state, self._storage = world, state, storage

    def routes(self) -> list[Route]:
        """Its operations."""
        action = f"/odata/Processes/{ACTION}"
        found = (
            ("GET", "/odata/Processes", self.find),
            ("GET", f"{action}GetProcessVersions(processId='{{key}}')", self.versions),
            ("GET", f"{action}DownloadPackage(key='{{key}}')", self.download),
            ("GET", f"{action}GetArguments(key='{{key}}')", self.arguments),
            ("POST", f"{action}UploadPackage", self.upload),
            ("DELETE", "/odata/Processes('{key}')", self.delete),
        )
        return [Route(method, path, answer, SCOPE, Scoped.NEVER) for method, path, answer in found]

    def bear(self) -> None:
        """Makes the packages that the releases name."""
        for release in self._state.releases.values():
            package_id, version = release["ProcessKey"], release["ProcessVersion"]
            if self.get(package_id, version) is None:
                description = f"{package_id} of the sandbox"
                main, arguments = release["EntryPointPath"], release["Arguments"]
                self._add(write_package(package_id, version, description, main, arguments))

    def get(self, package_id: str, version: str) -> Row | None:
        """The package of this version, whatever the case of its id."""
        return self._rows.get(_place(f"{package_id}:{version}"))

    def use(self, release: Row, package: Row) -> None:
        """Makes this version the one that the release runs."""
        release["ProcessVersion"], release["Arguments"] = package["Version"], package["Arguments"]
        self._mark_latest(package["PackageId"])

    async def find(self, call: Call) -> web.Response:
        """The latest version of each package."""
        term = call.request.query.get("searchTerm", "").casefold()
        rows = [self._shown(row) for row in self._rows.values() if self._is_latest(row)]
        return _page(call, [row for row in rows if term in f"{row['Key']} {row['Title']}".casefold()])

    async def versions(self, call: Call) -> web.Response:
        return _page(call, [self._shown(row) for row in self._versions(_key(call))])

    async def download(self, call: Call) -> web.Response:
        content = self._storage.read(_place(self._row(call)["Key"]))
        return web.Response(body=content, content_type="application/octet-stream")

    async def arguments(self, call: Call) -> web.Response:
        return web.json_response(self._row(call)["Arguments"])

    async def upload(self, call: Call) -> web.Response:
        """200 when all were taken, else 207; what became of each file is inside. docs: uipath.md 3.6

        A single version that is there already may also be a plain 409. docs: uipath.md 5.3
        """
        _check_feed(call)
        results: list[Row] = []
        for name, content in await _files(call.request):
            try:
                row = self._shown(self._add(content))
                results.append({"Key": row["Key"], "Status": "OK", "Body": json.dumps(row)})
            except RefusalError as refused:
                if refused.status == 409 and self._world.switch("uipath.package_conflict_plain", False):
                    raise
                results.append({"Key": name, "Status": _STATUS[refused.status], "Body": json.dumps(refused.body)})
        status = 200 if all(one["Status"] == "OK" for one in results) else 207
        return web.json_response({"value": results}, status=status)

    async def delete(self, call: Call) -> web.Response:
        row = self._row(call)
        del self._rows[_place(row["Key"])]
        self._storage.delete(_place(row["Key"]))
        self._mark_latest(row["PackageId"])
        return web.Response(status=204)

    def _add(self, content: bytes) -> Row:
        """The new package. Raises a 400 for one that is broken, a 409 for a version that is there already."""
        try:
            told = read_package(content)
        except ValueError as broken:
            raise invalid_argument("file", str(broken)) from None
        if self.get(told["PackageId"], told["Version"]):
            raise refusal(409, 1001, f"Package {told['PackageId']} {told['Version']} already exists.")
        row: Row = {
            **told,
            "Key": f"{told['PackageId']}:{told['Version']}",
            "Published": self._state.now(),
            "ProjectType": "Process",
            "PackageType": "Process",
            "TargetFramework": "Portable",
            "RequiresUserInteraction": False,
            "IsAttended": False,
        }
        self._rows[_place(row["Key"])] = row
        self._storage.write(_place(row["Key"]), content)
        self._mark_latest(row["PackageId"])
        return row

    def _shown(self, row: Row) -> Row:
        """A package as it goes out. The facts have the version in its Id, the vendor's examples in its Key alone."""
        seen = {name: value for name, value in row.items() if name != "PackageId"}
        seen["IsLatestVersion"] = self._is_latest(row)
        seen["IsActive"] = any(one["ProcessVersion"] == row["Version"] for one in self._releases(row["PackageId"]))
        seen["Id"] = row["Key"] if self._world.switch("uipath.package_id_has_version", True) else row["PackageId"]
        return seen

    def _mark_latest(self, package_id: str) -> None:
        """Tells the releases of a package whether they still run its latest version."""
        latest = [row["Version"] for row in self._versions(package_id)][:1]
        for release in self._releases(package_id):
            release["IsLatestVersion"] = [release["ProcessVersion"]] == latest

    def _is_latest(self, row: Row) -> bool:
        return self._versions(row["PackageId"])[0] is row

    def _versions(self, package_id: str) -> list[Row]:
        """All of a package, the latest first."""
        wanted = package_id.casefold()
        found = [row for row in self._rows.values() if row["PackageId"].casefold() == wanted]
        return sorted(found, key=lambda row: version_order(row["Version"]), reverse=True)

    def _releases(self, package_id: str) -> list[Row]:
        wanted = package_id.casefold()
        return [row for row in self._state.releases.values() if row["ProcessKey"].casefold() == wanted]

    def _row(self, call: Call) -> Row:
        _check_feed(call)
        row = self._rows.get(_place(_key(call)))
        if row is None:
            raise not_found("The package")
        return row

    @property
    def _rows(self) -> dict[str, Row]:
        return self._state.table("packages")


def _place(key: str) -> str:
    """Where the storage, and the table, keep a package."""
    return f"packages/{key.casefold()}"


def _key(call: Call) -> str:
    return call.request.match_info["key"].replace("''", "'")


def _page(call: Call, rows: list[Row]) -> web.Response:
    _check_feed(call)
    query = read_query(call.request.query.items(), PACKAGE)
    return web.json_response(query.answer(query.run(rows)))


def _check_feed(call: Call) -> None:
    if call.request.query.get("feedId"):
        raise not_found("The feed")


async def _files(request: web.Request) -> list[tuple[str, bytes]]:
    """The files of a multipart body, with their names. Raises a 400."""
    if request.content_type != "multipart/form-data":
        raise unbound("file")
    found: list[tuple[str, bytes]] = []
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.filename or not _FILE.fullmatch(part.name or ""):
                raise unbound("file")
            content = bytearray()
            while not part.at_eof():  # `part.read()` takes the stage's "no limit" for a limit of 0 bytes
                content += await part.read_chunk()
            found.append((part.filename, bytes(content)))
    except ValueError:
        raise unbound("file") from None
    if not 1 <= len(found) <= MOST_FILES:
        raise invalid_argument("file", f"There must be from 1 to {MOST_FILES}.")
    return found
