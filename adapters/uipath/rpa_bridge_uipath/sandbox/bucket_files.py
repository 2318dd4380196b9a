"""The files of buckets. docs: uipath.md 3.13; 7, 17"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import unquote_plus

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .buckets import ACTION, SCOPE, Buckets, place
from .entities import Entity, Row, members
from .errors import invalid_argument, not_found, wrong_state
from .gate import Call, Route, Scoped
from .odata import number_parameter, read_query
from .storage import DEFAULT_MINUTES, Storage

DEFAULT_TAKE, MOST_TAKE = 500, 1000
THROUGH = "/api/BlobStorage"
"""Where content goes that Orchestrator itself hands on."""
BLOB_FILE = Entity("BlobFiles", members(text="FullPath ContentType Id", number="Size", bool="IsDirectory"))
MOST_MINUTES = 7 * 24 * 60
"""The longest that storages of the usual makes sign an address for; Orchestrator tells no limit (a guess)."""


class BucketFiles:
    """Files are known by their path in the bucket; directories are there while a file is in them."""

    def __init__(self, world: World, buckets: Buckets, storage: Storage) -> None:
        self._world, self._buckets, self._storage = world, buckets, storage

    def routes(self) -> list[Route]:
        """Its operations."""
        one = rf"/odata/Buckets({{id:\d+}})/{ACTION}"
        return [
            Route("GET", r"/api/Buckets/{id:\d+}/ListFiles", self.list_files, SCOPE),
            Route("GET", f"{one}GetFiles", self.get_files, SCOPE),
            Route("GET", f"{one}GetDirectories", self.get_directories, SCOPE),
            Route("GET", f"{one}GetFile", self.get_file, SCOPE),
            Route("GET", f"{one}GetReadUri", self.read_uri, SCOPE),
            Route("GET", f"{one}GetWriteUri", self.write_uri, SCOPE),
            Route("DELETE", f"{one}DeleteFile", self.delete, SCOPE),
            Route("GET", f"{THROUGH}/{{place:.+}}", self.transfer, SCOPE, Scoped.NEVER),
            Route("PUT", f"{THROUGH}/{{place:.+}}", self.transfer, SCOPE, Scoped.NEVER),
        ]

    async def list_files(self, call: Call) -> web.Response:
        """In camelCase, page by page. `takeHint` is a hint: there may be twice as many in the answer."""
        bucket, query = self._bucket(call), call.request.query
        take = _number(call, "takeHint", DEFAULT_TAKE, MOST_TAKE)
        minutes = _minutes(call) if "expiryInMinutes" in query else None
        prefix, last = query.get("prefix", "").lstrip("/"), _last_path(query.get("continuationToken", ""))
        files = self._files(bucket)
        found = [path for path in files if path.startswith(prefix) and path > last]
        page = found[: take * 2 if self._world.switch("uipath.take_hint_doubled", False) else take]
        items = [
            {
                "fullPath": self._full(path),
                "contentType": files[path]["ContentType"],
                "size": files[path]["Size"],
                "lastModified": files[path]["LastModified"],
                "accessInfo": minutes and self._access(call, bucket, path, "GET", minutes),
            }
            for path in page
        ]
        token = _token(page[-1]) if len(page) < len(found) else None
        return web.json_response({"items": items, "continuationToken": token})

    async def get_files(self, call: Call) -> web.Response:
        directory, deep = _directory(call), call.request.query.get("recursive", "false").lower() == "true"
        found = [
            self._file(path, row)
            for path, row in self._files(self._bucket(call)).items()
            if path.startswith(directory) and (deep or "/" not in path.removeprefix(directory))
        ]
        return _page(call, found)

    async def get_directories(self, call: Call) -> web.Response:
        directory = _directory(call)
        below = [path.removeprefix(directory) for path in self._files(self._bucket(call)) if path.startswith(directory)]
        names = dict.fromkeys(rest.partition("/")[0] for rest in below if "/" in rest)
        unknown = {"ContentType": None, "Size": None, "IsDirectory": True, "Id": None}
        return _page(call, [{"FullPath": self._full(directory + name), **unknown} for name in names])

    async def get_file(self, call: Call) -> web.Response:
        path = self._path(call)
        row = self._files(self._bucket(call)).get(path)
        if row is None:
            raise not_found("The file")
        return web.json_response(self._file(path, row))

    async def read_uri(self, call: Call) -> web.Response:
        """Whether there is such a file shows when one reads it, unless the server looks first (a guess)."""
        bucket, path = self._bucket(call), self._path(call)
        if self._world.switch("uipath.read_uri_looks", False) and path not in self._files(bucket):
            raise not_found("The file")
        return self._answer_access(call, bucket, path, "GET")

    async def write_uri(self, call: Call) -> web.Response:
        """A GET: a token that only reads may ask for it."""
        return self._answer_access(call, self._writable(call), self._path(call), "PUT")

    async def delete(self, call: Call) -> web.Response:
        """Nobody hears whether there was such a file."""
        self._storage.delete(place(self._writable(call)) + self._path(call))
        return web.Response(status=204)

    async def transfer(self, call: Call) -> web.Response:
        """Content of a bucket whose data goes through Orchestrator."""
        return await self._storage.transfer(call.request, own=True)

    def _answer_access(self, call: Call, bucket: Row, path: str, verb: str) -> web.Response:
        return web.json_response(self._access(call, bucket, path, verb, _minutes(call)))

    def _access(self, call: Call, bucket: Row, path: str, verb: str, minutes: int) -> Row:
        """docs: uipath.md 3.13: Orchestrator stands between if the bucket says so, or lies in a file system"""
        own = (
            self._world.switch("uipath.bucket_requires_auth", False)
            or bucket["Options"] == "AccessDataThroughOrchestrator"
            or bucket["StorageProvider"] == "FileSystem"
        )
        through = _base(call.request) + THROUGH if own else None
        return self._storage.access(place(bucket) + path, verb, minutes=minutes, through=through)

    def _bucket(self, call: Call) -> Row:
        return self._buckets.in_folder(call.folder, call.id)

    def _writable(self, call: Call) -> Row:
        bucket = self._bucket(call)
        if bucket["Options"] == "ReadOnly":
            raise wrong_state("The bucket is read only.")
        return bucket

    def _files(self, bucket: Row) -> dict[str, Row]:
        return self._storage.find(place(bucket))

    def _file(self, path: str, row: Row) -> Row:
        full = self._full(path)
        return {
            "FullPath": full,
            "ContentType": row["ContentType"],
            "Size": row["Size"],
            "IsDirectory": False,
            "Id": full,
        }

    def _full(self, path: str) -> str:
        """A path as lists show it: the vendor's SDK finds files only where it begins with a slash."""
        return f"/{path}" if self._world.switch("uipath.bucket_paths_rooted", True) else path

    def _path(self, call: Call) -> str:
        """The path that a request names, as the server understands it. Raises a 400 where nothing is left of it."""
        given = call.request.query.get("path", "")
        path = given if self._world.switch("uipath.bucket_names_intact", False) else _misread(given)
        if not path.strip("/"):
            raise invalid_argument("path", "It is required.")
        return path.lstrip("/")


