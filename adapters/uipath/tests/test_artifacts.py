"""Files of buckets and attachments of jobs, over real HTTP: what storage gets, and what it must not get."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from rpa_bridge import Adapter, DeniedError, InvalidError, NotFoundError, ProtocolError, RemoteError, UnavailableError
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.content import Content
from rpa_bridge_uipath import storage
from rpa_bridge_uipath.settings import UiPathSettings
from rpa_bridge_uipath.wire.artifacts import BlobFileAccess

SETTINGS = {
    "url": "https://rpa.example.com",
    "auth": {"type": "client_credentials", "client_id": "me", "client_secret": "hush"},
}
Requests = Callable[[str], list[Exchange]]
PIECE = bytes(range(256)) * 256


class File:
    """Content that can be read again and again."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(8):
            yield PIECE


async def read(erp: Adapter, artifact_id: str) -> bytes:
    async with erp.artifacts.open(artifact_id) as pieces:
        return b"".join([piece async for piece in pieces])


async def names(erp: Adapter, **where: str) -> list[str]:
    return [one.name async for one in erp.artifacts.find(**where)]


async def test_storage_gets_the_file_and_never_a_token(erp: Adapter, sandbox: Sandbox, requests: Requests) -> None:
    made = await erp.artifacts.upload("2026/größer ☃.bin", File(), size=8 * len(PIECE), container="Invoices")

    assert await read(erp, made.id) == PIECE * 8
    side = [one for one in sandbox.world.exchanges if "odata" not in one.path and "api" not in one.path]
    moved = [one for one in side if one.method in ("PUT", "GET") and "token" not in one.path]
    assert [one.method for one in moved] == ["PUT", "GET"]
    assert all("authorization" not in one.headers for one in moved)
    assert all("x-uipath-folderpath" not in one.headers for one in moved)
    assert all("authorization" in one.headers for one in requests("GET *GetWriteUri*"))


async def test_files_are_found_by_bucket_and_in_all_buckets(erp: Adapter) -> None:
    await erp.artifacts.upload("a/b.txt", b"1", container="invoices")

    assert await names(erp, container="Invoices") == ["a/b.txt"]
    assert await names(erp, container="REPORTS") == ["2026/october.txt"]
    assert sorted(await names(erp)) == ["2026/october.txt", "a/b.txt"]
    with pytest.raises(NotFoundError, match="there is no bucket 'O'Brien'".replace("'O'Brien'", '"O\'Brien"')):
        await names(erp, container="O'Brien")


