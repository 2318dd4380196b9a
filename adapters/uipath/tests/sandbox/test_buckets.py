"""Buckets and their files; the content itself goes over test_storage.py's addresses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

ACTION = "UiPath.Server.Configuration.OData."
IDENTIFIER = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


async def _bucket(wire: Any, name: str) -> Any:
    (found,) = (await wire.ask("GET", "/odata/Buckets", query={"$filter": f"Name eq '{name}'"}, status=200)).values
    return found


async def _new(wire: Any, *, status: int = 201, **members: Any) -> Any:
    body = {"Name": "Letters", "Identifier": IDENTIFIER} | members
    return await wire.ask("POST", "/odata/Buckets", body, status=status)


async def _about(wire: Any, bucket: Any, action: str, method: str = "GET", **query: str) -> Any:
    return await wire.ask(method, f"/odata/Buckets({bucket['Id']})/{ACTION}{action}", query=query)


async def _put(wire: Any, bucket: Any, path: str, content: bytes = b"x") -> None:
    access = (await _about(wire, bucket, "GetWriteUri", path=path)).body
    answer = await wire.transfer(access, content, headers={"Content-Type": "text/plain"})
    assert answer.status in (200, 201)


async def _list(wire: Any, bucket: Any, **query: str) -> Any:
    return (await wire.ask("GET", f"/api/Buckets/{bucket['Id']}/ListFiles", query=query, status=200)).body


async def _paths(wire: Any, bucket: Any, **query: str) -> list[str]:
    return [file["fullPath"] for file in (await _list(wire, bucket, **query))["items"]]


@pytest.fixture
async def invoices(wire: Any) -> Any:
    """A bucket with nothing in it."""
    return await _bucket(wire, "Invoices")


async def test_every_folder_has_a_bucket_with_a_file_and_an_empty_one(wire: Any) -> None:
    for folder in ("Shared", "Finance"):
        wire.headers["X-UIPATH-FolderPath"] = folder
        assert await _paths(wire, await _bucket(wire, "Reports")) == ["/2026/october.txt"]
        assert await _paths(wire, await _bucket(wire, "Invoices")) == []
    everywhere = f"/odata/Buckets/{ACTION}GetBucketsAcrossFolders"
    no_folder = wire.in_folder()
    found = (await wire.ask("GET", everywhere, headers=no_folder, status=200)).values
    assert len(found) >= 4
    but_one = {"excludeFolderId": "101"}
    assert (await wire.ask("GET", everywhere, query=but_one, headers=no_folder, status=200)).values == found[2:]
    assert (await wire.ask("GET", "/odata/Buckets", headers=no_folder, status=400)).code == 1101


async def test_a_bucket_is_in_its_folder_only(wire: Any, invoices: Any) -> None:
    path, elsewhere = f"/odata/Buckets({invoices['Id']})", wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("GET", path, status=200)).body == invoices
    for target in (path, f"{path}/{ACTION}GetWriteUri?path=a", f"/api/Buckets/{invoices['Id']}/ListFiles"):
        assert (await wire.ask("GET", target, headers=elsewhere, status=404)).code == 1002


async def test_the_identifier_finds_a_bucket_with_and_without_quotes(wire: Any, invoices: Any) -> None:
    for written in (invoices["Identifier"], f"'{invoices['Identifier']}'", invoices["Identifier"].upper()):
        path = f"/odata/Buckets/{ACTION}GetByKey(identifier={written})"
        assert (await wire.ask("GET", path, status=200)).body == invoices
    await wire.ask("GET", f"/odata/Buckets/{ACTION}GetByKey(identifier='{IDENTIFIER}')", status=404)


async def test_a_bucket_is_made_changed_and_deleted_with_its_files(wire: Any) -> None:
    made = (await _new(wire, Description="Paper", Password="hidden")).body
    assert (made["Options"], made["FoldersCount"]) == ("None", 1)
    await _put(wire, made, "a.txt")
    path = f"/odata/Buckets({made['Id']})"
    changed = (await wire.ask("PUT", path, {"Name": "Mail", "Identifier": IDENTIFIER}, status=200)).body
    assert changed == {**made, "Name": "Mail", "Description": None}
    assert "hidden" not in str(wire.sandbox.dump())
    reading = (await _about(wire, made, "GetReadUri", path="a.txt")).body
    await wire.ask("DELETE", path, status=204)
    await wire.ask("DELETE", path, status=404)
    await wire.transfer(reading, status=404)


async def test_names_and_identifiers_are_taken_once_a_folder(wire: Any) -> None:
    made = (await _new(wire)).body
    other = "11111111-1111-4111-8111-111111111111"
    assert (await _new(wire, Name="LETTERS", Identifier=other, status=409)).code == 1001
    assert (await _new(wire, Name="Other", Identifier=IDENTIFIER.upper(), status=409)).code == 1001
    await wire.ask("PUT", f"/odata/Buckets({made['Id']})", {"Name": "Letters", "Identifier": IDENTIFIER}, status=200)
    wire.headers["X-UIPATH-FolderPath"] = "Finance"
    await _new(wire)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Identifier": None}, 1009),
        ({"Identifier": "not-a-guid"}, 0),
        ({"Name": "x" * 129}, 1009),
        ({"Options": "WriteOnly"}, 0),
        ({"name": "Letters"}, 0),
    ],
)
async def test_a_bucket_that_is_not_right_is_refused(wire: Any, members: Any, code: int) -> None:
    assert (await _new(wire, status=400, **members)).code == code


async def test_a_token_that_only_reads_may_ask_where_to_write(wire: Any, invoices: Any) -> None:
    token = (await wire.log_in(scope="OR.Administration.Read")).body["access_token"]
    wire.headers["Authorization"] = f"Bearer {token}"
    await _put(wire, invoices, "a.txt")
    assert (await _about(wire, invoices, "DeleteFile", "DELETE", path="a.txt")).status == 403
    await _new(wire, status=403)


async def test_the_vendors_sdk_may_search_in_lower_case(wire: Any) -> None:
    for condition, found in (("contains(tolower(Name), tolower('VOICE'))", 1), ("contains(tolower(Name),'VOICE')", 0)):
        wire.world.switches["uipath.ignore_case"] = False
        answer = await wire.ask("GET", "/odata/Buckets", query={"$filter": condition}, status=200)
        assert len(answer.values) == found


async def test_files_are_listed_in_camel_case_and_in_pages(wire: Any, invoices: Any) -> None:
    for name in ("a/1.txt", "a/2.txt", "a/b/3.txt", "ä.txt"):
        await _put(wire, invoices, name, b"four")
    first = await _list(wire, invoices, takeHint="3")
    assert [set(file) for file in first["items"]] == [
        {"fullPath", "contentType", "size", "lastModified", "accessInfo"}
    ] * 3
    assert (first["items"][0]["size"], first["items"][0]["contentType"]) == (4, "text/plain")
    assert first["items"][0]["accessInfo"] is None
    rest = await _list(wire, invoices, takeHint="3", continuationToken=first["continuationToken"])
    assert [file["fullPath"] for file in rest["items"]] == ["/ä.txt"]
    assert rest["continuationToken"] is None
    assert await _paths(wire, invoices, prefix="a/") == await _paths(wire, invoices, prefix="/a/")
    assert len(await _paths(wire, invoices, prefix="a/")) == 3


async def test_a_page_may_hold_twice_what_was_hinted(wire: Any, invoices: Any) -> None:
    for number in range(5):
        await _put(wire, invoices, f"{number}.txt")
    wire.world.switches["uipath.take_hint_doubled"] = True
    wire.world.switches["uipath.bucket_paths_rooted"] = False
    page = await _list(wire, invoices, takeHint="2")
    assert [file["fullPath"] for file in page["items"]] == ["0.txt", "1.txt", "2.txt", "3.txt"]
    assert await _paths(wire, invoices, takeHint="2", continuationToken=page["continuationToken"]) == ["4.txt"]


@pytest.mark.parametrize(
    "query",
    [
        {"takeHint": "1001"},
        {"takeHint": "0"},
        {"takeHint": "x"},
        {"continuationToken": "!!!!"},
        {"expiryInMinutes": "0"},
    ],
)
async def test_a_list_that_asks_too_much_is_refused(wire: Any, invoices: Any, query: dict[str, str]) -> None:
    path = f"/api/Buckets/{invoices['Id']}/ListFiles"
    assert (await wire.ask("GET", path, query=query, status=400)).code == 1009


async def test_a_list_gives_addresses_to_who_says_for_how_long(wire: Any) -> None:
    (file,) = (await _list(wire, await _bucket(wire, "Reports"), expiryInMinutes="5"))["items"]
    assert (await wire.transfer(file["accessInfo"], status=200)).body.startswith(b"October")


async def test_directories_are_what_files_lie_in(wire: Any, invoices: Any) -> None:
    for name in ("top.txt", "a/1.txt", "a/2.csv", "a/b/3.txt", "ab/4.txt"):
        await _put(wire, invoices, name)

    async def names(action: str, **query: str) -> list[str]:
        return [row["FullPath"] for row in (await _about(wire, invoices, action, **query)).values]

    assert await names("GetFiles", directory="/") == ["/top.txt"]
    assert await names("GetFiles", directory="/a") == ["/a/1.txt", "/a/2.csv"]
    assert await names("GetFiles", directory="a/", recursive="true", fileNameGlob="*.txt") == ["/a/1.txt", "/a/b/3.txt"]
    assert await names("GetFiles", recursive="true", **{"$skip": "1", "$top": "1"}) == ["/a/2.csv"]
    assert await names("GetDirectories", directory="/") == ["/a", "/ab"]
    assert await names("GetDirectories", directory="/a") == ["/a/b"]
    file = (await _about(wire, invoices, "GetFile", path="a/2.csv")).body
    assert (file["FullPath"], file["IsDirectory"], file["Size"]) == ("/a/2.csv", False, 1)
    assert (await _about(wire, invoices, "GetFile", path="a")).status == 404


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a&b.txt", "a"),
        ("why?.txt", "why"),
        ("1+1.txt", "1 1.txt"),
        ("100%25.txt", "100%.txt"),
        ("5% off.txt", "5 off.txt"),
    ],
)
async def test_some_letters_in_names_are_lost_while_all_looks_well(
    wire: Any, invoices: Any, name: str, kept: str
) -> None:
    await _put(wire, invoices, name)
    assert await _paths(wire, invoices) == [f"/{kept}"]
    await _put(wire, invoices, quote(name))
    assert f"/{name}" in await _paths(wire, invoices)
    wire.world.switches["uipath.bucket_names_intact"] = True
    await _put(wire, invoices, f"in/{name}")
    assert f"/in/{name}" in await _paths(wire, invoices)


@pytest.mark.parametrize("action", ["GetReadUri", "GetWriteUri", "GetFile"])
async def test_a_path_that_is_nothing_is_refused(wire: Any, invoices: Any, action: str) -> None:
    for query in ({}, {"path": ""}, {"path": "/"}, {"path": "&a"}):
        assert (await _about(wire, invoices, action, **query)).status == 400


async def test_a_file_is_deleted_and_nobody_hears_that_it_was_not_there(wire: Any) -> None:
    reports = await _bucket(wire, "Reports")
    for _ in range(2):
        assert (await _about(wire, reports, "DeleteFile", "DELETE", path="2026/october.txt")).status == 204
    reading = await _about(wire, reports, "GetReadUri", path="2026/october.txt")
    await wire.transfer(reading.body, status=404)
    wire.world.switches["uipath.read_uri_looks"] = True
    assert (await _about(wire, reports, "GetReadUri", path="2026/october.txt")).status == 404


async def test_a_read_only_bucket_is_read_only(wire: Any) -> None:
    made = (await _new(wire, Options="ReadOnly")).body
    assert (await _about(wire, made, "GetWriteUri", path="a.txt")).code == 1017
    assert (await _about(wire, made, "DeleteFile", "DELETE", path="a.txt")).status == 409
    assert (await _about(wire, made, "GetReadUri", path="a.txt")).status == 200


async def test_content_through_orchestrator_wants_the_token_and_the_address(wire: Any) -> None:
    made = (await _new(wire, Options="AccessDataThroughOrchestrator")).body
    writing = (await _about(wire, made, "GetWriteUri", path="in/ä.txt")).body
    assert writing["RequiresAuth"] is True
    assert urlsplit(writing["Uri"]).netloc == urlsplit(wire.origin).netloc
    assert writing["Headers"] == {"Keys": [], "Values": []}
    signed = {"Authorization": wire.headers["Authorization"]}
    await wire.transfer(writing, b"x", status=401)
    await wire.transfer({**writing, "Uri": writing["Uri"].replace("sig=", "sig=x")}, b"x", headers=signed, status=403)
    await wire.transfer(writing, b"through", headers=signed, status=200)
    reading = (await _about(wire, made, "GetReadUri", path="in/ä.txt")).body
    assert (await wire.transfer(reading, headers=signed, status=200)).body == b"through"
    storage = wire.sandbox.faces["uipath"].side_origin
    around = f"{storage}/{reading['Uri'].partition('/api/BlobStorage/')[2]}"
    await wire.transfer({**reading, "Uri": around}, status=403)


async def test_a_switch_sends_all_content_through_orchestrator(wire: Any, invoices: Any) -> None:
    wire.world.switches["uipath.bucket_requires_auth"] = True
    assert (await _about(wire, invoices, "GetReadUri", path="a.txt")).body["RequiresAuth"] is True
