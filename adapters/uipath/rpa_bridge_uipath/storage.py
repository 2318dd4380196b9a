"""Content of files: on servers that Orchestrator names by pre-signed addresses. docs: uipath.md 3.8 and 3.13"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from fnmatch import fnmatchcase
from urllib.parse import urlsplit
from uuid import UUID

from rpa_bridge.errors import ProtocolError
from rpa_bridge.transport.addresses import names_user, origin
from rpa_bridge.transport.base import Effect, Request, opened
from rpa_bridge.transport.content import Content

from .client import Client
from .wire.artifacts import AttachmentDto, BlobFileAccess, BlobHeaders

KNOWN_STORAGE = ("*.blob.core.windows.net", "*.amazonaws.com", "storage.googleapis.com")
"""Where Orchestrator keeps files in a cloud. docs: reliability paper 4 "vendor-supplied URLs" """
_CREDENTIALS = {"authorization", "cookie", "proxy-authorization", "token"}
_OF_THE_CONNECTION = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
}
_OURS = _CREDENTIALS | _OF_THE_CONNECTION | {"upgrade"}
"""Headers that an answer of the platform may not set for us."""


async def put(client: Client, access: BlobFileAccess, content: Content, operation: str) -> None:
    """Writes the content; the storage keeps it whole or not at all, and writing it again leads to the same end."""
    await client.transport.send(_request(client, access, operation, content))


def get(client: Client, access: BlobFileAccess, operation: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    """The content in pieces, for the length of a block. Raises NotFoundError on entry."""
    return opened(client.transport, _request(client, access, operation, None))


async def attachment(client: Client, key: UUID, operation: str) -> AttachmentDto:
    """The attachment, with the address of its content. Raises NotFoundError."""
    return await client.read(AttachmentDto, attachment_path(key), operation=operation)


async def attachment_access(client: Client, key: UUID, operation: str) -> BlobFileAccess:
    """Where the attachment's content can be read. Raises NotFoundError."""
    return _access_of(await attachment(client, key, operation), operation)


async def create_attachment(client: Client, name: str, content: Content, operation: str) -> AttachmentDto:
    """A new attachment with this content, which no job knows yet.

    Asked for again after a lost answer: one that nobody links is seen by nobody.
    """
    path, body = "/odata/Attachments", {"Name": name}
    made = AttachmentDto.of(
        await client.call("POST", path, effect=Effect.SET, operation=operation, json=body), operation
    )
    await put(client, _access_of(made, operation), content, operation)
    return made


async def read_attachment(client: Client, key: UUID, operation: str, *, longest: int) -> bytes:
    """A small attachment whole. Raises ProtocolError beyond `longest` bytes."""
    found = bytearray()
    async with get(client, await attachment_access(client, key, operation), operation) as pieces:
        async for piece in pieces:
            found += piece
            if len(found) > longest:
                raise ProtocolError(
                    f"{operation}: attachment {key} is larger than {longest} bytes; "
                    f"open it with artifacts.open('attachment:{key}')",
                    operation=operation,
                )
    return bytes(found)


def attachment_path(key: UUID) -> str:
    """The path of one attachment: its key stands bare."""
    return f"/odata/Attachments({key})"


def _access_of(made: AttachmentDto, operation: str) -> BlobFileAccess:
    if made.BlobFileAccess_ is None:
        raise ProtocolError(
            f"{operation}: the platform names no place for {made.Name!r}'s content", operation=operation
        )
    return made.BlobFileAccess_


def _request(client: Client, access: BlobFileAccess, operation: str, content: Content | None) -> Request:
    """Our token goes along only where the platform asks for it, and then only to our own server."""
    told, address = access.Headers or BlobHeaders(), access.Uri.get_secret_value()
    return Request(
        access.Verb or ("GET" if content is None else "PUT"),
        address,
        effect=Effect.READ if content is None else Effect.SET,
        operation=operation,
        headers={name: value for name, value in zip(told.Keys, told.Values, strict=False) if name.lower() not in _OURS},
        content=content,
        signed=bool(access.RequiresAuth),
        foreign=_is_foreign(address, client.own_storage, operation),
    )


def _is_foreign(address: str, own: Iterable[str], operation: str) -> bool:
    """Whether it is a known cloud's, and not the settings' own.

    Raises ProtocolError for one that names no server, or a user, or that files should not go to.
    """
    if not origin(address) or names_user(address):
        raise ProtocolError(f"{operation}: the platform gave no address that a file can be moved by; tell its operator")
    host = urlsplit(address).hostname or ""
    if _is_one_of(host, own):
        return False
    if _is_one_of(host, KNOWN_STORAGE):
        return True
    raise ProtocolError(
        f"{operation}: the platform keeps the file on {host!r}, which is not known; "
        f"if it is your own storage, add it to storage_hosts in the settings",
        operation=operation,
    )


def _is_one_of(host: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(host, pattern.lower()) for pattern in patterns)