async def test_all_pages_of_a_bucket_are_read(erp: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpa_bridge_uipath.artifacts.FILES", 2)
    for number in range(5):
        await erp.artifacts.upload(f"{number}.txt", b"x", container="Invoices")

    assert await names(erp, container="Invoices") == [f"{number}.txt" for number in range(5)]


@pytest.mark.parametrize(
    "name", ["a&b.txt", "a+b.txt", "100%.txt", "what?.txt", "../up.txt", "a//b", "/a", "a/", "a\\b", ".", "a\nb", ""]
)
async def test_names_that_buckets_corrupt_are_refused_before_sending(erp: Adapter, sandbox: Sandbox, name: str) -> None:
    with pytest.raises(InvalidError):
        await erp.artifacts.upload(name, b"x", container="Reports")

    assert sandbox.world.exchanges == []


async def test_a_file_needs_one_place(erp: Adapter, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidError, match="one of container and job"):
        await erp.artifacts.upload("a.txt", b"x")
    with pytest.raises(InvalidError, match="one of container and job"):
        await erp.artifacts.upload("a.txt", b"x", container="Reports", job="1")
    assert sandbox.world.exchanges == []


async def test_an_upload_that_is_cut_is_sent_again_from_its_beginning(erp: Adapter, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(match="PUT /*", kind=FaultKind.CUT, when=When.BEFORE))

    made = await erp.artifacts.upload("a.bin", File(), size=8 * len(PIECE), container="Invoices")

    assert await read(erp, made.id) == PIECE * 8


async def test_a_stream_that_can_be_read_once_is_not_sent_again(erp: Adapter, sandbox: Sandbox) -> None:
    async def once() -> AsyncIterator[bytes]:
        yield b"abc"

    sandbox.faults.add(Fault(match="PUT /*", kind=FaultKind.CUT, when=When.BEFORE))

    with pytest.raises(UnavailableError):
        await erp.artifacts.upload("a.bin", once(), size=3, container="Invoices")
    assert await names(erp, container="Invoices") == []


async def test_content_that_ends_early_leaves_no_file(erp: Adapter) -> None:
    with pytest.raises(InvalidError, match="ended after"):
        await erp.artifacts.upload("a.bin", File(), size=9 * len(PIECE), container="Invoices")

    assert await names(erp, container="Invoices") == []


async def test_a_file_that_is_gone_is_not_found(erp: Adapter) -> None:
    (found,) = [one async for one in erp.artifacts.find(container="Reports")]
    await erp.artifacts.delete(found)

    for call in (erp.artifacts.delete(found), read(erp, found.id)):
        with pytest.raises(NotFoundError):
            await call


@pytest.mark.parametrize("wrong", ["", "1", "bucket:1", "bucket:x:a.txt", "attachment:1", "file:1:a"])
async def test_what_is_no_id_of_a_file_is_not_found_unasked(erp: Adapter, sandbox: Sandbox, wrong: str) -> None:
    with pytest.raises(NotFoundError, match=r"artifacts\.find gives ids"):
        await read(erp, wrong)
    assert sandbox.world.exchanges == []


async def test_storage_that_refuses_does_not_cost_the_token(erp: Adapter, sandbox: Sandbox, requests: Requests) -> None:
    (found,) = [one async for one in erp.artifacts.find(container="Reports")]
    sandbox.faults.add(Fault(match="GET /*sig=*", kind=FaultKind.STATUS, status=403, body="<Error/>"))

    with pytest.raises(DeniedError, match="the storage refused the address"):
        await read(erp, found.id)

    assert await read(erp, found.id)
    assert len(requests("POST *connect/token*")) == 1


async def test_a_download_that_breaks_off_raises(erp: Adapter, sandbox: Sandbox) -> None:
    made = await erp.artifacts.upload("a.bin", PIECE, container="Invoices")
    sandbox.faults.add(Fault(match="GET /*sig=*", kind=FaultKind.TRUNCATE, when=When.AFTER))

    with pytest.raises((UnavailableError, ProtocolError)):
        await read(erp, made.id)
    assert await read(erp, made.id) == PIECE


async def test_where_orchestrator_keeps_the_files_itself_the_token_goes_along(erp: Adapter, sandbox: Sandbox) -> None:
    sandbox.world.switches["uipath.bucket_requires_auth"] = True

    made = await erp.artifacts.upload("a.bin", PIECE, container="Invoices")

    assert await read(erp, made.id) == PIECE


async def test_another_kind_of_storage_works_as_well(erp: Adapter, sandbox: Sandbox) -> None:
    sandbox.world.switches["uipath.storage_status"] = "s3"

    made = await erp.artifacts.upload("a.bin", PIECE, container="Invoices")

    assert await read(erp, made.id) == PIECE


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.com/a?sig=1",
        "https://me@acme.blob.core.windows.net/a?sig=1",
        "https://blob.core.windows.net.evil.com/a",
        "http://169.254.169.254/",
        "file:///a",
    ],
)
async def test_a_file_goes_to_no_server_that_nobody_named(script: Any, address: str) -> None:
    access = BlobFileAccess.of({"Uri": address}, "test")
    client = replace(script.client, own_storage=UiPathSettings.model_validate(SETTINGS).own_storage)

    with pytest.raises(ProtocolError, match=r"storage_hosts in the settings|no address") as caught:
        await storage.put(client, access, Content(b"x", 1), "artifacts.upload")

    assert "sig=1" not in str(caught.value)
    assert script.requests == []


@pytest.mark.parametrize("host", ["acme.blob.core.windows.net", "rpa.example.com", "minio.example.com"])
async def test_a_file_goes_to_known_storage_and_to_ones_own(script: Any, host: str) -> None:
    settings = UiPathSettings.model_validate(SETTINGS | {"storage_hosts": ["MinIO.example.com"]})
    script.answer(status=201)

    access = BlobFileAccess.of(
        {"Uri": f"https://{host}/a?sig=1", "Headers": {"Keys": ["Host", "x"], "Values": ["e", "1"]}}, "t"
    )
    await storage.put(replace(script.client, own_storage=settings.own_storage), access, Content(b"x", 1), "t")

    assert dict(script.requests[0].headers) == {"x": "1"}
    assert script.requests[0].foreign is (host == "acme.blob.core.windows.net")


async def test_a_jobs_attachments_are_files_of_that_job_alone(erp: Adapter) -> None:
    job, other = await erp.jobs.start("Invoices"), await erp.jobs.start("Invoices")

    made = await erp.artifacts.upload("a&b 100%.txt", b"content", job=job.id)

    assert (made.name, made.job, made.size) == ("a&b 100%.txt", job.id, 7)
    assert await read(erp, made.id) == b"content"
    assert [one.id async for one in erp.artifacts.find(job=job.id)] == [made.id]
    assert await names(erp, job=other.id) == []
    await erp.artifacts.delete(made)
    assert await names(erp, job=job.id) == []


@pytest.mark.parametrize("when", list(When))
async def test_a_link_whose_answer_is_lost_is_looked_up_and_made_once(
    erp: Adapter, sandbox: Sandbox, requests: Requests, when: When
) -> None:
    job = await erp.jobs.start("Invoices")
    sandbox.faults.add(Fault(match="POST */JobAttachments/Post", kind=FaultKind.CUT, when=when))

    if when is When.AFTER:
        await erp.artifacts.upload("a.txt", b"content", job=job.id)
    else:
        with pytest.raises(RemoteError, match="the link from job"):
            await erp.artifacts.upload("a.txt", b"content", job=job.id)

    assert len(requests("POST */JobAttachments/Post")) == 1
    assert await names(erp, job=job.id) == (["a.txt"] if when is When.AFTER else [])
