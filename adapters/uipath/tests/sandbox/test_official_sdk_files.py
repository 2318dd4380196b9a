"""UiPath's own SDK from PyPI against the face, with files: buckets and attachments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.testing import SandboxThread


@pytest.fixture
async def buckets(sdk: Any) -> AsyncIterator[Any]:
    service = sdk.buckets
    yield service
    await service.aclose()
    service.custom_client.close()
    await service.custom_client_async.aclose()


@pytest.fixture
async def attachments(sdk: Any) -> AsyncIterator[Any]:
    service = sdk.attachments
    yield service
    await service.aclose()


@pytest.fixture
async def jobs(sdk: Any) -> AsyncIterator[Any]:
    service, processes = sdk.jobs, sdk.processes
    service.started = processes.invoke("Letters")
    yield service
    await service.aclose()
    await processes.aclose()
    await sdk.attachments.aclose()


def _paths(page: Any) -> list[str]:
    return [file.path for file in page.items]


async def test_it_moves_a_file_there_and_back(buckets: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(b"a;b\r\n\xff")
    buckets.upload(name="Invoices", blob_file_path="2026/größe 1.csv", source_path=str(source))
    buckets.download(name="Invoices", blob_file_path="2026/größe 1.csv", destination_path=str(target))
    assert target.read_bytes() == source.read_bytes()
    await buckets.upload_async(name="Invoices", blob_file_path="b.txt", content="ä", content_type="text/plain")
    await buckets.download_async(name="Invoices", blob_file_path="b.txt", destination_path=str(target))
    assert target.read_text(encoding="utf-8") == "ä"
    files = buckets.list_files(name="Invoices", prefix="b").items
    assert [(file.path, file.size, file.content_type) for file in files] == [("/b.txt", 2, "text/plain")]


async def test_it_lists_files_in_pages_and_by_directory(buckets: Any) -> None:
    for name in ("a/1.txt", "a/2.txt", "3.txt"):
        buckets.upload(name="Invoices", blob_file_path=name, content=b"x")
    page = buckets.list_files(name="Invoices", take_hint=2)
    assert (_paths(page), page.has_more) == (["/3.txt", "/a/1.txt"], True)
    rest = buckets.list_files(name="Invoices", take_hint=2, continuation_token=page.continuation_token)
    assert (_paths(rest), rest.has_more) == (["/a/2.txt"], False)
    assert _paths(buckets.get_files(name="Invoices")) == ["/3.txt"]
    assert _paths(buckets.get_files(name="Invoices", recursive=True, file_name_glob="?.txt", skip=1, top=5)) == [
        "/a/1.txt",
        "/a/2.txt",
    ]


async def test_it_sees_whether_a_file_is_there_and_deletes_it(buckets: Any) -> None:
    assert buckets.exists_file(name="Reports", blob_file_path="2026/october.txt")
    buckets.delete_file(name="Reports", blob_file_path="2026/october.txt")
    assert not buckets.exists_file(name="Reports", blob_file_path="2026/october.txt")


async def test_it_finds_no_file_where_lists_show_paths_without_a_slash(served: SandboxThread, buckets: Any) -> None:
    """The SDK compares with a slash before the path, always: on a server that shows none, files seem not to exist."""
    served.world.switches["uipath.bucket_paths_rooted"] = False
    assert _paths(buckets.list_files(name="Reports")) == ["2026/october.txt"]
    assert not buckets.exists_file(name="Reports", blob_file_path="2026/october.txt")


async def test_it_makes_finds_and_deletes_buckets(buckets: Any) -> None:
    made = buckets.create("Letter's box", description="paper")
    assert buckets.retrieve(name="Letter's box").id == made.id
    assert buckets.retrieve(key=made.identifier).name == "Letter's box"
    assert [one.name for one in buckets.list(name="LETTER'S").items] == ["Letter's box"]
    buckets.delete(name="Letter's box")
    assert not buckets.exists("Letter's box")


async def test_it_loses_the_name_of_a_file_and_does_not_notice(buckets: Any) -> None:
    """The server's defect, docs: uipath.md 3.13; the SDK neither refuses such a name nor encodes it twice."""
    buckets.upload(name="Invoices", blob_file_path="a&b.txt", content=b"x")
    assert _paths(buckets.list_files(name="Invoices")) == ["/a"]


async def test_it_does_not_notice_that_storage_refused_the_content(served: SandboxThread, buckets: Any) -> None:
    """The SDK ignores the status of the PUT: a refused upload looks like a success."""
    served.world.faults.add(Fault(FaultKind.STATUS, match="PUT /buckets/*", status=503))
    buckets.upload(name="Invoices", blob_file_path="lost.txt", content=b"x")
    assert _paths(buckets.list_files(name="Invoices")) == []


async def test_it_takes_a_refusal_for_the_file(buckets: Any, tmp_path: Path) -> None:
    """Nor does it look at the status of the GET: what it saves of a missing file is the storage's error, as content."""
    target = tmp_path / "out.txt"
    buckets.download(name="Invoices", blob_file_path="nowhere.txt", destination_path=str(target))
    assert "BlobNotFound" in target.read_text(encoding="utf-8")


async def test_it_sends_content_through_orchestrator_where_that_is_asked(
    served: SandboxThread, buckets: Any, tmp_path: Path
) -> None:
    served.world.switches["uipath.bucket_requires_auth"] = True
    target = tmp_path / "out.txt"
    buckets.upload(name="Invoices", blob_file_path="a.txt", content=b"through")
    buckets.download(name="Invoices", blob_file_path="a.txt", destination_path=str(target))
    assert target.read_bytes() == b"through"


async def test_it_moves_an_attachment_there_and_back_and_deletes_it(attachments: Any, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    key = attachments.upload(name="größe.json", content=b"\x00\xff")
    assert attachments.download(key=key, destination_path=str(target)) == "größe.json"
    assert target.read_bytes() == b"\x00\xff"
    attachments.delete(key=key)
    with pytest.raises(Exception, match="not found in UiPath"):
        attachments.download(key=key, destination_path=str(target))
    other = await attachments.upload_async(name="b.json", content="{}")
    assert await attachments.download_async(key=other, destination_path=str(target)) == "b.json"
    await attachments.delete_async(key=other)


async def test_it_will_not_attach_an_empty_file(attachments: Any) -> None:
    """The SDK takes empty content for none."""
    with pytest.raises(ValueError, match="required"):
        attachments.upload(name="empty.txt", content=b"")


async def test_it_ties_attachments_to_jobs(jobs: Any) -> None:
    job_key = UUID(jobs.started.key)
    key = jobs.create_attachment(name="report.txt", content=b"done", job_key=job_key)
    assert jobs.list_attachments(job_key=job_key) == [str(key)]
    with pytest.raises(Exception, match="404"):
        jobs.link_attachment(attachment_key=uuid4(), job_key=job_key)
