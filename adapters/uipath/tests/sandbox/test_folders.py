from __future__ import annotations

from typing import Any

import pytest

from rpa_bridge_uipath.sandbox.tokens import PERSONAL_ACCESS_TOKEN


@pytest.fixture
async def finance(wire: Any) -> Any:
    answer = await wire.ask("GET", "/odata/Folders", query={"$filter": "DisplayName eq 'Finance'"})
    return answer.values[0]


async def test_folders_are_found_without_a_folder_header(wire: Any) -> None:
    answer = await wire.ask("GET", "/odata/Folders", headers=wire.in_folder(), status=200)
    assert [row["FullyQualifiedName"] for row in answer.values] == ["Shared", "Finance", "Büro", "Shared/Reports"]
    assert answer.headers["api-supported-versions"] == "20.0"


async def test_one_folder_is_found_by_id_and_by_key(wire: Any, finance: Any) -> None:
    by_id = await wire.ask("GET", f"/odata/Folders({finance['Id']})", status=200)
    key = f"/odata/Folders/UiPath.Server.Configuration.OData.GetByKey(identifier={finance['Key']})"
    by_key = await wire.ask("GET", key, status=200)
    assert by_id.body == by_key.body == finance
    assert (await wire.ask("GET", "/odata/Folders(1)", status=404)).code == 1002
    assert (await wire.ask("GET", key.replace(finance["Key"], "none"), status=404)).code == 1002


async def test_ones_own_folders_come_in_pages_of_their_own_shape(wire: Any) -> None:
    path = "/api/Folders/GetAllForCurrentUser"
    answer = await wire.ask("GET", path, query={"take": "1", "skip": "2"}, status=200)
    assert answer.body["Count"] == 4
    assert [row["DisplayName"] for row in answer.body["PageItems"]] == ["Büro"]
    assert (await wire.ask("GET", path, query={"take": "1001"}, status=400)).code == 1000


@pytest.mark.parametrize("header", ["OrganizationUnitId", "FolderKey", "FolderPath", "Encoded"])
async def test_each_of_the_four_headers_names_a_folder(wire: Any, finance: Any, header: str) -> None:
    members = {"OrganizationUnitId": "Id", "FolderKey": "Key"}
    headers = wire.in_folder(**{header: str(finance[members.get(header, "FullyQualifiedName")])})
    answer = await wire.ask("GET", "/odata/Releases", headers=headers, status=200)
    assert {row["OrganizationUnitId"] for row in answer.values} == {finance["Id"]}


async def test_the_encoded_path_wins_over_the_plain_one(wire: Any) -> None:
    headers = wire.in_folder(FolderPath="Shared", Encoded="Finance")
    answer = await wire.ask("GET", "/odata/Releases", headers=headers, status=200)
    assert {row["OrganizationUnitFullyQualifiedName"] for row in answer.values} == {"Finance"}


async def test_a_name_with_other_letters_wants_the_encoded_header(wire: Any) -> None:
    encoded = await wire.ask("GET", "/odata/Releases", headers=wire.in_folder(Encoded="Büro"), status=200)
    assert encoded.values[0]["OrganizationUnitFullyQualifiedName"] == "Büro"
    plain = await wire.ask("GET", "/odata/Releases", headers=wire.in_folder(FolderPath="Büro"), status=400)
    assert plain.code == 1100


@pytest.mark.parametrize(
    "headers",
    [
        {"FolderPath": "Nowhere"},
        {"FolderKey": "101"},
        {"OrganizationUnitId": "99"},
        {"FolderPath-Encoded": "QsO8cm8="},
        {"FolderPath-Encoded": "?"},
        {"FolderPath": "Shared", "OrganizationUnitId": "102"},
        {"FolderPath": "Reports"},
        {"FolderPath": "Shared/Reports/"},
        {"FolderPath": "."},
    ],
)
async def test_a_folder_that_is_not_there_is_a_400(wire: Any, headers: dict[str, str]) -> None:
    assert (await wire.ask("GET", "/odata/Jobs", headers=wire.in_folder(**headers), status=400)).code == 1100


