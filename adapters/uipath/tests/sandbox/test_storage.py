"""The storage server: what its pre-signed addresses let in, and what they do not."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientPayloadError, ClientSession

from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox


async def _access(wire: Any, verb: str, path: str = "in/a.txt", **query: str) -> Any:
    """An address for a file of the bucket Invoices."""
    buckets = (await wire.ask("GET", "/odata/Buckets", query={"$filter": "Name eq 'Invoices'"}, status=200)).values
    way = {"GET": "GetReadUri", "PUT": "GetWriteUri"}[verb]
    address = f"/odata/Buckets({buckets[0]['Id']})/UiPath.Server.Configuration.OData.{way}"
    return (await wire.ask("GET", address, query={"path": path} | query, status=200)).body


def _code(answer: Any) -> str:
    assert answer.headers["Content-Type"].startswith("application/xml")
    return str(answer.body.decode().partition("<Code>")[2].partition("</Code>")[0])


@pytest.mark.parametrize("content", [b"", b"\x00\xff\r\n", bytes(3_000_000)], ids=["empty", "binary", "large"])
async def test_content_comes_back_as_it_was_sent_from_another_port(wire: Any, content: bytes) -> None:
    writing = await _access(wire, "PUT", "größe/ä 1.txt")
    assert writing["RequiresAuth"] is False
    assert urlsplit(writing["Uri"]).netloc != urlsplit(wire.origin).netloc
    assert (await wire.transfer(writing, content, headers={"Content-Type": "text/csv"})).status == 201
    answer = await wire.transfer(await _access(wire, "GET", "größe/ä 1.txt"), status=200)
    assert (answer.body, answer.headers["Content-Type"]) == (content, "text/csv")
    assert answer.headers["Content-Length"] == str(len(content))


async def test_a_second_put_replaces_the_first_and_one_address_is_good_for_both(wire: Any) -> None:
    writing = await _access(wire, "PUT")
    for content in (b"one", b"two"):
        await wire.transfer(writing, content, status=201)
    assert (await wire.transfer(await _access(wire, "GET"))).body == b"two"


async def test_a_token_is_refused_however_good_the_address_is(wire: Any) -> None:
    writing = await _access(wire, "PUT")
    answer = await wire.transfer(writing, b"x", headers={"Authorization": wire.headers["Authorization"]}, status=400)
    assert _code(answer) == "InvalidAuthenticationInfo"
    nowhere = {**writing, "Uri": f"{wire.sandbox.faces['uipath'].side_origin}/"}
    await wire.transfer(nowhere, b"x", headers={"Authorization": "Basic eA=="}, status=400)
    await wire.transfer(await _access(wire, "GET"), status=404)


async def test_an_address_runs_out_by_the_sandboxs_clock(wire: Any) -> None:
    wire.world.clock.freeze()
    short, usual = await _access(wire, "PUT", expiryInMinutes="1"), await _access(wire, "PUT")
    wire.world.clock.advance(60)
    assert _code(await wire.transfer(short, b"x", status=403)) == "AuthenticationFailed"
    await wire.transfer(usual, b"x", status=201)
    wire.world.clock.advance(14 * 60)
    await wire.transfer(usual, b"x", status=403)


async def test_an_address_is_good_for_one_file_one_verb_and_as_it_was_given(wire: Any) -> None:
    writing = await _access(wire, "PUT")
    await wire.transfer(writing, b"mine", status=201)
    reading = await _access(wire, "GET")
    wrong = [
        {**writing, "Verb": "GET"},
        {**writing, "Verb": "DELETE"},
        {**reading, "Verb": "PUT"},
        {**writing, "Uri": writing["Uri"].replace("a.txt", "b.txt")},
        {**writing, "Uri": writing["Uri"].replace("sig=", "sig=x")},
        {**writing, "Uri": writing["Uri"].replace("se=2", "se=3")},
        {**writing, "Uri": writing["Uri"].partition("?")[0]},
    ]
    for access in wrong:
        assert (await wire.transfer(access, b"theirs")).status == 403, access
    assert (await wire.transfer(reading, status=200)).body == b"mine"


async def test_what_was_never_written_is_not_there(wire: Any) -> None:
    assert _code(await wire.transfer(await _access(wire, "GET"), status=404)) == "BlobNotFound"


async def test_azures_header_is_wanted_and_s3_knows_none(wire: Any) -> None:
    writing = await _access(wire, "PUT")
    assert writing["Headers"] == {"Keys": ["x-ms-blob-type"], "Values": ["BlockBlob"]}
    bare = {**writing, "Headers": {"Keys": [], "Values": []}}
    assert _code(await wire.transfer(bare, b"x", status=400)) == "MissingRequiredHeader"
    await wire.transfer(bare, b"x", headers={"x-ms-blob-type": "PageBlob"}, status=400)
    wire.world.switches["uipath.storage_status"] = "s3"
    writing = await _access(wire, "PUT")
    assert writing["Headers"] == {"Keys": [], "Values": []}
    await wire.transfer(writing, b"x", status=200)


async def _pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain"])
async def test_content_without_a_length_is_refused_and_not_kept(wire: Any, content_type: str) -> None:
    answer = await wire.transfer(
        await _access(wire, "PUT"), _pieces(), headers={"Content-Type": content_type}, status=411
    )
    assert _code(answer) == "MissingContentLengthHeader"
    await wire.transfer(await _access(wire, "GET"), status=404)


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain"])
async def test_content_that_breaks_off_is_not_kept_nor_harms_what_was_there(
    wire: Any, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    writing = await _access(wire, "PUT")
    await wire.transfer(writing, b"whole", status=201)
    address = urlsplit(writing["Uri"])
    head = (
        f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 10\r\n"
        f"Content-Type: {content_type}\r\nx-ms-blob-type: BlockBlob\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head.encode() + b"short")
    await writer.drain()
    linger = struct.pack("ii", 1, 0)  # the connection is reset, as by a crash
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()
    await wire.ask("GET", "/odata/Buckets", status=200)
    assert (await wire.transfer(await _access(wire, "GET"), status=200)).body == b"whole"
    assert not caplog.records


async def test_files_and_addresses_outlive_a_restart_and_not_a_reset(wire: Any, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    async with ClientSession() as session:
        async with Sandbox(["uipath"], state_file=file) as first:
            before = type(wire)(session, first)
            before.headers["Authorization"] = f"Bearer {(await before.log_in()).body['access_token']}"
            await before.transfer(await _access(before, "PUT"), b"\x00\xff", status=201)
            reading = await _access(before, "GET")
            old_origin = first.faces["uipath"].side_origin
        async with Sandbox(["uipath"], state_file=file) as second:
            after = type(wire)(session, second)
            moved = reading["Uri"].replace(old_origin, second.faces["uipath"].side_origin)
            assert (await after.transfer({**reading, "Uri": moved}, status=200)).body == b"\x00\xff"
            second.reset()
            await after.transfer({**reading, "Uri": moved}, status=403)


async def test_half_of_the_content_can_be_ordered(wire: Any) -> None:
    await wire.transfer(await _access(wire, "PUT"), b"0123456789", status=201)
    wire.sandbox.faults.add(Fault(FaultKind.TRUNCATE, match="GET /buckets/*", when=When.AFTER))
    with pytest.raises(ClientPayloadError):
        await wire.transfer(await _access(wire, "GET"))
