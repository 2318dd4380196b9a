"""Attachments, and how jobs are tied to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

NOBODY = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


async def _attach(wire: Any, name: str = "input.json", content: bytes | None = b"{}") -> Any:
    made = (await wire.ask("POST", "/odata/Attachments", {"Name": name}, status=201)).body
    if content is not None:
        await wire.transfer(made["BlobFileAccess"], content, status=201)
    return made


async def _links(wire: Any, job: Any) -> Any:
    query = {"jobKey": job["Key"]}
    return (await wire.ask("GET", "/api/JobAttachments/GetByJobKey", query=query, status=200)).body


async def test_an_attachment_is_a_record_first_and_gets_its_content_elsewhere(wire: Any) -> None:
    made = await _attach(wire, 'größe "1"&2.json', b"\x00\xff")
    assert str(UUID(made["Id"])) == made["Id"]
    path = f"/odata/Attachments({made['Id']})"
    seen = (await wire.ask("GET", path, status=200)).body
    assert (seen["Name"], seen["BlobFileAccess"]["Verb"]) == ('größe "1"&2.json', "GET")
    assert (await wire.transfer(seen["BlobFileAccess"], status=200)).body == b"\x00\xff"
    await wire.ask("DELETE", path, status=204)
    await wire.ask("DELETE", path, status=404)
    assert (await wire.ask("GET", path, status=404)).code == 1002
    await wire.transfer(seen["BlobFileAccess"], status=404)


async def test_an_attachment_may_have_no_content_yet(wire: Any) -> None:
    made = await _attach(wire, content=None)
    seen = (await wire.ask("GET", f"/odata/Attachments({made['Id'].upper()})", status=200)).body
    await wire.transfer(seen["BlobFileAccess"], status=404)


@pytest.mark.parametrize(
    ("body", "code"), [({}, 1009), ({"Name": ""}, 1009), ({"Name": "x" * 257}, 1009), ({"name": "x"}, 0)]
)
async def test_a_record_that_is_not_right_is_refused(wire: Any, body: Any, code: int) -> None:
    assert (await wire.ask("POST", "/odata/Attachments", body, status=400)).code == code


async def test_a_folder_and_the_scope_for_folders_are_wanted(wire: Any) -> None:
    headers = wire.in_folder()
    assert (await wire.ask("POST", "/odata/Attachments", {"Name": "x"}, headers=headers, status=400)).code == 1101
    token = (await wire.log_in(scope="OR.Jobs")).body["access_token"]
    wire.headers["Authorization"] = f"Bearer {token}"
    await wire.ask("POST", "/odata/Attachments", {"Name": "x"}, status=403)


async def test_a_job_is_linked_in_camel_case_and_each_link_is_one_more(wire: Any) -> None:
    job, made = await wire.start(), await _attach(wire)
    assert await _links(wire, job) == []
    link = {"attachmentId": made["Id"], "jobKey": job["Key"], "category": None}
    for _ in range(2):
        await wire.ask("POST", "/api/JobAttachments/Post", link, status=200)
    first, second = await _links(wire, job)
    assert (first["attachmentId"], first["attachmentName"], first["jobKey"]) == (made["Id"], "input.json", job["Key"])
    assert first["id"] != second["id"]
    await wire.ask("DELETE", f"/odata/Attachments({made['Id']})", status=204)
    assert await _links(wire, job) == []


async def test_a_link_wants_both_its_ends_in_this_folder(wire: Any) -> None:
    job, made = await wire.start(), await _attach(wire)
    post = "/api/JobAttachments/Post"
    for link in (
        {"attachmentId": NOBODY, "jobKey": job["Key"]},
        {"attachmentId": made["Id"], "jobKey": NOBODY},
        {"attachmentId": made["Id"]},
    ):
        assert (await wire.ask("POST", post, link, status=404)).code == 1002
    wrong = {"AttachmentId": made["Id"], "jobKey": job["Key"]}
    assert (await wire.ask("POST", post, wrong, status=400)).code == 0
    elsewhere, query = wire.in_folder(FolderPath="Finance"), {"jobKey": job["Key"]}
    await wire.ask("GET", "/api/JobAttachments/GetByJobKey", query=query, headers=elsewhere, status=404)
    assert await _links(wire, job) == []


async def test_an_older_server_has_none_of_it(wire: Any) -> None:
    job, made = await wire.start(), await _attach(wire)
    wire.world.switches["uipath.attachments"] = False
    for method, path in (
        ("POST", "/odata/Attachments"),
        ("GET", f"/odata/Attachments({made['Id']})"),
        ("DELETE", f"/odata/Attachments({made['Id']})"),
        ("GET", f"/api/JobAttachments/GetByJobKey?jobKey={job['Key']}"),
        ("POST", "/api/JobAttachments/Post"),
    ):
        assert (await wire.ask(method, path, {} if method == "POST" else None)).status == 404
