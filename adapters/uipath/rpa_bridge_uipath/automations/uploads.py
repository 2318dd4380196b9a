"""Uploading a package: the platform refuses a version that it has, so that sending it again is safe.

docs: uipath.md 3.6 and 5.5
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from html import unescape
from tempfile import SpooledTemporaryFile
from zipfile import BadZipFile, ZipFile

from rpa_bridge.clock import Clock
from rpa_bridge.contract.automations import Package
from rpa_bridge.errors import ConflictError, Delivery, ProtocolError, RemoteError
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.classify import Classify
from rpa_bridge.transport.content import Content, form_with_file
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import Client
from rpa_bridge_uipath.errors import explain
from rpa_bridge_uipath.mapping import automations as mapping
from rpa_bridge_uipath.wire.automations import ProcessDto, UploadedDto
from rpa_bridge_uipath.wire.lists import Page

IN_MEMORY = 1024 * 1024
"""Bytes of a package that are kept in memory while its manifest is looked for."""
LARGEST_MANIFEST = 1024 * 1024
_MANIFEST_MEMBER = r"<{0}>\s*([^<]*?)\s*</{0}>"


async def upload(client: Client, content: Content, clock: Clock, operation: str) -> Package:
    """The package, once the platform holds it. Raises ConflictError when the version was there before."""
    may_be = "the package may be there: upload it again, a version that is there is refused"
    with client.effects.blindly(operation, may_be):
        if isinstance(content.pieces, AsyncIterator):
            return await _send(client, content, clock, Effect.BLIND, operation)
        return await _send_until_there(client, content, clock, operation)


async def _send_until_there(client: Client, content: Content, clock: Clock, operation: str) -> Package:
    try:  # not yet as a request that may be repeated: only after a lost answer may a version that is there be ours
        return await _send(client, content, clock, Effect.FINDABLE, operation)
    except RemoteError as error:
        if error.delivery is not Delivery.MAYBE:
            raise
    try:
        return await _send(client, content, clock, Effect.KEYED, operation)
    except ConflictError:
        package = await _manifest(content, operation)
        if package is None:
            raise
        return package


async def _send(client: Client, content: Content, clock: Clock, effect: Effect, operation: str) -> Package:
    path = f"/odata/Processes/{odata.ACTION}UploadPackage"
    form = form_with_file("file", "package.nupkg", content, client.new_id(), operation)
    answer = await client.call("POST", path, effect=effect, operation=operation, content=form)
    files = UploadedDto.many(Page.of(answer, operation).value, operation)
    package = None
    if len(files) == 1:
        _raise_refusal(files[0], Request("POST", path, effect=effect, operation=operation), client, clock)
        package = mapping.uploaded(files[0])
    if package is None:
        raise ProtocolError(f"{operation}: the answer does not name the package that was uploaded", operation=operation)
    return package


def _raise_refusal(file: UploadedDto, request: Request, client: Client, clock: Clock) -> None:
    """Raises what an answer of the file's own status and body would be."""
    status = mapping.uploaded_status(file)
    if status is None:
        raise ProtocolError(f"{request.operation}: the status of the upload is not known", operation=request.operation)
    inner = Response(status, {"content-type": "application/json"}, (file.Body or "").encode())
    refused = Classify(client.transport, explain, clock).error_of(request, inner)
    if refused is not None:
        raise refused


async def _manifest(content: Content, operation: str) -> Package | None:
    """The package as its own file names it; None where it does not."""
    with SpooledTemporaryFile(IN_MEMORY) as file:
        async for piece in content.read(operation, lambda: None):
            file.write(piece)
        with suppress(BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError), ZipFile(file) as package:
            for member in package.infolist():
                if member.filename.endswith(".nuspec") and member.file_size <= LARGEST_MANIFEST:
                    return _named(package.read(member).decode("utf-8-sig", "replace"))
    return None


def _named(manifest: str) -> Package | None:
    found = [re.search(_MANIFEST_MEMBER.format(name), manifest) for name in ("id", "version")]
    name, version = (unescape(one[1]) if one else "" for one in found)
    return mapping.package(ProcessDto(Id=name, Version=version)) if name and version else None