@pytest.mark.parametrize("path", ["Jobs", "Releases", "QueueDefinitions", "QueueItems"])
async def test_without_a_folder_nothing_is_found_in_one(wire: Any, path: str) -> None:
    answer = await wire.ask("GET", f"/odata/{path}", headers=wire.in_folder(), status=400)
    assert (answer.code, answer.body["message"]) == (1101, "An organization unit is required for this action.")


async def test_every_base_address_leads_to_the_same_server(wire: Any) -> None:
    for base in ("/acme/default/orchestrator_", "/acme/default", ""):
        answer = await wire.ask("GET", f"{wire.origin}{base}/odata/Folders", status=200)
        assert len(answer.values) == 4


async def test_an_unknown_path_is_a_404_below_the_api_and_a_web_page_elsewhere(wire: Any) -> None:
    assert (await wire.ask("GET", "/odata/Nothing", status=404)).code == 0
    page = await wire.ask("GET", f"{wire.origin}/other/tenant/orchestrator_/odata/Jobs", status=200)
    assert "<!DOCTYPE html>" in page.body


async def test_status_tells_that_the_server_lives_to_everybody(wire: Any) -> None:
    assert (await wire.ask("GET", "/api/Status/Get", headers={}, status=200)).body == ""
    assert "version" in (await wire.ask("GET", "/api/Status/Version", headers={}, status=200)).body


async def test_releases_are_found_by_name_and_id(wire: Any) -> None:
    found = await wire.ask("GET", "/odata/Releases", query={"$filter": "Name eq 'Invoices'"}, status=200)
    (release,) = found.values
    assert release["ProcessKey"] == "Acme.Invoices"
    assert (await wire.ask("GET", f"/odata/Releases({release['Id']})", status=200)).body == release
    elsewhere = wire.in_folder(FolderPath="Finance")
    assert (await wire.ask("GET", f"/odata/Releases({release['Id']})", headers=elsewhere, status=404)).code == 1002


async def _folder(wire: Any, **names: str) -> str:
    """The folder in which these headers are understood."""
    answer = await wire.ask("GET", "/odata/Releases", headers=wire.in_folder(**names), status=200)
    (name,) = {str(row["OrganizationUnitFullyQualifiedName"]) for row in answer.values}
    return name


@pytest.mark.parametrize(
    ("ambient", "path", "found"),
    [
        ("Shared/Reports", "/", "Shared"),
        ("Shared", "/Reports", "Shared/Reports"),
        ("Shared/Reports", "/Reports", "Shared/Reports"),
        ("Shared/Reports", ".", "Shared/Reports"),
        ("Shared", "./Reports", "Shared/Reports"),
        ("Shared/Reports", "..", "Shared"),
        ("Shared/Reports", "../Reports", "Shared/Reports"),
        ("Shared/Reports", "../../Büro", "Büro"),
        ("Finance", "Shared/Reports", "Shared/Reports"),
    ],
)
async def test_a_path_leads_on_from_the_ambient_folder(wire: Any, ambient: str, path: str, found: str) -> None:
    assert await _folder(wire, FolderPath=ambient, Encoded=path) == found


@pytest.mark.parametrize("path", ["..", "./", "../", "/Reports/", "//Reports", ".Reports", "../..", "/Finance"])
async def test_a_path_that_leads_nowhere_is_a_400(wire: Any, path: str) -> None:
    headers = wire.in_folder(FolderPath="Shared", Encoded=path)
    assert (await wire.ask("GET", "/odata/Jobs", headers=headers, status=400)).code == 1100


async def test_a_relative_path_needs_an_ambient_folder(wire: Any) -> None:
    assert (await wire.ask("GET", "/odata/Jobs", headers=wire.in_folder(Encoded="."), status=400)).code == 1101


async def test_a_nested_folder_names_its_parent(wire: Any) -> None:
    shared, *_, reports = (await wire.ask("GET", "/odata/Folders", status=200)).values
    assert (reports["DisplayName"], reports["ParentId"], reports["ParentKey"]) == (
        "Reports",
        shared["Id"],
        shared["Key"],
    )


