"""Buckets: where files lie. docs: uipath.md 3.13"""

from __future__ import annotations

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, free, guid, many, one_of, text, whole
from .entities import Entity, Row, enums, members
from .errors import invalid_argument, name_taken, not_found
from .gate import Call, Route, Scoped
from .odata import Query, number_parameter, read_query
from .state import State
from .storage import Storage

SCOPE = "OR.Administration"
ACTION = "UiPath.Server.Configuration.OData."
OPTIONS = ("None", "ReadOnly", "AuditReadAccess", "AccessDataThroughOrchestrator")
BUCKET = Entity(
    "Buckets",
    members(
        number="Id CredentialStoreId FoldersCount",
        guid="Identifier",
        text="Name Description StorageProvider StorageParameters StorageContainer ExternalName",
    )
    | enums(Options=OPTIONS),
)
DEFINITION = {
    "Name": text(128),
    "Description": text(512),
    "Identifier": guid,
    "StorageProvider": text(),
    "StorageParameters": text(),
    "StorageContainer": text(),
    "Options": one_of(*OPTIONS),
    "CredentialStoreId": whole(0, 2**63),
    "ExternalName": text(450),
    "Password": text(),
    "FoldersCount": whole(0, 2**31),
    "Tags": many(free),
    "Id": whole(0, 2**63),
}
_DEFAULTS: Row = {
    "Description": None,
    "StorageProvider": None,
    "StorageParameters": None,
    "StorageContainer": None,
    "Options": "None",
    "CredentialStoreId": None,
    "ExternalName": None,
    "Tags": [],
}
_NOT_TAKEN = {"Id", "FoldersCount", "Password"}
"""Members that the server decides, or never gives back."""


class Buckets:
    """The buckets of a folder."""

    def __init__(self, world: World, state: State, storage: Storage) -> None:
        self._world, self._state, self._storage = world, state, storage

    def routes(self) -> list[Route]:
        """Its operations."""
        one, action = r"/odata/Buckets({id:\d+})", f"/odata/Buckets/{ACTION}"
        return [
            Route("GET", "/odata/Buckets", self.find, SCOPE),
            Route("GET", one, self.get, SCOPE),
            Route("GET", f"{action}GetByKey(identifier={{key}})", self.get_by_key, SCOPE),
            Route("GET", f"{action}GetBucketsAcrossFolders", self.find_everywhere, SCOPE, Scoped.IF_GIVEN),
            Route("POST", "/odata/Buckets", self.post, SCOPE),
            Route("PUT", one, self.replace, SCOPE),
            Route("DELETE", one, self.delete, SCOPE),
        ]

    def bear(self) -> None:
        """Gives every folder a bucket with a file, and one with nothing in it."""
        for folder in self._state.folders.values():
            reports = self.add(folder, {"Name": "Reports", "Identifier": self._world.new_uuid()})
            self._storage.write(f"{place(reports)}2026/october.txt", b"October: 3 invoices\n", "text/plain")
            self.add(folder, {"Name": "Invoices", "Identifier": self._world.new_uuid()})

    def add(self, folder: Row, given: Row) -> Row:
        """A new bucket with these members; the others have the server's defaults."""
        row: Row = {
            **_DEFAULTS,
            **given,
            "FoldersCount": 1,
            "OrganizationUnitId": folder["Id"],
            "Id": self._state.next_id("bucket", 5001),
        }
        self._rows[str(row["Id"])] = row
        return row

    def in_folder(self, folder: Row, bucket_id: int) -> Row:
        """The bucket. Raises a 404."""
        row = self._rows.get(str(bucket_id))
        if row is None or row["OrganizationUnitId"] != folder["Id"]:
            raise not_found("The bucket")
        return row

    async def find(self, call: Call) -> web.Response:
        return self._page(call, self._all_in(call.folder))

    async def find_everywhere(self, call: Call) -> web.Response:
        excluded = number_parameter(call.request.query, "excludeFolderId")
        return self._page(call, [row for row in self._rows.values() if row["OrganizationUnitId"] != excluded])

    async def get(self, call: Call) -> web.Response:
        return web.json_response(self._query(call).view(_public(self.in_folder(call.folder, call.id))))

    async def get_by_key(self, call: Call) -> web.Response:
        """docs: uipath.md 3.13: not in the definition; the vendor's SDK quotes the GUID"""
        wanted = call.request.match_info["key"].strip("'").lower()
        for row in self._all_in(call.folder):
            if row["Identifier"] == wanted:
                return web.json_response(_public(row))
        raise not_found("The bucket")

    async def post(self, call: Call) -> web.Response:
        row = self.add(call.folder, self._checked(call.folder, await _given(call)))
        return web.json_response(_public(row), status=201)

    async def replace(self, call: Call) -> web.Response:
        """The bucket as it is now; what the body leaves out is gone."""
        given = await _given(call)
        row = self.in_folder(call.folder, call.id)
        row.update(_DEFAULTS | self._checked(call.folder, given, row))
        return web.json_response(_public(row))

    async def delete(self, call: Call) -> web.Response:
        row = self.in_folder(call.folder, call.id)
        del self._rows[str(row["Id"])]
        for path in self._storage.find(place(row)):
            self._storage.delete(place(row) + path)
        return web.Response(status=204)

    def _checked(self, folder: Row, given: Row, itself: Row | None = None) -> Row:
        """What is kept of a body. Raises a 409 where another bucket has its name or its identifier."""
        for other in self._all_in(folder):
            if other is itself:
                continue
            for name in ("Name", "Identifier"):
                if other[name].casefold() == given[name].casefold():
                    raise name_taken(given[name])
        return {name: value for name, value in given.items() if name not in _NOT_TAKEN}

    def _all_in(self, folder: Row) -> list[Row]:
        return [row for row in self._rows.values() if row["OrganizationUnitId"] == folder["Id"]]

    def _query(self, call: Call) -> Query:
        ignore_case = self._world.switch("uipath.ignore_case", True)
        return read_query(call.request.query.items(), BUCKET, ignore_case=ignore_case)

    def _page(self, call: Call, rows: list[Row]) -> web.Response:
        query = self._query(call)
        shuffle = self._world.random if self._world.switch("uipath.unordered_is_shuffled", False) else None
        return web.json_response(query.answer(query.run(map(_public, rows), shuffle)))

    @property
    def _rows(self) -> dict[str, Row]:
        return self._state.table("buckets")


def place(bucket: Row) -> str:
    """Where the storage keeps the files of a bucket, with a slash at its end."""
    return f"buckets/{bucket['Id']}/"


async def _given(call: Call) -> Row:
    given = bind(await body_of(call.request), DEFINITION, "bucketDto")
    for name in ("Name", "Identifier"):
        if not given.get(name):
            raise invalid_argument(name, f"The {name} field is required.")
    return given


def _public(row: Row) -> Row:
    """A bucket as it goes out; its folder is not told."""
    return {name: value for name, value in row.items() if name != "OrganizationUnitId"}
