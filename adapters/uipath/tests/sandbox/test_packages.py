"""Packages: real zips go in and come out."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from aiohttp import FormData

UPLOAD = "/odata/Processes/UiPath.Server.Configuration.OData.UploadPackage"
ACTION = "/odata/Processes/UiPath.Server.Configuration.OData."


def _nupkg(
    version: str = "2.0.0",
    package_id: str = "Acme.Invoices",
    *,
    head: str = '<?xml version="1.0"?>',
    files: dict[str, str] | None = None,
) -> bytes:
    """A package with these files beside its manifest."""
    manifest = (
        f'{head}<package xmlns="http://schemas.microsoft.com/packaging/2011/10/nuspec.xsd"><metadata>'
        f"<id>{package_id}</id><version>{version}</version><description>für alle</description>"
        "<releaseNotes>new</releaseNotes></metadata></package>"
    )
    content = BytesIO()
    with ZipFile(content, "w") as package:
        package.writestr("any.nuspec", manifest.encode())
        for name, text in (files or {}).items():
            package.writestr(name, text)
    return content.getvalue()


async def _upload(wire: Any, *packages: bytes, status: int = 200) -> Any:
    form = FormData()
    for number, package in enumerate(packages):
        form.add_field(f"file{number or ''}", BytesIO(package), filename=f"{number}.nupkg")
    return (await wire.ask("POST", UPLOAD, form=form, headers=wire.in_folder(), status=status)).body["value"]


async def _download(wire: Any, key: str) -> bytes:
    address = {"Verb": "GET", "Uri": f"{wire.base}{ACTION}DownloadPackage(key='{key}')"}
    nothing: dict[str, list[str]] = {"Keys": [], "Values": []}
    answer = await wire.transfer({**address, "Headers": nothing}, headers=wire.in_folder(), status=200)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    content: bytes = answer.body
    return content


async def _versions(wire: Any, package_id: str = "Acme.Invoices") -> list[str]:
    answer = await wire.ask("GET", f"{ACTION}GetProcessVersions(processId='{package_id}')", status=200)
    return [row["Version"] for row in answer.values]


async def test_the_releases_packages_are_there_and_are_real(wire: Any) -> None:
    rows = (await wire.ask("GET", "/odata/Processes", headers=wire.in_folder(), status=200)).values
    assert {"Acme.Invoices:1.2.0", "Acme.Letters:1.2.0"} <= {row["Key"] for row in rows}
    assert all(row["IsActive"] and row["IsLatestVersion"] for row in rows)
    with ZipFile(BytesIO(await _download(wire, "Acme.Invoices:1.2.0"))) as package:
        assert "Acme.Invoices.nuspec" in package.namelist()
    release = (await wire.ask("GET", "/odata/Releases", query={"$filter": "Name eq 'Invoices'"})).values[0]
    arguments = (await wire.ask("GET", f"{ACTION}GetArguments(key='Acme.Invoices:1.2.0')", status=200)).body
    assert arguments == release["Arguments"]


async def test_an_uploaded_package_is_what_its_manifest_says_and_comes_back_byte_for_byte(wire: Any) -> None:
    content = _nupkg("1.10.0-beta.1")
    (result,) = await _upload(wire, content)
    assert (result["Key"], result["Status"]) == ("Acme.Invoices:1.10.0-beta.1", "OK")
    told = json.loads(result["Body"])
    assert (told["Version"], told["Description"], told["ReleaseNotes"]) == ("1.10.0-beta.1", "für alle", "new")
    assert told["Arguments"] == {"Input": None, "Output": None}
    assert await _download(wire, "acme.invoices:1.10.0-BETA.1") == content


async def test_versions_sort_as_numbers_and_previews_come_before_releases(wire: Any) -> None:
    for version in ("1.9.0", "1.10.0-rc1", "1.10.0"):
        await _upload(wire, _nupkg(version))
    assert await _versions(wire) == ["1.10.0", "1.10.0-rc1", "1.9.0", "1.2.0"]
    found = (await wire.ask("GET", "/odata/Processes", query={"searchTerm": "INVOI"}, status=200)).values
    assert [row["Version"] for row in found if row["Title"] == "Acme.Invoices"] == ["1.10.0"]
    assert await _versions(wire, "Nobody.Knows") == []


async def test_each_file_has_its_own_result_and_the_good_ones_stay(wire: Any) -> None:
    results = await _upload(wire, _nupkg("1.2.0"), _nupkg("3.0.0"), b"PK not a zip", status=207)
    assert [one["Status"] for one in results] == ["Conflict", "OK", "BadRequest"]
    assert json.loads(results[0]["Body"])["errorCode"] == 1001
    assert "3.0.0" in await _versions(wire)
    wire.world.switches["uipath.package_conflict_plain"] = True
    form = FormData()
    form.add_field("file", BytesIO(_nupkg("3.0.0")), filename="again.nupkg")
    assert (await wire.ask("POST", UPLOAD, form=form, status=409)).code == 1001


@pytest.mark.parametrize(
    "content",
    [
        b"",
        _nupkg()[:-30],
        _nupkg("latest"),
        _nupkg(package_id="a/b"),
        _nupkg(files={"another.nuspec": "<package/>"}),
        _nupkg(files={"content/project.json": '{"entryPoints": [1]}'}),
        _nupkg(files={"content/project.json": "[]"}),
        _nupkg(head="<"),
        _nupkg(head='<?xml version="1.0" encoding="unheard-of"?>'),
    ],
)
async def test_a_broken_package_is_a_400_inside_and_nothing_is_kept(wire: Any, content: bytes) -> None:
    (result,) = await _upload(wire, content, status=207)
    assert result["Status"] == "BadRequest"
    assert await _versions(wire) == ["1.2.0"]


async def test_a_body_that_is_no_upload_is_refused(wire: Any) -> None:
    assert (await wire.ask("POST", UPLOAD, {"file": "x"}, status=400)).code == 0
    form = FormData()
    form.add_field("package", BytesIO(_nupkg()), filename="x.nupkg")
    await wire.ask("POST", UPLOAD, form=form, status=400)
    broken = {**wire.headers, "Content-Type": "multipart/form-data; boundary=x"}
    await wire.ask("POST", UPLOAD, form=b"no part in here", headers=broken, status=400)


async def test_a_package_is_deleted_by_its_key(wire: Any) -> None:
    await _upload(wire, _nupkg())
    await wire.ask("DELETE", "/odata/Processes('Acme.Invoices:2.0.0')", status=204)
    assert (await wire.ask("DELETE", "/odata/Processes('Acme.Invoices:2.0.0')", status=404)).code == 1002
    assert await _versions(wire) == ["1.2.0"]


async def test_a_release_is_moved_to_another_version_with_its_arguments(wire: Any) -> None:
    entry = {"filePath": "Main.xaml", "input": [{"name": "year", "type": "System.Int32"}], "output": []}
    project = json.dumps({"main": "Main.xaml", "entryPoints": [entry]})
    await _upload(wire, _nupkg(files={"content/project.json": project}))
    query = {"$filter": "Name eq 'Invoices'"}
    before = (await wire.ask("GET", "/odata/Releases", query=query)).values[0]
    assert before["IsLatestVersion"] is False
    path = f"/odata/Releases({before['Id']})"
    move = f"{path}/UiPath.Server.Configuration.OData.UpdateToSpecificPackageVersion"
    for body, status in (({"packageVersion": "9.9.9"}, 404), ({}, 400), ({"version": "2.0.0"}, 400)):
        await wire.ask("POST", move, body, status=status)
    assert (await wire.ask("POST", move, {"packageVersion": "2.0.0"}, status=200)).body == {"value": before["Id"]}
    after = (await wire.ask("GET", path)).body
    assert (after["ProcessVersion"], after["IsLatestVersion"]) == ("2.0.0", True)
    assert json.loads(after["Arguments"]["Input"])[0]["name"] == "year"


async def test_an_id_may_come_with_its_version_or_without(wire: Any) -> None:
    for has_version, wanted in ((True, "Acme.Invoices:1.2.0"), (False, "Acme.Invoices")):
        wire.world.switches["uipath.package_id_has_version"] = has_version
        rows = (await wire.ask("GET", "/odata/Processes", query={"searchTerm": "Acme.Invoices"})).values
        assert [row["Id"] for row in rows] == [wanted]


async def test_there_is_one_feed_only(wire: Any) -> None:
    query = {"feedId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}
    await wire.ask("GET", "/odata/Processes", query=query, status=404)
