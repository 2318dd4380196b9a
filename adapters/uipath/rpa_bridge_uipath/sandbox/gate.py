"""What stands before every route: who asks, whether they may, and in which folder. docs: uipath.md 1.3, 2.7"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

from aiohttp import web
from aiohttp.typedefs import Handler

from .entities import Row
from .errors import RefusalError, folder_required, unknown_folder
from .identity import Identity
from .state import State

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


class Gate:
    """Turns routes into handlers."""

    def __init__(self, state: State, identity: Identity) -> None:
        self._state, self._identity = state, identity

    def handler(self, route: Route) -> Handler:
        """The route's answer, or the refusal, in the vendor's shape."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                if route.scope is not None:
                    self._identity.check(request, route.scope)
                response = await route.answer(Call(request, self._folder(request, route.folder)))
            except RefusalError as refusal:
                response = refusal.response()
            response.headers["api-supported-versions"] = API_VERSION
            return response

        return handle

    def _folder(self, request: web.Request, scoped: Scoped) -> Row:
        if scoped is Scoped.NEVER:
            return {}
        named = {
            member: value
            for header, member in _HEADERS.items()
            if (value := request.headers.get(f"X-UIPATH-{header}")) is not None
        }
        if _ENCODED in named:  # the vendor's SDK sends both when a call names another folder than its environment
            named.pop("FullyQualifiedName", None)
        if not named:
            if scoped is Scoped.ALWAYS:
                raise folder_required()
            return {}
        found = [
            row for row in self._state.folders.values() if all(_same(row, key, text) for key, text in named.items())
        ]
        if not found:
            raise unknown_folder()
        return found[0]


_ENCODED = "FullyQualifiedName, encoded"
_HEADERS = {
    "OrganizationUnitId": "Id",
    "FolderKey": "Key",
    "FolderPath": "FullyQualifiedName",
    "FolderPath-Encoded": _ENCODED,
}


def _same(row: Row, member: str, text: str) -> bool:
    if member == _ENCODED:
        member, text = "FullyQualifiedName", _decoded(text)
    elif not text.isascii():  # docs: uipath.md 7, 11: the plain header breaks on other letters
        return False
    return str(row[member]).casefold() == text.casefold()


def _decoded(text: str) -> str:
    """Base64 of UTF-16LE; anything else names no folder. docs: uipath.md 1.3"""
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (binascii.Error, ValueError):
        return ""
