"""Attachments: files that jobs are given and leave behind. docs: uipath.md 3.8, "Attachments" """

from __future__ import annotations

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .bodies import bind, body_of, guid, instant, text, whole
from .entities import Row
from .errors import invalid_argument, not_found
from .gate import Call, Route
from .starts import ATTACHMENT as JOB_ATTACHMENT
from .state import State
from .storage import Storage

SCOPE = "OR.Folders"
MOST_NAME = 256
ID = whole(0, 2**63)
ATTACHMENT = {
    "Id": guid,
    "Name": text(MOST_NAME),
    "LastModificationTime": instant,
    "LastModifierUserId": ID,
    "CreationTime": instant,
    "CreatorUserId": ID,
}


class Attachments:
    """All attachments by GUID. Their requests want a folder, and they are in none: jobs of any may share one."""

    def __init__(self, world: World, state: State, storage: Storage) -> None:
        self._world, self._state, self._storage = world, state, storage

    def routes(self) -> list[Route]:
        """Its operations, which older servers do not have."""
        one, link = r"/odata/Attachments({key:[0-9A-Fa-f-]{36}})", "/api/JobAttachments"
        found = (
            ("POST", "/odata/Attachments", self.post),
            ("GET", one, self.get),
            ("DELETE", one, self.delete),
            ("GET", f"{link}/GetByJobKey", self.linked),
            ("POST", f"{link}/Post", self.link),
        )
        return [Route(method, path, answer, SCOPE, exists=_exists) for method, path, answer in found]

    def content_of(self, attachment_id: str) -> bytes | None:
        """What was uploaded; None where there is no such attachment, or nothing in it yet."""
        return self._storage.read(_place(attachment_id.lower()))

    def create(self, name: str, content: bytes) -> str:
        """The id of a new attachment that holds this."""
        row = self._add(name)
        self._storage.write(_place(row["Id"]), content)
        return str(row["Id"])

    def attach(self, attachment_id: str, job_key: str, category: str | None) -> Row:
        """Links an attachment that is there to a job."""
        attachment = self._row(attachment_id)
        row: Row = {
            "attachmentId": attachment["Id"],
            "jobKey": job_key,
            "category": category,
            "attachmentName": attachment["Name"],
            "lastModificationTime": None,
            "lastModifierUserId": None,
            "creationTime": self._state.now(),
            "creatorUserId": None,
            "id": self._world.new_uuid(),
        }
        self._links[row["id"]] = row
        return row

    async def post(self, call: Call) -> web.Response:
        """The record first; its content goes to the address in the answer."""
        given = bind(await body_of(call.request), ATTACHMENT, "attachmentDto")
        if not given.get("Name"):
            raise invalid_argument("Name", "The Name field is required.")
        row = self._add(given["Name"])
        return web.json_response(self._shown(row, "PUT"), status=201)

    async def get(self, call: Call) -> web.Response:
        return web.json_response(self._shown(self._row(call.request.match_info["key"]), "GET"))

    async def delete(self, call: Call) -> web.Response:
        row = self._row(call.request.match_info["key"])
        del self._rows[row["Id"]]
        for link_id in [one["id"] for one in self._links.values() if one["attachmentId"] == row["Id"]]:
            del self._links[link_id]
        self._storage.delete(_place(row["Id"]))
        return web.Response(status=204)

    async def linked(self, call: Call) -> web.Response:
        """In camelCase, and an array without a wrapper."""
        job_key = self._job_key(call.request.query.get("jobKey", ""), call.folder)
        return web.json_response([one for one in self._links.values() if one["jobKey"] == job_key])

    async def link(self, call: Call) -> web.Response:
        """A second link to the same job is one more."""
        given = bind(await body_of(call.request), JOB_ATTACHMENT, "jobAttachmentDto")
        attachment = self._row(given.get("attachmentId", ""))
        job_key = self._job_key(given.get("jobKey", ""), call.folder)
        return web.json_response(self.attach(attachment["Id"], job_key, given.get("category")))

    def _add(self, name: str) -> Row:
        row: Row = {
            "Name": name,
            "LastModificationTime": None,
            "LastModifierUserId": None,
            "CreationTime": self._state.now(),
            "CreatorUserId": None,
            "Id": self._world.new_uuid(),
        }
        self._rows[row["Id"]] = row
        return row

    def _shown(self, row: Row, verb: str) -> Row:
        return row | {"BlobFileAccess": self._storage.access(_place(row["Id"]), verb)}

    def _row(self, key: str) -> Row:
        row = self._rows.get(key.lower())
        if row is None:
            raise not_found("The attachment")
        return row

    def _job_key(self, key: str, folder: Row) -> str:
        wanted = key.lower()
        for job in self._state.jobs.values():
            if job.row["Key"] == wanted and job.row["OrganizationUnitId"] == folder["Id"]:
                return wanted
        raise not_found("The job")

    @property
    def _rows(self) -> dict[str, Row]:
        return self._state.table("attachments")

    @property
    def _links(self) -> dict[str, Row]:
        return self._state.table("job attachments")


def _exists(world: World) -> bool:
    return bool(world.switch("uipath.attachments", True))


def _place(attachment_id: str) -> str:
    return f"attachments/{attachment_id}"
