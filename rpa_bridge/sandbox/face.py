"""A vendor's face: routes that answer as that vendor's server does, written from the published facts.

A face never imports its adapter's wire models: it is a second witness, not a mirror. It lives in the adapter's
`sandbox/` and is found through the entry-point group `rpa_bridge.sandboxes`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from aiohttp import web

from .world import World


class Face(ABC):
    """One vendor on the stage, on a port of its own. Its state is born with some content to play with."""

    name: ClassVar[str]
    """The name of its entry point, such as "uipath"."""
    title: ClassVar[str]
    private_paths: ClassVar[tuple[str, ...]] = (
        "*login*",
        "*token*",
        "*authenticate*",
        "*beginsession*",
        "*credential*",
    )
    """Lower-case shell patterns of paths whose request bodies hold credentials, which the list of requests masks."""
    private_values: ClassVar[re.Pattern[str]] = re.compile(r"(?i)(?<=[?&]sig=)[^&]+")
    """What of an encoded path or its query is a credential, which the list of requests masks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.side_origin = ""
        """Where the side routes can be reached while the sandbox runs, such as "http://127.0.0.1:8003"."""

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """What it answers; handlers raise or return aiohttp responses in the vendor's shapes."""

    def side_routes(self) -> list[web.RouteDef]:
        """What a second server of the vendor, such as its file storage, answers on a port of its own."""
        return []

    def control_routes(self, origin: str) -> list[web.RouteDef]:  # noqa: ARG002 - for faces that have some
        """What the sandbox's control answers below `/_sandbox/NAME`; `origin` is where the face listens.

        Handlers take and give JSON; a ValueError that they raise is answered 400 with its sentence.
        """
        return []

    @abstractmethod
    def connections(self, origin: str) -> dict[str, dict[str, Any]]:
        """Settings of connections to this face, by name; `origin` is "http://127.0.0.1:PORT"."""

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """The whole state as JSON can hold it, for --state FILE."""

    @abstractmethod
    def load(self, state: dict[str, Any]) -> None:
        """Takes over what `dump` gave."""

    def not_found(self, request: web.Request) -> web.StreamResponse:
        """The vendor's answer to a path it does not know."""
        return web.Response(status=404, text=f"no route for {request.method} {request.path}")
