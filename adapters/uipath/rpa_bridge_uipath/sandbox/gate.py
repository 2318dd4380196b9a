"""What stands before every route: who asks, whether they may, and in which folder. docs: uipath.md 1.3, 2.7"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from aiohttp import web
from aiohttp.typedefs import Handler

from rpa_bridge.sandbox.world import World

from .editions import is_api, portal_page
from .entities import Row
from .errors import RefusalError, folder_required, unknown_folder, unknown_path
from .state import State
from .tokens import Tokens

API_VERSION = "20.0"


class Scoped(Enum):
    """Whether a route wants a folder."""

    NEVER = "never"
    IF_GIVEN = "if given"
    ALWAYS = "always"


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    request: web.Request
    folder: Row = field(default_factory=dict)
    """Empty where none was asked for."""
    token: Row = field(default_factory=dict)
    """The caller's; empty where nobody needs to log in."""

    @property
    def id(self) -> int:
        """The number in the path's parentheses."""
        return int(self.request.match_info["id"])


@dataclass(frozen=True)
class Route:
    """One operation, below the base address."""

    method: str
    path: str
    answer: Callable[[Call], Awaitable[web.Response]]
    scope: str | None
    """The scope family it needs; None lets everybody in."""
    folder: Scoped = Scoped.ALWAYS
    exists: Callable[[World], bool] = lambda _: True
    """Whether this server has it, where not all have."""


class Gate:
    """Turns routes into handlers."""

    def __init__(self, world: World, state: State, tokens: Tokens) -> None:
        self._world, self._state, self._tokens = world, state, tokens

    def handler(self, route: Route) -> Handler:
        """The route's answer, or the refusal, in the vendor's shape."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if not is_api(request.path, self._world):
                return portal_page()
            try:
                if not route.exists(self._world):
                    raise unknown_path(request.method, request.path)
                token = {} if route.scope is None else self._tokens.check(request, route.scope)
                response = await route.answer(Call(request, self._folder(request, route.folder), token))
            except RefusalError as refusal:
                response = refusal.response()
            response.headers["api-supported-versions"] = API_VERSION
            return response

        return handle

    def _folder(self, request: web.Request, scoped: Scoped) -> Row:
        if scoped is Scoped.NEVER:
            return {}
        names = self._names(request)
        encoded = names.pop(_ENCODED, None)
        if encoded is not None:
            path = _decoded(encoded)
            if path.startswith(_RELATIVE):
                path = _absolute(path, self._find(names)["FullyQualifiedName"])
                names = {}
            names["FullyQualifiedName"] = path  # the vendor's SDK sends its environment's plain path beside it
        if not names and scoped is not Scoped.ALWAYS:
            return {}
        return self._find(names)

    def _names(self, request: web.Request) -> dict[str, str]:
        """The headers that name a folder, by what they name of it; servers with organisation units know one only."""
        known = _OLD_HEADERS if is_classic(self._world) else _HEADERS
        found = {
            member: value
            for header, member in known.items()
            if (value := request.headers.get(f"X-UIPATH-{header}")) is not None
        }
        if not found.get("FullyQualifiedName", "").isascii():  # docs: uipath.md 7, 11: it breaks on other letters
            found["FullyQualifiedName"] = ""
        return found

    def _find(self, names: dict[str, str]) -> Row:
        """The folder that has all these names. Raises a 400."""
        if not names:
            raise folder_required()
        for row in self._state.folders.values():
            if all(str(row[member]).casefold() == name.casefold() for member, name in names.items()):
                return row
        raise unknown_folder()


def is_classic(world: World) -> bool:
    """Whether this is an older server, with organisation units instead of folders. docs: uipath.md 3.2"""
    return bool(world.switch("uipath.classic", False))


_ENCODED = "FullyQualifiedName, encoded"
_OLD_HEADERS = {"OrganizationUnitId": "Id"}
_HEADERS = _OLD_HEADERS | {
    "FolderKey": "Key",
    "FolderPath": "FullyQualifiedName",
    "FolderPath-Encoded": _ENCODED,
}
_RELATIVE = ("/", ".")


def _absolute(path: str, ambient: str) -> str:
    """Where a relative path leads from the folder that the other headers name. docs: uipath.md 1.3

    What leads nowhere, as one with a slash at its end, comes out as a path that no folder has.
    """
    here, steps = ambient.split("/"), path.split("/")
    if path.startswith("/"):  # the root of the ambient folder's tree
        here, steps = here[:1], steps[1:] if path != "/" else []
    for step in steps:
        if step == "..":
            here = here[:-1]
        elif step != ".":
            here = [*here, step]
    return "/".join(here)


def _decoded(text: str) -> str:
    """Base64 of UTF-16LE; anything else names no folder. docs: uipath.md 1.3"""
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (binascii.Error, ValueError):
        return ""