def _misread(path: str) -> str:
    """The path once more taken for a part of a query, so that only one encoded twice survives. docs: uipath.md 3.13"""
    return unquote_plus(re.sub(r"%(?![0-9A-Fa-f]{2})", "", re.split(r"[&?]", path)[0]))


def _base(request: web.Request) -> str:
    """The base address at which the request came in."""
    return str(request.url.origin()) + re.split(r"/(?:odata|api)/", request.path, maxsplit=1)[0]


def _directory(call: Call) -> str:
    """The directory that a request asks about, with a slash at its end; empty for the root."""
    given = call.request.query.get("directory", "").strip("/")
    return f"{given}/" if given else ""


def _page(call: Call, rows: Iterable[Row]) -> web.Response:
    query = read_query(call.request.query.items(), BLOB_FILE)
    glob = call.request.query.get("fileNameGlob", "*")
    matching = [row for row in rows if fnmatchcase(row["FullPath"].rpartition("/")[2], glob)]
    return web.json_response(query.answer(query.run(matching)))


def _minutes(call: Call) -> int:
    return _number(call, "expiryInMinutes", DEFAULT_MINUTES, MOST_MINUTES)


def _number(call: Call, name: str, default: int, most: int) -> int:
    """A number from 1 to `most` in the query."""
    given = number_parameter(call.request.query, name)
    if given is not None and not 1 <= given <= most:
        raise invalid_argument(name, f"It must be from 1 to {most}.")
    return default if given is None else given


def _token(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).decode()


def _last_path(token: str) -> str:
    """The path after which the next page begins; empty for the first."""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid_argument("continuationToken", "It is none that the server gave.") from None
