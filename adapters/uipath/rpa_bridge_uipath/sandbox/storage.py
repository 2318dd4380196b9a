"""The storage server: content behind pre-signed addresses, on a port of its own. docs: uipath.md 3.13; 7, 17"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .entities import Row
from .errors import RefusalError, refusal
from .state import State
from .times import to_wire

BLOB_TYPE = "x-ms-blob-type"
DEFAULT_MINUTES = 15
"""How long an address is good that names no time. docs: uipath.md 3.13"""
BINARY = "application/octet-stream"


class StorageRefusalError(RefusalError):
    """A transfer that is refused: in XML by the storage, in Orchestrator's shape where that stands between."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, refusal(status, 0, message).body)
        self._code, self._message = code, message

    def as_xml(self) -> web.Response:
        """The answer of the storage server."""
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self._code}</Code><Message>{escape(self._message)}</Message></Error>"
        )
        return web.Response(status=self.status, text=text, content_type="application/xml")


class Storage:
    """All files' content by place, such as "buckets/401/2026/october.txt", and the addresses that lead there.

    An address is good for one place and one verb, until the sandbox's clock says otherwise. `origin` tells where
    the server listens.
    """

    def __init__(self, world: World, state: State, origin: Callable[[], str]) -> None:
        self._world, self._state, self._origin = world, state, origin

    def routes(self) -> list[web.RouteDef]:
        """Whatever is asked of the server."""
        return [web.route("*", "/{place:.*}", self._answer)]

    def write(self, place: str, content: bytes, content_type: str = BINARY) -> None:
        """Puts content at the place; what was there is gone."""
        self._blobs[place] = {
            "Content": base64.b64encode(content).decode(),
            "ContentType": content_type,
            "Size": len(content),
            "LastModified": self._state.now(),
        }

    def read(self, place: str) -> bytes | None:
        """The content; None where there is none."""
        found = self._blobs.get(place)
        return None if found is None else base64.b64decode(found["Content"])

    def find(self, folder: str) -> dict[str, Row]:
        """What is known of the content below a place, by the rest of its place, in its order."""
        return {
            place.removeprefix(folder): row for place, row in sorted(self._blobs.items()) if place.startswith(folder)
        }

    def delete(self, place: str) -> None:
        """Forgets the content, if there is any."""
        self._blobs.pop(place, None)

    def access(self, place: str, verb: str, *, minutes: int = DEFAULT_MINUTES, through: str | None = None) -> Row:
        """An address as BlobFileAccessDto, its headers as two parallel arrays.

        With `through` it lies below that address of Orchestrator, which wants a token.
        """
        signature = self._world.new_token("signature")
        expires = to_wire(self._world.clock.now() + timedelta(minutes=minutes))
        self._forget_expired()
        own = through is not None
        self._addresses[signature] = {"Place": place, "Verb": verb, "Expires": expires, "RequiresAuth": own}
        headers = {BLOB_TYPE: "BlockBlob"} if verb == "PUT" and self._is_azure and not own else {}
        query = urlencode({"se": expires, "sp": "w" if verb == "PUT" else "r", "sig": signature})
        return {
            "Uri": f"{self._origin() if through is None else through}/{quote(place)}?{query}",
            "Verb": verb,
            "RequiresAuth": own,
            "Headers": {"Keys": list(headers), "Values": list(headers.values())},
        }

    async def transfer(self, request: web.Request, *, own: bool) -> web.Response:
        """Gives or takes content. `own`: Orchestrator stands between. Raises StorageRefusalError."""
        place = self._admitted(request, own=own)
        if request.method == "PUT":
            return await self._take(request, place, own=own)
        content = self.read(place)
        if content is None:
            raise StorageRefusalError(404, "BlobNotFound", "The specified blob does not exist.")
        return web.Response(body=content, content_type=self._blobs[place]["ContentType"])

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            if "Authorization" in request.headers:
                raise StorageRefusalError(
                    400, "InvalidAuthenticationInfo", "A signed address and an Authorization header do not go together."
                )
            return await self.transfer(request, own=False)
        except StorageRefusalError as refused:
            return refused.as_xml()

    def _admitted(self, request: web.Request, *, own: bool) -> str:
        """The place that the address is good for. docs: uipath.md 2.7: its 403 has nothing to do with tokens"""
        known = self._addresses.get(request.query.get("sig", ""))
        place = request.match_info["place"]
        if known is None or (known["Place"], known["RequiresAuth"]) != (place, own):
            raise StorageRefusalError(403, "AuthenticationFailed", "Signature did not match.")
        if request.query.get("se") != known["Expires"] or known["Expires"] <= self._state.now():
            raise StorageRefusalError(403, "AuthenticationFailed", "Signature not valid in the specified time frame.")
        if request.method != known["Verb"]:
            raise StorageRefusalError(403, "AuthorizationPermissionMismatch", "The address is good for another verb.")
        return place

    async def _take(self, request: web.Request, place: str, *, own: bool) -> web.Response:
        """docs: uipath.md 3.13, transfer: what breaks off halfway is not kept, as reading it then fails"""
        azure = self._is_azure and not own
        if request.content_length is None or "Transfer-Encoding" in request.headers:
            raise StorageRefusalError(411, "MissingContentLengthHeader", "Content-Length is required.")
        if azure and request.headers.get(BLOB_TYPE) != "BlockBlob":
            raise StorageRefusalError(400, "MissingRequiredHeader", f"{BLOB_TYPE}: BlockBlob is required.")
        self.write(place, await request.read(), request.content_type)
        return web.Response(status=201 if azure else 200)

    @property
    def _is_azure(self) -> bool:
        return bool(self._world.switch("uipath.storage_status", "azure") == "azure")

    @property
    def _blobs(self) -> dict[str, Row]:
        return self._state.table("blobs")

    @property
    def _addresses(self) -> dict[str, Row]:
        return self._state.table("addresses")

    def _forget_expired(self) -> None:
        now = self._state.now()
        for signature in [one for one, known in self._addresses.items() if known["Expires"] <= now]:
            del self._addresses[signature]
