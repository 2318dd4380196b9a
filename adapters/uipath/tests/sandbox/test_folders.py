from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
async def finance(wire: Any) -> Any:
    answer = await wire.ask("GET", "/odata/Folders", query={"$filter": "DisplayName eq 'Finance'"})
    return answer.values[0]


async def test_folders_are_found_without_a_folder_header(wire: Any) -> None:
    answer = await wire.ask("GET", "/odata/Folders", headers=wire.in_folder(), status=200)
    assert [row["FullyQualifiedName"] for row in answer.values] == ["Shared", "Finance", "Büro"]
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
    assert answer.body["Count"] == 3
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
        assert len(answer.values) == 3


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