async def test_the_navigation_is_for_people_and_not_for_external_applications(wire: Any) -> None:
    path = "/api/FoldersNavigation/GetFoldersForCurrentUser"
    refused = await wire.ask("GET", path, status=403)
    assert refused.body["message"] == "You are not authorized!"
    person = {"Authorization": f"Bearer {PERSONAL_ACCESS_TOKEN}"}
    query = {"searchText": "REP", "skip": "0", "take": "20"}
    answer = await wire.ask("GET", path, query=query, headers=person, status=200)
    assert [(row["DisplayName"], row["FolderPath"]) for row in answer.body["PageItems"]] == [
        ("Reports", "Shared/Reports")
    ]
    assert answer.body["Count"] == 1


async def test_users_of_a_folder_are_named(wire: Any, finance: Any) -> None:
    path = "/odata/Folders/UiPath.Server.Configuration.OData.GetUsersForFolder(key={},includeInherited=true)"
    answer = await wire.ask("GET", path.format(finance["Id"]), status=200)
    (row,) = answer.values
    assert row["UserEntity"]["AssignedToFolderIds"] == [finance["Id"]]
    assert (await wire.ask("GET", path.format(1), status=404)).code == 1002


async def test_a_folder_is_made_and_deleted_while_nothing_is_inside(wire: Any, finance: Any) -> None:
    body = {"DisplayName": "Ablage Süd", "ParentId": finance["Id"], "Description": "new", "FeedType": "Processes"}
    made = (await wire.ask("POST", "/odata/Folders", body, status=201)).body
    assert (made["FullyQualifiedName"], made["Description"]) == ("Finance/Ablage Süd", "new")
    assert (await wire.ask("POST", "/odata/Folders", body | {"DisplayName": "ABLAGE SÜD"}, status=409)).code == 1001
    inside = wire.in_folder(Encoded="Finance/Ablage Süd")
    queue = (await wire.ask("POST", "/odata/QueueDefinitions", {"Name": "Q"}, headers=inside, status=201)).body
    for full in (made, finance):
        await wire.ask("DELETE", f"/odata/Folders({full['Id']})", status=409)
    await wire.ask("DELETE", f"/odata/QueueDefinitions({queue['Id']})", headers=inside, status=204)
    await wire.ask("DELETE", f"/odata/Folders({made['Id']})", status=204)
    assert (await wire.ask("DELETE", f"/odata/Folders({made['Id']})", status=404)).code == 1002
    assert (await wire.ask("GET", "/odata/Jobs", headers=inside, status=400)).code == 1100


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, 1009),
        ({"DisplayName": "a/b"}, 400, 1009),
        ({"DisplayName": "x" * 116}, 400, 1009),
        ({"DisplayName": "x", "Colour": "red"}, 400, 0),
        ({"DisplayName": "x", "ParentId": 1}, 404, 1002),
    ],
)
async def test_a_wrong_folder_is_not_made(wire: Any, body: Any, status: int, code: int) -> None:
    assert (await wire.ask("POST", "/odata/Folders", body, status=status)).code == code
    assert len((await wire.ask("GET", "/odata/Folders")).values) == 4


async def test_older_servers_have_organisation_units_instead(wire: Any) -> None:
    await wire.ask("GET", "/odata/OrganizationUnits", status=404)
    wire.world.switches["uipath.classic"] = True
    for path in ("/odata/Folders", "/api/Folders/GetAllForCurrentUser"):
        assert (await wire.ask("GET", path, status=404)).code == 0
    units = (await wire.ask("GET", "/odata/OrganizationUnits", status=200)).values
    assert units[1] == {"DisplayName": "Finance", "Id": 102}
    assert (await wire.ask("GET", "/odata/OrganizationUnits(102)", status=200)).body == units[1]
    assert await _folder(wire, OrganizationUnitId="102") == "Finance"
    unknown_header = await wire.ask("GET", "/odata/Releases", headers=wire.in_folder(FolderPath="Finance"), status=400)
    assert unknown_header.code == 1101
